//! Calling an action by its name alone.

use std::sync::Arc;

use midplane_contract::{ActionName, Code, Error, Result};

use super::rule::Target;
use super::table::of_action;
use crate::action::CallOptions;
use crate::kernel::Inner;
use crate::services::{Choice, Service};

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
    let mut latest = None;
    for row in of_action(kernel, action.as_str()) {
        match call(kernel, &row.to, action, &input, &options).await {
            Err(error) if matches!(error.code(), Code::NotRunning | Code::NotLoaded | Code::PluginNotFound) => {
                latest = Some(error);
            }
            done => return done,
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
) -> Result<Vec<u8>> {
    match to {
        Target::Plugin { plugin, action } => {
            let action = kernel.slot_of(plugin)?.action(action.as_ref().unwrap_or(called).as_str())?;
            action.call_with(input, options.clone()).await
        }
        Target::Service { service, version, action } => {
            let service = Service::new(Arc::downgrade(kernel), service, version.clone(), Choice::LeastInFlight);
            service.call_with(action.as_ref().unwrap_or(called).as_str(), input, options.clone()).await
        }
    }
}

fn nobody(action: &ActionName) -> Error {
    Error::new(Code::ActionNotFound, format!("nobody who runs answers `{action}`"))
        .remedy("load a plugin that offers it, or add a route")
        .with("action", action.as_str())
}
