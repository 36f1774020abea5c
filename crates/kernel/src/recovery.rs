//! What an embedder wants to happen when a plugin fails.

use midplane_contract::Error;

/// An embedder's answer to failures.
pub trait Strategy: Send + Sync {
    /// Takes note of a failure.
    fn handle(&self, error: &Error);

    /// Whether the plugin can be brought back; the default believes the error.
    fn can_recover(&self, error: &Error) -> bool {
        error.record().recoverable
    }

    /// What to do; the default restarts what can recover.
    fn recovery(&self, error: &Error) -> Recovery {
        if self.can_recover(error) { Recovery::Restart } else { Recovery::LeaveFailed }
    }
}

/// What to do about a plugin that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing: it stays failed, with its cause.
    LeaveFailed,
    /// Load it anew.
    Restart,
    /// Keep it from being loaded until an operator unloads it.
    Quarantine,
}
