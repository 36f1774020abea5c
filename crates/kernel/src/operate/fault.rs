//! What becomes of a plugin that failed.

use std::sync::Arc;

use futures_lite::future::block_on;
use midplane_contract::{Code, Error};
use serde_json::json;

use super::{announce, retire};
use crate::availability;
use crate::kernel::Inner;
use crate::lifecycle::Event;
use crate::plugin::Plugin;
use crate::tasks;

/// Marks a plugin as failed, refuses its callers with the cause, and clears away what is left of it. Says whether it
/// had not failed before: then nothing is done.
pub(crate) fn fail(kernel: &Arc<Inner>, plugin: &Arc<Plugin>, cause: &Error) -> bool {
    if !plugin.fail(cause) {
        return false;
    }
    let why = Error::new(Code::NotRunning, format!("the plugin has failed: {}", cause.record().message))
        .remedy("mend the cause, then restart it");
    close(kernel, plugin, "plugin.failed", why, cause);
    true
}

/// Refuses the callers of a plugin that has ended by itself, tells everybody, and clears away what is left of it.
pub(super) fn close(kernel: &Arc<Inner>, plugin: &Arc<Plugin>, event_type: &str, why: Error, cause: &Error) {
    plugin.slot.core.close(why.because(cause).with("cause_code", cause.code().as_str()));
    plugin.inbox.end();
    announce(kernel, event_type, plugin, json!({ "error": cause }));
    availability::changed(kernel, &plugin.id);
    clear_away(plugin);
}

/// Ends the generation in use in the background, without hooks.
fn clear_away(plugin: &Arc<Plugin>) {
    // Taken now, not when the thread runs: by then the berth may hold a next generation.
    let number = plugin.slot.core.current();
    if let Some(generation) = plugin.slot.core.generation() {
        let plugin = Arc::clone(plugin);
        let end = move || block_on(retire::retire(&plugin, number, generation, retire::LastHooks::None));
        tasks::apart(end);
    }
}

/// Marks a plugin as quarantined.
pub(crate) fn quarantine(kernel: &Arc<Inner>, plugin: &Arc<Plugin>, cause: &Error) {
    if plugin.advance(Event::Quarantine).is_ok() {
        announce(kernel, "plugin.quarantined", plugin, json!({ "error": cause }));
        availability::changed(kernel, &plugin.id);
    }
}
