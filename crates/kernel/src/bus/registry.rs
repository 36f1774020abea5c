//! Who subscribes to what, and the routes that follow from it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::filter::Filter;
use super::retained::{Judged, Retained, Values};
use super::route::{Group, Member, Route};
use super::stats::Look;
use super::subscriber::{Options, Sink, Subscriber};
use super::topic::Pattern;

/// Topics whose routes and counts are kept at most. Events of further ones are routed anew each time and counted together.
pub const TOPICS: usize = 16_384;

/// Who subscribes to what.
#[derive(Default)]
pub(crate) struct Registry {
    topics: HashMap<Arc<str>, Topic>,
    pub(crate) registrations: Vec<Registration>,
    pub(crate) retained: Retained,
    pub(crate) ended: bool,
    numbers: u64,
    /// Counts the events of groups.
    clock: Arc<AtomicU64>,
    /// What is gone. Dropping it drops callbacks of others, and with them whatever those hold, subscriptions among it:
    /// never while the registry is locked.
    pub(crate) gone: Vec<Gone>,
}

/// What is no longer in the registry.
pub(crate) enum Gone {
    Registration { _it: Registration },
    Route { _it: Route },
}

/// One pattern of one subscriber.
pub(crate) struct Registration {
    number: u64,
    pub(crate) pattern: Pattern,
    pub(crate) group: Option<Arc<str>>,
    pub(crate) filter: Option<Arc<Filter>>,
    pub(crate) subscriber: Arc<Subscriber>,
}

/// What routes have counted.
#[derive(Default)]
pub(crate) struct Counts {
    /// Events by topic.
    pub(crate) published: BTreeMap<String, u64>,
    /// Events that came to listeners along routes.
    pub(crate) brought: HashMap<*const Subscriber, u64>,
}

#[derive(Default)]
struct Topic {
    current: Option<Arc<Route>>,
    /// Routes that publishers may still be on.
    retired: Vec<Arc<Route>>,
    /// Events of routes that are gone.
    published: AtomicU64,
}

impl Registry {
    /// Adds a registration. What is retained for it comes back, oldest first: nothing that is published from here on is
    /// among it, and nothing is missing between the two.
    ///
    /// # Errors
    /// Retained values that its filter has not been asked about; then nothing was added.
    pub(crate) fn add(
        &mut self,
        pattern: &Pattern,
        options: &Options,
        subscriber: &Arc<Subscriber>,
        judged: &Judged,
    ) -> Result<(u64, Values), Values> {
        let (group, filter) = (options.group.clone(), options.filter.clone());
        let retained = if group.is_none() { self.retained.matching(pattern) } else { Vec::new() };
        let retained = if filter.is_some() { judged.passing(retained)? } else { retained };
        self.numbers += 1;
        let number = self.numbers;
        self.sweep();
        self.touch(pattern);
        let (pattern, subscriber) = (pattern.clone(), Arc::clone(subscriber));
        self.registrations.push(Registration { number, pattern, group, filter, subscriber });
        Ok((number, retained))
    }

    /// Ends a registration.
    pub(crate) fn remove(&mut self, number: u64) {
        let Some(place) = self.registrations.iter().position(|registration| registration.number == number) else {
            return;
        };
        let gone = self.registrations.remove(place);
        self.touch(&gone.pattern);
        self.gone.push(Gone::Registration { _it: gone });
    }

    /// Ends those of subscribers that were disconnected.
    fn sweep(&mut self) {
        let (gone, left) = std::mem::take(&mut self.registrations)
            .into_iter()
            .partition::<Vec<_>, _>(|registration| registration.subscriber.is_ended());
        self.registrations = left;
        gone.iter().for_each(|registration| self.touch(&registration.pattern));
        self.gone.extend(gone.into_iter().map(|registration| Gone::Registration { _it: registration }));
    }

    /// Has every route be looked up again that a pattern leads along.
    fn touch(&mut self, pattern: &Pattern) {
        for (name, topic) in &mut self.topics {
            if pattern.matches(name)
                && let Some(route) = topic.current.take()
            {
                route.stale.store(true, Ordering::Release);
                topic.retired.push(route);
                topic.fold(&mut self.gone);
            }
        }
    }

    /// The route of a topic, if it has been looked up before.
    pub(crate) fn known(&self, topic: &str) -> Option<Arc<Route>> {
        self.topics.get(topic)?.current.clone()
    }

