//! A plugin's inbox: its subscriptions, the events that wait for it, and what became of those it got.

mod wanted;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;
use midplane_contract::{Code, Error, Result, defaults};

use crate::bus::{Bus, Event, Look, Mailbox, Options, Overflow, Pattern, Registered, Sink, Subscriber, canonical};
use crate::slot::Core;
use crate::status::EventCounts;

pub(crate) use wanted::Wanted;

/// Most subscriptions of one plugin.
const SUBSCRIPTIONS: usize = 1024;

/// A plugin's inbox. It stays with the plugin; subscriptions go with the generation, or on to the next one.
pub(crate) struct Inbox {
    pub(crate) subscriber: Arc<Subscriber>,
    life: Mutex<Life>,
    pumped: AtomicBool,
    processed: AtomicU64,
    errors: AtomicU64,
    last_activity: Mutex<Option<Timestamp>>,
}

#[derive(Default)]
struct Life {
    /// The generation whose subscriptions count; 0 while there is none.
    generation: u64,
    /// The latest generation that has ended.
    ended: u64,
    active: Vec<Active>,
    /// What a generation asks for that is not in use yet.
    staged: Vec<(u64, Wanted)>,
    /// Being handled just now.
    current: Option<Arc<Event>>,
    /// Whoever waits for the plugin to run.
    waiting: Option<Waker>,
    kicked: bool,
}

struct Active {
    wanted: Wanted,
    /// Held for what it does when it goes.
    _registered: Registered,
}

impl Inbox {
    pub(crate) fn new(core: &Arc<Core>) -> Self {
        let door = Arc::clone(core);
        // Whoever waits for the answer cannot be the one to give it.
        let refuse = move |event: &Event| {
            let caller = event.ask.as_ref().and_then(|ask| ask.caller.as_ref());
            match (caller, door.generation()) {
                (Some(caller), Some(generation)) => generation.refuse_cycle(caller),
                _ => Ok(()),
            }
        };
        let mailbox = Mailbox::new(defaults::QUEUE_PER_SUBSCRIBER, Overflow::DropOldest);
        mailbox.shut();
        Self {
            subscriber: Arc::new(Subscriber::queueing(core.id.as_str(), mailbox, Some(Box::new(refuse)))),
            life: Mutex::default(),
            pumped: AtomicBool::new(false),
            processed: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            last_activity: Mutex::default(),
        }
    }

    /// How many events may wait from here on.
    pub(crate) fn resize(&self, most: usize) {
        if let Sink::Mailbox(mailbox) = &self.subscriber.sink {
            mailbox.resize(most);
        }
    }

    /// Adds a subscription of a generation. One on the same topic takes the place of an earlier one. What a generation asks
    /// for that is still being made ready beside another counts once it is the one in use.
    pub(crate) fn subscribe(&self, bus: &Bus, generation: u64, wanted: Wanted) -> Result<()> {
        Pattern::parse(&wanted.topic)?;
        let mut life = self.life();
        if generation <= life.ended || generation < life.generation {
            return Err(Error::new(Code::NotRunning, "this version of the plugin is no longer in use"));
        }
        if life.active.len() + life.staged.len() >= SUBSCRIPTIONS {
            return Err(Error::new(Code::LimitExceeded, format!("a plugin has at most {SUBSCRIPTIONS} subscriptions"))
                .remedy("subscribe to a pattern that covers several topics")
                .with("which", "subscriptions")
                .with("limit", SUBSCRIPTIONS));
        }
        if generation > life.generation {
            life.staged.retain(|(of, known)| (*of, &known.topic) != (generation, &wanted.topic));
            life.staged.push((generation, wanted));
            return Ok(());
        }
        self.activate(bus, &mut life, wanted)
    }

    fn activate(&self, bus: &Bus, life: &mut Life, wanted: Wanted) -> Result<()> {
        if life.active.iter().any(|active| active.wanted.says() == wanted.says()) {
            // Every instance of a pool asks for the same.
            return Ok(());
        }
        let (group, filter) = (wanted.group.as_deref().map(Arc::from), wanted.filter.as_ref());
        let options = Options { group, filter: filter.map(|(filter, _)| Arc::clone(filter)), ..Options::new() };
        let _registered = bus.register(&wanted.topic, &options, &self.subscriber)?;
        life.active.retain(|active| active.wanted.topic != wanted.topic);
        life.active.push(Active { wanted, _registered });
        Ok(())
    }

    /// Ends a subscription.
    pub(crate) fn unsubscribe(&self, generation: u64, topic: &str) {
        let topic = canonical(topic);
        let mut life = self.life();
        life.staged.retain(|(of, known)| *of != generation || known.topic != topic);
        if life.generation == generation {
            life.active.retain(|active| active.wanted.topic != topic);
        }
    }

    /// A generation is being made ready, with none beside it: what comes from here on waits for it.
    pub(crate) fn expect(&self, generation: u64) {
        self.life().generation = generation;
        self.open();
    }

