//! One instance of a plugin, as backends drive it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::backend::{Backend, Sink};
use crate::hook::Hook;
use crate::info::{Identity, Stamp};
use crate::payload::{Json, Output};
use crate::{Context, Definition, Error, Plugin, Reply};

/// One instance: the author's value, its definition, and what the host said about it.
#[derive(Debug)]
pub struct Running<P> {
    plugin: P,
    definition: Definition<P>,
    identity: Identity,
}

/// Why a call or hook failed.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// The plugin's own error.
    Error(Error),
    /// The plugin's code panicked; what it said. The instance is of no use any longer.
    Panicked(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl<P: Plugin> Running<P> {
    /// Makes an instance. No hook has run on it yet.
    ///
    /// # Errors
    /// [`Failure::Panicked`] when the author's `define` or `default` panics.
    pub fn new(identity: Identity, stamp: Stamp) -> Result<Self, Failure> {
        let made = catch_unwind(|| (P::default(), P::define()));
        let (plugin, mut definition) = made.map_err(|panic| Failure::Panicked(said(panic.as_ref())))?;
        stamp.fill(&mut definition.info);
        Ok(Self { plugin, definition, identity })
    }

    /// The names of the actions; a position in this list is an action's number.
    pub fn action_names(&self) -> impl Iterator<Item = &str> {
        self.definition.info.actions.iter().map(|action| action.name.as_str())
    }

    /// The number of an action.
    #[must_use]
    pub fn resolve(&self, name: &str) -> Option<u32> {
        let position = self.action_names().position(|known| known == name)?;
        u32::try_from(position).ok()
    }

    /// Whether the plugin has the hook. `info` it always has.
    #[must_use]
    pub fn has(&self, hook: Hook) -> bool {
        self.definition.has(hook)
    }

    /// What the plugin says of itself.
    #[must_use]
    pub fn info(&self) -> &crate::Info {
        &self.definition.info
    }

    /// Runs an action.
    ///
    /// # Errors
    /// The plugin's own error (`action_not_found` for a number that no action has), or its panic.
    #[inline]
    pub fn call(
        &mut self,
        action: u32,
        input: &[u8],
        sink: &mut dyn Sink,
        backend: &dyn Backend,
    ) -> Result<(), Failure> {
        let Some(run) = self.definition.actions.get(action as usize) else {
            return Err(no_such_action(action));
        };
        let context = Context::new(backend, &self.identity, self.definition.info.actions.get(action as usize));
        let plugin = &mut self.plugin;
        // The host drops an instance that panicked, so nobody sees a value that was left half changed.
        guarded(AssertUnwindSafe(|| run(plugin, input, &mut Reply::new(sink), &context)))
    }

    /// Runs a hook; `false` means that the plugin has none of that kind.
    ///
    /// # Errors
    /// The plugin's own error, or its panic.
    pub fn hook(
        &mut self,
        hook: Hook,
        input: &[u8],
        sink: &mut dyn Sink,
        backend: &dyn Backend,
    ) -> Result<bool, Failure> {
        if hook == Hook::Info {
            Json(&self.definition.info).write(&mut Reply::new(sink))?;
            return Ok(true);
        }
        let Some(Some(run)) = self.definition.hooks.get(hook as usize) else { return Ok(false) };
        let context = Context::new(backend, &self.identity, None);
        let plugin = &mut self.plugin;
        guarded(AssertUnwindSafe(|| run(plugin, input, &mut Reply::new(sink), &context)))?;
        Ok(true)
    }
}

#[inline]
fn guarded(run: AssertUnwindSafe<impl FnOnce() -> Result<(), Error>>) -> Result<(), Failure> {
    match catch_unwind(run) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Failure::Error(error)),
        Err(panic) => Err(Failure::Panicked(said(panic.as_ref()))),
    }
}

#[cold]
fn no_such_action(action: u32) -> Failure {
    Failure::Error(Error::new("action_not_found", format!("no action has the number {action}")))
}

#[cold]
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic that carried no text").to_owned()
}
