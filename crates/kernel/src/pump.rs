//! Hands a plugin the events that wait for it: in order, each in a turn of its own among its calls.

use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::time::Instant;

use midplane_contract::{Hook, Result, State};

use crate::bus::{Ask, Event, Message, Receipt};
use crate::call::{Deadline, Scope};
use crate::generation::Generation;
use crate::hooks::{Hooks, on_a_thread};
use crate::inbox::Inbox;
use crate::kernel::Inner;
use crate::plugin::Plugin;
use crate::runtime::{Condition, Instance};
use crate::slot::Core;
use crate::tasks;
use crate::turn::{Turn, acquire_behind};

/// Events handed over in one turn while nobody else waits for one: going from thread to thread costs more than a small
/// plugin takes for an event.
const IN_ONE_TURN: usize = 32;

/// Sees to it that a plugin gets its events.
pub(crate) fn ensure(kernel: &Arc<Inner>, plugin: &Arc<Plugin>) {
    if plugin.inbox.wants_a_pump() {
        tasks::spawn(pump(Arc::downgrade(kernel), Arc::downgrade(plugin), Arc::clone(&plugin.inbox)));
    }
}

/// See [`crate::Kernel::broadcast`].
pub(crate) fn broadcast(kernel: &Arc<Inner>, message: Message) -> Result<Receipt> {
    let mut also = Vec::new();
    for plugin in kernel.plugins() {
        let here = matches!(
            plugin.state(),
            State::Loading | State::Loaded | State::Starting | State::Running | State::Updating
        );
        // What is still loading has no code yet that could be asked.
        if here && plugin.slot.core.generation().is_none_or(|generation| generation.has(Hook::Event)) {
            ensure(kernel, &plugin);
            also.push(Arc::clone(&plugin.inbox.subscriber));
        }
    }
    kernel.bus.send_also(message.broadcast(), &also)
}

async fn pump(kernel: Weak<Inner>, plugin: Weak<Plugin>, inbox: Arc<Inbox>) {
    while poll_fn(|context| inbox.poll_ready(context)).await {
        let Some(core) = plugin.upgrade().map(|plugin| Arc::clone(&plugin.slot.core)) else { return };
        // However many calls wait, one place for events is among them.
        match acquire_behind(&core, Some(usize::MAX)).await {
            Ok(turn) => {
                let Some(plugin) = plugin.upgrade() else { return };
                hand_over(Weak::clone(&kernel), plugin, turn).await;
            }
            // It does not run yet, or no longer.
            Err(_) => poll_fn(|context| inbox.poll_kicked(context)).await,
        }
    }
}

async fn hand_over(kernel: Weak<Inner>, plugin: Arc<Plugin>, mut turn: Turn) {
    let (Some(generation), Some(instance)) = (turn.generation(), turn.take()) else { return };
    let inbox = Arc::clone(&plugin.inbox);
    let (core, time) = (Arc::clone(&plugin.slot.core), generation.times.hook);
    let batch = Batch { kernel, plugin, generation, core };
    let signed = Arc::clone(&batch.generation);
    match on_a_thread(time, move |hooks| batch.run(hooks, instance)).await {
        Ok(instance) => turn.give(Some(instance)),
        Err(error) => inbox.abandoned(signed.sign(error)),
    }
}

/// What one turn hands over.
struct Batch {
    /// Not held: whoever drops a kernel takes its plugins with it.
    kernel: Weak<Inner>,
    plugin: Arc<Plugin>,
    generation: Arc<Generation>,
    core: Arc<Core>,
}

impl Batch {
    fn run(&self, hooks: &Hooks, mut instance: Box<dyn Instance>) -> Box<dyn Instance> {
        let inbox = &self.plugin.inbox;
        for number in 0..IN_ONE_TURN {
            let others_wait = number > 0 && !self.core.berth().queue.is_empty();
            if others_wait || hooks.is_abandoned() || !matches!(instance.condition(), Condition::Ready) {
                break;
            }
            let Some(event) = inbox.begin() else { break };
            if !self.may_have(&event) {
                inbox.withheld();
                continue;
            }
            let done = self.handle(hooks, instance.as_mut(), &event);
            if !inbox.handled(&event, done) {
                break;
            }
        }
        instance
    }

    /// What was granted when a plugin subscribed to a pattern may not reach to every topic of it, or no longer.
    fn may_have(&self, event: &Event) -> bool {
        let late = |ask: &Ask| ask.deadline <= Instant::now();
        if !self.generation.has(Hook::Event) || event.ask.as_deref().is_some_and(late) {
            return false;
        }
        let granted = |kernel: Arc<Inner>| kernel.may_receive(&self.plugin.id, event.topic());
        event.broadcast || self.kernel.upgrade().is_some_and(granted)
    }

    fn handle(&self, hooks: &Hooks, instance: &mut dyn Instance, event: &Event) -> Result<Vec<u8>> {
        let ask = event.ask.as_deref();
        let scope = Scope {
            caller: ask.and_then(|ask| ask.caller.clone()),
            deadline: ask.map_or(Deadline::After(self.generation.times.hook), |ask| Deadline::At(ask.deadline)),
            trace: event.trace.clone(),
        };
        let done = hooks.run_as(instance, Hook::Event, event.json(), scope);
        done.map(Option::unwrap_or_default).map_err(|error| {
            let error = self.generation.sign(error);
            tracing::warn!(plugin = %self.plugin.id, topic = event.topic(), %error, "the event hook failed");
            self.plugin.life().last_error = Some(error.clone());
            error
        })
    }
}