    /// A next generation is in use: it has the subscriptions of the one before and its own.
    pub(crate) fn succeed(&self, bus: &Bus, generation: u64) {
        let mut life = self.life();
        life.ended = life.ended.max(life.generation);
        life.generation = generation;
        for (_, wanted) in std::mem::take(&mut life.staged).into_iter().filter(|(of, _)| *of == generation) {
            if let Err(error) = self.activate(bus, &mut life, wanted) {
                tracing::warn!(plugin = %self.subscriber.name, %error, "a subscription was not carried over");
            }
        }
        drop(life);
        self.kick();
    }

    /// The next generation did not come to be.
    pub(crate) fn unstage(&self) {
        self.life().staged.clear();
    }

    /// The generation is gone, and its subscriptions and events with it.
    pub(crate) fn end(&self) {
        let mut life = self.life();
        let latest = life.staged.iter().map(|(of, _)| *of).max().unwrap_or(0);
        life.ended = life.ended.max(life.generation).max(latest);
        life.generation = 0;
        life.staged.clear();
        life.active.clear();
        drop(life);
        self.shut();
    }

    /// Takes events from here on; they wait until the plugin runs.
    pub(crate) fn open(&self) {
        self.with_mailbox(Mailbox::open);
    }

    /// Takes none.
    pub(crate) fn shut(&self) {
        self.with_mailbox(Mailbox::shut);
    }

    /// The plugin is gone for good.
    pub(crate) fn retire(&self) {
        self.shut();
        self.subscriber.end();
        self.kick();
    }

    /// True once: whoever gets it has to see to it that events are handed on.
    pub(crate) fn wants_a_pump(&self) -> bool {
        !self.pumped.swap(true, Ordering::AcqRel)
    }

    /// Ready when an event waits, or, with false, when there will be none.
    pub(crate) fn poll_ready(&self, context: &mut Context<'_>) -> Poll<bool> {
        match &self.subscriber.sink {
            Sink::Mailbox(mailbox) => mailbox.poll_ready(context),
            Sink::Callback(_) => Poll::Ready(false),
        }
    }

    /// Ready when the plugin may have begun to run since this was ready last.
    pub(crate) fn poll_kicked(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut life = self.life();
        if std::mem::take(&mut life.kicked) {
            return Poll::Ready(());
        }
        life.waiting = Some(context.waker().clone());
        Poll::Pending
    }

    /// The plugin runs, or is gone.
    pub(crate) fn kick(&self) {
        let mut life = self.life();
        life.kicked = true;
        let waiting = life.waiting.take();
        drop(life);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Takes the next event, to be ended with [`Inbox::handled`].
    pub(crate) fn begin(&self) -> Option<Arc<Event>> {
        let Sink::Mailbox(mailbox) = &self.subscriber.sink else { return None };
        let event = mailbox.take()?;
        self.life().current = Some(Arc::clone(&event));
        Some(event)
    }

    /// Notes how the event that was begun last ended, and answers it where somebody waits. False when somebody noted
    /// that already, because it took too long.
    pub(crate) fn handled(&self, event: &Arc<Event>, done: Result<Vec<u8>>) -> bool {
        let current = self.life().current.take_if(|current| Arc::ptr_eq(current, event));
        current.is_some_and(|event| {
            self.note(&event, done);
            true
        })
    }

    /// Whatever is being handled just now will not end.
    pub(crate) fn abandoned(&self, error: Error) {
        let current = self.life().current.take();
        if let Some(event) = current {
            self.note(&event, Err(error));
        }
    }

    /// The event that was begun last is not for the plugin.
    pub(crate) fn withheld(&self) {
        self.life().current = None;
    }

    fn note(&self, event: &Event, done: Result<Vec<u8>>) {
        self.processed.fetch_add(1, Ordering::Relaxed);
        *self.last_activity.lock().unwrap_or_else(PoisonError::into_inner) = Some(Timestamp::now());
        match done {
            Ok(answer) => {
                if let Some(ask) = &event.ask {
                    ask.heard(answer);
                }
            }
            Err(error) => {
                self.errors.fetch_add(1, Ordering::Relaxed);
                event.refuse(error);
            }
        }
    }

    pub(crate) fn counts(&self) -> EventCounts {
        let tally = match &self.subscriber.sink {
            Sink::Mailbox(mailbox) => mailbox.tally(Look::Leave),
            Sink::Callback(_) => return EventCounts::default(),
        };
        EventCounts {
            subscriptions: self.life().active.iter().map(|active| active.wanted.topic.clone()).collect(),
            processed: self.processed.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
            dropped: tally.dropped,
            waiting: tally.waiting,
            last_activity: *self.last_activity.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    fn with_mailbox(&self, act: impl FnOnce(&Mailbox)) {
        if let Sink::Mailbox(mailbox) = &self.subscriber.sink {
            act(mailbox);
        }
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