    /// The route of a topic.
    pub(crate) fn route(&mut self, topic: &str) -> Arc<Route> {
        if let Some(route) = self.known(topic) {
            return route;
        }
        let kept = self.topics.contains_key(topic) || self.topics.len() < TOPICS;
        let route = Arc::new(self.build(topic, kept));
        if kept {
            self.topics.entry(topic.into()).or_default().current = Some(Arc::clone(&route));
        } else {
            // Nobody would say when somebody comes or goes.
            route.stale.store(true, Ordering::Relaxed);
        }
        route
    }

    fn build(&self, topic: &str, kept: bool) -> Route {
        let (mut members, mut groups): (Vec<Member>, Vec<Group>) = (Vec::new(), Vec::new());
        for registration in self.registrations.iter().filter(|registration| registration.pattern.matches(topic)) {
            let Registration { group, filter, subscriber, .. } = registration;
            let known = match group {
                None => &mut members,
                Some(name) => {
                    let place = groups.iter().position(|group| group.name == *name).unwrap_or(groups.len());
                    if place == groups.len() {
                        let (name, clock) = (Arc::clone(name), Arc::clone(&self.clock));
                        groups.push(Group { name, members: Vec::new(), clock });
                    }
                    let Some(group) = groups.get_mut(place) else { continue };
                    &mut group.members
                }
            };
            join(known, subscriber, filter.as_ref());
        }
        Route::new(members, groups, kept)
    }

    /// Ends every subscription.
    pub(crate) fn end(&mut self) {
        self.ended = true;
        for topic in self.topics.values() {
            topic.current.iter().for_each(|route| route.stale.store(true, Ordering::Release));
        }
        self.registrations.iter().for_each(|registration| registration.subscriber.end());
    }

    /// What the routes have counted, each looked at once. Of topics beyond the kept ones nothing is known here.
    pub(crate) fn counts(&self, look: Look) -> Counts {
        let mut counts = Counts::default();
        for (name, topic) in &self.topics {
            let mut of_topic = look.at(&topic.published);
            for route in topic.retired.iter().chain(&topic.current) {
                let count = look.at(&route.published);
                of_topic = of_topic.wrapping_add(count);
                for member in route.listeners.iter().filter(|member| member.filters.is_empty()) {
                    let brought = counts.brought.entry(Arc::as_ptr(&member.subscriber)).or_default();
                    *brought = brought.wrapping_add(count);
                }
            }
            if of_topic > 0 {
                counts.published.insert(name.to_string(), of_topic);
            }
        }
        counts
    }

    /// Every subscriber with its patterns.
    pub(crate) fn subscribers(&self) -> Vec<(Arc<Subscriber>, Vec<&Registration>)> {
        let mut known: Vec<(Arc<Subscriber>, Vec<&Registration>)> = Vec::new();
        let mut places: HashMap<*const Subscriber, usize> = HashMap::new();
        for registration in self.registrations.iter().filter(|registration| !registration.subscriber.is_ended()) {
            let subscriber = &registration.subscriber;
            let place = *places.entry(Arc::as_ptr(subscriber)).or_insert_with(|| {
                known.push((Arc::clone(subscriber), Vec::new()));
                known.len() - 1
            });
            if let Some((_, patterns)) = known.get_mut(place) {
                patterns.push(registration);
            }
        }
        known
    }
}

impl Topic {
    /// Takes over the counts of routes that no publisher is on any more.
    fn fold(&mut self, gone: &mut Vec<Gone>) {
        for route in std::mem::take(&mut self.retired) {
            match Arc::try_unwrap(route) {
                Ok(route) => {
                    let count = route.published.load(Ordering::Acquire);
                    *self.published.get_mut() = self.published.get_mut().wrapping_add(count);
                    for member in route.listeners.iter().filter(|member| member.filters.is_empty()) {
                        if let Sink::Callback(listener) = &member.subscriber.sink {
                            listener.delivered.fetch_add(count, Ordering::Relaxed);
                        }
                    }
                    gone.push(Gone::Route { _it: route });
                }
                Err(route) => self.retired.push(route),
            }
        }
    }
}

/// A subscriber whose patterns meet gets an event once.
fn join(members: &mut Vec<Member>, subscriber: &Arc<Subscriber>, filter: Option<&Arc<Filter>>) {
    match members.iter_mut().find(|member| Arc::ptr_eq(&member.subscriber, subscriber)) {
        Some(known) if known.filters.is_empty() => {}
        Some(known) => match filter {
            Some(filter) => known.filters.push(Arc::clone(filter)),
            None => known.filters.clear(),
        },
        None => {
            members.push(Member { subscriber: Arc::clone(subscriber), filters: filter.into_iter().cloned().collect() });
        }
    }
}
