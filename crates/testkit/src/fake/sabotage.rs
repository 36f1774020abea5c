//! Faults that a runtime may have.

/// A fault of the runtime, built in on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// A call that hangs is ended neither by its deadline nor by an interruption.
    NoDeadline,
    /// Code stays loaded after it was let go.
    NoUnload,
    /// Loading a path again gives the code of the first time.
    StaleCode,
    /// One reply in 40 gets lost.
    LostReply,
    /// A plugin's own error is reported as a fault of the host.
    WrongErrorKind,
    /// Memory of an instance stays after the instance was dropped.
    LeakedInstance,
    /// An instance that died is said to live, and fails at every call with an error of the host's own.
    Undead,
    /// Code without a hook is said to have it, and fails where it is asked for.
    EveryHook,
}

impl Sabotage {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::NoDeadline,
        Self::NoUnload,
        Self::StaleCode,
        Self::LostReply,
        Self::WrongErrorKind,
        Self::LeakedInstance,
        Self::Undead,
        Self::EveryHook,
    ];
}
