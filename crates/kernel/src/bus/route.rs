//! A route: who receives the events of one topic, looked up once and shared by all its publishers until somebody comes
//! or goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::event::Event;
use super::filter::Filter;
use super::overflow::Offer;
use super::room::Pending;
use super::subscriber::{Sink, Subscriber};

/// Who receives the events of one topic.
pub(crate) struct Route {
    /// Somebody came or went: look the topic up again.
    pub(crate) stale: AtomicBool,
    /// Events sent along this route. Listeners without a filter got every one of them, and are counted so.
    pub(crate) published: AtomicU64,
    /// Whether the registry keeps this route; the events of one that it does not keep are counted elsewhere.
    pub(crate) kept: bool,
    pub(crate) listeners: Box<[Member]>,
    mailboxes: Box<[Member]>,
    groups: Box<[Group]>,
}

/// A subscriber on a route.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) subscriber: Arc<Subscriber>,
    /// Passing one of them will do; with none everything passes.
    pub(crate) filters: Vec<Arc<Filter>>,
}

/// Members of which one gets each event: whoever has had none for longest. A turn kept here would begin anew with every
/// topic, and whenever somebody comes or goes.
pub(crate) struct Group {
    pub(crate) name: Arc<str>,
    pub(crate) members: Vec<Member>,
    /// Counts the events of all groups.
    pub(crate) clock: Arc<AtomicU64>,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Subscribers that got it: a callback that ran, a queue that it stands in.
    pub delivered: usize,
    /// Subscribers that did not, and older events that gave way to it.
    pub dropped: usize,
}

impl Member {
    pub(crate) fn passes(&self, event: &Event) -> bool {
        if self.filters.is_empty() || self.filters.iter().any(|filter| filter.passes(event)) {
            return true;
        }
        self.subscriber.filtered.fetch_add(1, Ordering::Relaxed);
        false
    }
}

impl Route {
    pub(crate) fn new(members: Vec<Member>, groups: Vec<Group>, kept: bool) -> Self {
        let calls = |member: &Member| matches!(member.subscriber.sink, Sink::Callback(_));
        let (listeners, mailboxes): (Vec<Member>, Vec<Member>) = members.into_iter().partition(calls);
        Self {
            stale: AtomicBool::new(false),
            published: AtomicU64::new(0),
            kept,
            listeners: listeners.into(),
            mailboxes: mailboxes.into(),
            groups: groups.into(),
        }
    }

    /// Whether events along this route have to be kept for somebody.
    #[inline]
    pub(crate) fn has_waiting(&self) -> bool {
        !self.mailboxes.is_empty() || !self.groups.is_empty()
    }

    /// Calls the listeners.
    #[inline]
    pub(crate) fn call(&self, event: &Event, receipt: &mut Receipt) {
        for member in &self.listeners {
            let Sink::Callback(listener) = &member.subscriber.sink else { continue };
            let whole = self.kept && member.filters.is_empty();
            if !whole && !member.passes(event) {
                continue;
            }
            let called = listener.call(event);
            receipt.delivered += usize::from(called);
            if called != whole {
                listener.delivered.fetch_add(if called { 1 } else { u64::MAX }, Ordering::Relaxed);
            }
        }
    }

    /// Lays the event into the mailboxes and gives it to one of each group, but for some who get it in another way. Those
    /// for whose room its publisher has to wait come back.
    pub(crate) fn post(
        &self,
        event: &Arc<Event>,
        patient: bool,
        but: &[Arc<Subscriber>],
        receipt: &mut Receipt,
    ) -> Pending {
        let mut pending = Pending::new();
        let left_out = |member: &Member| but.iter().any(|other| Arc::ptr_eq(other, &member.subscriber));
        for member in &self.mailboxes {
            if (!member.filters.is_empty() && !member.passes(event)) || left_out(member) {
                continue;
            }
            let Sink::Mailbox(mailbox) = &member.subscriber.sink else { continue };
            match member.subscriber.admit(event, |event| mailbox.offer(event, patient)) {
                Offer::Full => pending.push(vec![Arc::clone(&member.subscriber)]),
                offer => receipt.note(offer),
            }
        }
        for group in &self.groups {
            let full = group.post(event, patient, &left_out, receipt);
            pending.extend(Some(full).filter(|full| !full.is_empty()));
        }
        pending
    }
}

impl Group {
    /// Gives the event to the next in turn that has room: in one step, since others may fill it. When nobody has, those come
    /// back for whom its publisher waits, or else the next in turn gets it all the same.
    fn post(
        &self,
        event: &Arc<Event>,
        patient: bool,
        left_out: &dyn Fn(&Member) -> bool,
        receipt: &mut Receipt,
    ) -> Vec<Arc<Subscriber>> {
        let wanting = |member: &&Member| !left_out(member) && member.passes(event);
        let mut wants: Vec<&Member> = self.members.iter().filter(wanting).collect();
        wants.sort_by_key(|member| member.subscriber.served.load(Ordering::Relaxed));
        if wants.iter().any(|member| self.done(member, member.subscriber.hand_if_room(event), receipt)) {
            return Vec::new();
        }
        let mut waits = Vec::new();
        for member in wants {
            if !waits.is_empty() && !member.subscriber.may_be_waited_for() {
                continue;
            }
            match member.subscriber.hand(event, patient) {
                Offer::Full => waits.push(Arc::clone(&member.subscriber)),
                offer if self.done(member, offer, receipt) => return Vec::new(),
                _ => {}
            }
        }
        waits
    }

    /// Notes what became of the event at a member. False when it is still to be given to somebody.
    fn done(&self, member: &Member, offer: Offer, receipt: &mut Receipt) -> bool {
        if matches!(offer, Offer::Closed | Offer::Full) {
            return false;
        }
        let now = self.clock.fetch_add(1, Ordering::Relaxed) + 1;
        member.subscriber.served.store(now, Ordering::Relaxed);
        receipt.note(offer);
        true
    }
}

impl Receipt {
    pub(crate) fn note(&mut self, offer: Offer) {
        match offer {
            Offer::Taken => self.delivered += 1,
            Offer::TookThePlace(older) => {
                self.delivered += 1;
                self.dropped += older;
            }
            Offer::Dropped => self.dropped += 1,
            Offer::Full | Offer::Closed => {}
        }
    }
}
