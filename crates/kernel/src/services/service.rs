//! The handle of whoever uses an interface.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use midplane_contract::{Code, Error, PluginId, Result, VersionRange};

use super::choice::Choice;
use super::provider::{Candidate, Provider, candidates, providers};
use crate::action::CallOptions;
use crate::attempt::{Missed, attempt};
use crate::call::Deadline;
use crate::kernel::Inner;
use crate::picker::Picker;
use crate::plugin::Plugin;

/// An interface in a range of versions, whoever provides it. Cheap to clone, never stale: each call goes to the best
/// provider of that moment.
///
/// Providers that say they are unhealthy come last; then the highest priority wins, then the nearest place (this
/// process, a worker, another machine); [`Choice`] decides among equals.
#[derive(Clone)]
pub struct Service {
    shared: Arc<Shared>,
}

struct Shared {
    kernel: Weak<Inner>,
    interface: String,
    range: VersionRange,
    choice: Choice,
    picker: Picker,
    /// The providers, and how many changes there had been when they were looked up.
    known: RwLock<Option<(u64, Arc<[Candidate]>)>>,
}

/// Counts a call while it is under way.
struct Flight(Arc<Plugin>);

impl Flight {
    fn begin(plugin: &Arc<Plugin>) -> Self {
        plugin.serving.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(plugin))
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.serving.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Service {
    pub(crate) fn new(kernel: Weak<Inner>, interface: &str, range: VersionRange, choice: Choice) -> Self {
        let (interface, picker, known) = (interface.to_owned(), Picker::new(), RwLock::default());
        Self { shared: Arc::new(Shared { kernel, interface, range, choice, picker, known }) }
    }

    /// The interface's name.
    #[must_use]
    pub fn interface(&self) -> &str {
        &self.shared.interface
    }

    /// Calls an action of the interface at the best provider.
    ///
    /// A call that has not begun, because its provider is gone or takes no more, goes on to the next provider. One that
    /// may have begun, because its provider died, does so only where the interface or the provider's manifest says that
    /// the action is idempotent.
    ///
    /// # Errors
    /// `plugin_not_found` at once where nobody provides the interface; otherwise as [`crate::Action::call`].
    pub async fn call(&self, action: &str, input: impl Into<Vec<u8>>) -> Result<Vec<u8>> {
        self.call_with(action, input, CallOptions::default()).await
    }

    /// [`Service::call`] with options. The deadline holds for all tries together.
    ///
    /// # Errors
    /// As [`Service::call`], and `call_cycle` where every provider waits for this very call.
    pub async fn call_with(&self, action: &str, input: impl Into<Vec<u8>>, options: CallOptions) -> Result<Vec<u8>> {
        self.try_all(action, &input.into(), options).await.map_err(|missed| missed.error)
    }

    /// [`Service::call_with`] that says whether anything has run.
    pub(crate) async fn try_all(&self, action: &str, input: &[u8], options: CallOptions) -> Result<Vec<u8>, Missed> {
        let options = CallOptions { deadline: options.deadline.map(Deadline::stamped), ..options };
        let (mut tried, mut latest): (Vec<PluginId>, Option<Missed>) = (Vec::new(), None);
        loop {
            let Some(candidate) = self.choose(&tried).map_err(Missed::before)? else {
                return Err(latest.unwrap_or_else(|| Missed::before(self.nobody())));
            };
            match self.attempt(&candidate, action, input, &options).await {
                Err(missed) if missed.moves_on(candidate.repeats(action)) => {
                    tried.push(candidate.plugin.id.clone());
                    latest = Some(missed);
                }
                done => return done,
            }
        }
    }

    async fn attempt(
        &self,
        to: &Candidate,
        action: &str,
        input: &[u8],
        options: &CallOptions,
    ) -> Result<Vec<u8>, Missed> {
        if let (Some(caller), Some(generation)) = (&options.caller, to.plugin.slot.core.generation()) {
            generation.refuse_cycle(caller).map_err(Missed::before)?;
        }
        let _flight = Flight::begin(&to.plugin);
        let action = to.plugin.slot.action(action).map_err(Missed::before)?;
        attempt(&action, input, options.clone()).await
    }

    /// The best of those that were not tried yet.
    fn choose(&self, tried: &[PluginId]) -> Result<Option<Candidate>> {
        let kernel = self.shared.kernel.upgrade();
        let kernel = kernel.ok_or_else(|| Error::new(Code::NotRunning, "the host is shutting down"))?;
        let known = self.known(&kernel);
        let left = || known.iter().filter(|candidate| !tried.contains(&candidate.plugin.id));
        let Some(best) = left().map(|candidate| candidate.rank).min() else { return Ok(None) };
        let equals: Vec<&Candidate> = left().filter(|candidate| candidate.rank == best).collect();
        let least = equals.iter().map(|candidate| candidate.in_flight()).min();
        let fits = |candidate: &&Candidate| {
            let fits = self.shared.choice == Choice::RoundRobin || Some(candidate.in_flight()) <= least;
            fits.then(|| Candidate::clone(candidate))
        };
        // Between the two looks all of them may have become busier.
        Ok(self.shared.picker.pick(&equals, fits).or_else(|| equals.first().map(|first| Candidate::clone(first))))
    }

    fn known(&self, kernel: &Inner) -> Arc<[Candidate]> {
        // Read before the look: a change that comes during it makes the next call look again.
        let age = kernel.services.age();
        if let Some((then, known)) = &*self.shared.known.read().unwrap_or_else(PoisonError::into_inner)
            && *then == age
        {
            return Arc::clone(known);
        }
        let fresh: Arc<[Candidate]> = candidates(kernel, &self.shared.interface, &self.shared.range).into();
        *self.shared.known.write().unwrap_or_else(PoisonError::into_inner) = Some((age, Arc::clone(&fresh)));
        fresh
    }

    /// What is said where nobody can be called; of those that are near it, why they cannot.
    fn nobody(&self) -> Error {
        let Shared { interface, range, .. } = &*self.shared;
        let kernel = self.shared.kernel.upgrade();
        let near = kernel.map(|kernel| providers(&kernel, interface, &VersionRange::any())).unwrap_or_default();
        let why = |provider: &Provider| match &provider.refused {
            Some(refused) => format!("`{}` is refused: {}", provider.plugin, refused.record().message),
            None => format!("`{}` provides it in {}", provider.plugin, provider.version),
        };
        let near: Vec<String> = near.iter().map(why).collect();
        let message = format!("nobody provides `{interface}` {range} at the moment");
        let (message, remedy) = match near.as_slice() {
            [] => (message, "load a plugin whose manifest names it under interfaces.provides"),
            near => (format!("{message}; {}", near.join("; ")), "mend that, or load another plugin that provides it"),
        };
        Error::new(Code::PluginNotFound, message)
            .remedy(remedy)
            .with("interface", interface.as_str())
            .with("range", range.to_string())
    }
}
