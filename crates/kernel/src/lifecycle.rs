//! The lifecycle of a plugin: one table. Nothing changes a state but [`next`].

use midplane_contract::State;

/// What happens to a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The host takes it into its list.
    Register,
    /// Its dependencies are settled and it is about to be loaded.
    Resolve,
    /// Loading begins.
    Load,
    /// Its code says that it needs more than was known: it is put back until that runs.
    Postpone,
    /// Code is loaded and every instance has been initialized.
    Initialized,
    /// Starting begins.
    Start,
    /// Its `start` hook has returned.
    Started,
    /// Stopping begins.
    Stop,
    /// Its `stop` hook has returned.
    Stopped,
    /// A next version is being prepared beside it.
    Update,
    /// That has ended, well or badly; one of the two versions answers.
    Updated,
    /// Its other side has gone away: a peer that had connected to the host.
    Lost,
    /// Unloading begins.
    Unload,
    /// Its code is gone.
    Unloaded,
    /// Something went wrong.
    Fail,
    /// It failed too often.
    Quarantine,
    /// An operator lets it out of quarantine.
    Release,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 17] = [
        Self::Register,
        Self::Resolve,
        Self::Load,
        Self::Postpone,
        Self::Initialized,
        Self::Start,
        Self::Started,
        Self::Stop,
        Self::Stopped,
        Self::Update,
        Self::Updated,
        Self::Lost,
        Self::Unload,
        Self::Unloaded,
        Self::Fail,
        Self::Quarantine,
        Self::Release,
    ];
}

/// A change that the table does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a plugin that is {state} cannot {event:?}")]
pub struct Illegal {
    /// The state it is in.
    pub state: State,
    /// What was to happen.
    pub event: Event,
}

/// The state that follows. Pure.
///
/// # Errors
/// [`Illegal`] for every pair that the table does not name.
pub fn next(state: State, event: Event) -> Result<State, Illegal> {
    use State as S;
    Ok(match (state, event) {
        (S::Discovered, Event::Register) | (S::Quarantined, Event::Release) | (S::Loading, Event::Postpone) => {
            S::Registered
        }
        (S::Registered | S::Failed, Event::Resolve) => S::Resolved,
        (S::Resolved, Event::Load) => S::Loading,
        (S::Loading, Event::Initialized) => S::Loaded,
        (S::Loaded | S::Stopped, Event::Start) => S::Starting,
        (S::Starting, Event::Started) => S::Running,
        (S::Running, Event::Stop) => S::Stopping,
        (S::Stopping, Event::Stopped) => S::Stopped,
        (S::Running, Event::Update) => S::Updating,
        (S::Updating, Event::Updated) => S::Running,
        // While it is started or stopped, whoever does that finds out.
        (S::Loaded | S::Running | S::Updating | S::Stopped, Event::Lost) => S::Stopped,
        (S::Loaded | S::Stopped | S::Failed | S::Quarantined, Event::Unload) => S::Unloading,
        (S::Unloading, Event::Unloaded) => S::Registered,
        // A quarantined plugin stays so, whatever else goes wrong with it.
        (S::Quarantined, Event::Fail) => S::Quarantined,
        (_, Event::Fail) => S::Failed,
        (_, Event::Quarantine) => S::Quarantined,
        (state, event) => return Err(Illegal { state, event }),
    })
}

#[cfg(test)]
mod tests;
