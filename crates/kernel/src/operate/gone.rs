//! A plugin whose other side has gone away: stopped, with a record that stays, and without code until it comes again.

use std::sync::Arc;

use midplane_contract::{Code, Error, Result, State};

use super::fault;
use super::retire::{self, LastHooks};
use crate::kernel::Inner;
use crate::lifecycle::Event;
use crate::plugin::Plugin;

/// Marks a plugin as stopped because its other side is gone, refuses its callers with the cause, and clears away what is
/// left of it. Nothing is done while it is loaded, started or stopped: whoever does that meets the same error.
pub(crate) fn leave(kernel: &Arc<Inner>, plugin: &Arc<Plugin>, cause: &Error) {
    if plugin.advance(Event::Lost).is_err() {
        return;
    }
    plugin.life().last_error = Some(cause.clone());
    let why = Error::new(Code::NotRunning, format!("the plugin is gone: {}", cause.record().message))
        .remedy("it runs again when it has come again");
    fault::close(kernel, plugin, "plugin.stopped", why, cause);
}

/// Whether a plugin is stopped and has no instance that could be started.
pub(super) fn is_absent(plugin: &Plugin) -> bool {
    let core = &plugin.slot.core;
    plugin.state() == State::Stopped && (core.generation().is_none() || !core.berth().is_populated())
}

/// Makes an absent plugin one that can be loaded again.
pub(super) async fn settle(plugin: &Arc<Plugin>) -> Result<()> {
    if !is_absent(plugin) {
        return Ok(());
    }
    plugin.advance(Event::Unload)?;
    let core = &plugin.slot.core;
    if let Some(generation) = core.generation() {
        retire::retire(plugin, core.current(), generation, LastHooks::None).await;
    }
    plugin.advance(Event::Unloaded).map(drop)
}
