//! One try of a call that somebody else could answer as well.

use midplane_contract::{Code, Error};

use crate::action::{Action, CallOptions};

/// A try that came to nothing.
pub(crate) struct Missed {
    pub(crate) error: Error,
    /// Something of the plugin may have run. An error that it let pass, of another plugin behind it, looks as if nothing had.
    begun: bool,
}

impl Missed {
    /// Nothing has run.
    pub(crate) fn before(error: Error) -> Self {
        Self { error, begun: false }
    }

    /// Whether nothing has run because whoever was called is not there any longer, or does not offer the action.
    pub(crate) fn is_gone(&self) -> bool {
        let codes = [Code::NotRunning, Code::NotLoaded, Code::PluginNotFound, Code::ActionNotFound];
        !self.begun && codes.contains(&self.error.code())
    }

    /// Whether somebody else is to be tried.
    pub(crate) fn moves_on(&self, repeats: bool) -> bool {
        match self.error.code() {
            Code::NotRunning
            | Code::NotLoaded
            | Code::PluginNotFound
            | Code::ActionNotFound
            | Code::Overloaded
            | Code::BreakerOpen
            | Code::CallCycle => !self.begun || repeats,
            Code::Crashed
            | Code::PeerGone
            | Code::Trapped
            | Code::Panicked
            | Code::MemoryLimit
            | Code::ProtocolError => repeats,
            _ => false,
        }
    }
}

/// Calls once.
pub(crate) async fn attempt(action: &Action, input: &[u8], options: CallOptions) -> Result<Vec<u8>, Missed> {
    let prepared = action.prepare(input.len(), options).await.map_err(Missed::before)?;
    prepared.run(input.to_vec()).await.map_err(|error| Missed { error, begun: true })
}
