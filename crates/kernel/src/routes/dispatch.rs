//! Calling an action by its name alone.

use std::sync::Arc;

use midplane_contract::{ActionName, Code, Error, Result};

use super::rule::Target;
use super::table::of_action;
use crate::action::CallOptions;
use crate::attempt::{Missed, attempt};
use crate::call::Deadline;
use crate::kernel::Inner;

/// Calls an action at whoever gets it; where that one is not there any longer, at the next.
///
/// # Errors
/// `action_not_found` at once where nobody answers it; otherwise as a call of that plugin or service.
pub(crate) async fn dispatch(
    kernel: &Arc<Inner>,
    action: &ActionName,
    input: Vec<u8>,
    options: CallOptions,
) -> Result<Vec<u8>> {
    // All tries together have the time of one.
    let options = CallOptions { deadline: options.deadline.map(Deadline::stamped), ..options };
    let mut latest = None;
    for row in of_action(kernel, action.as_str()) {
        match call(kernel, &row.to, action, &input, &options).await {
            Err(missed) if missed.is_gone() => latest = Some(missed.error),
            done => return done.map_err(|missed| missed.error),
        }
    }
    Err(latest.unwrap_or_else(|| nobody(action)))
}

async fn call(
    kernel: &Arc<Inner>,
    to: &Target,
    called: &ActionName,
    input: &[u8],
    options: &CallOptions,
) -> Result<Vec<u8>, Missed> {
    match to {
        Target::Plugin { plugin, action } => {
            let name = action.as_ref().unwrap_or(called).as_str();
            let action = kernel.slot_of(plugin).and_then(|slot| slot.action(name)).map_err(Missed::before)?;
            attempt(&action, input, options.clone()).await
        }
        Target::Service { service, version, action } => {
            let service = kernel.services.handle(kernel, service, version);
            service.try_all(action.as_ref().unwrap_or(called).as_str(), input, options.clone()).await
        }
    }
}

fn nobody(action: &ActionName) -> Error {
    Error::new(Code::ActionNotFound, format!("nobody who runs answers `{action}`"))
        .remedy("load a plugin that offers it, or add a route")
        .with("action", action.as_str())
}
