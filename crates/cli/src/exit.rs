//! How the command ends: the exit codes of the contract, and the one table from error codes to them.

use midplane::{Code, Error};

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what it was asked to.
    Done,
    /// The plugin answered with an error, or failed at answering.
    Plugin,
    /// What was typed cannot be understood.
    Usage,
    /// A manifest, plugin file or configuration is invalid.
    Invalid,
    /// A plugin, action or file is not there.
    NotFound,
    /// Refused.
    Denied,
    /// It took too long.
    Deadline,
    /// The host, the machine or a connection.
    Host,
    /// The user ended it.
    Interrupted,
}

impl Exit {
    /// The number that a shell sees.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Plugin => 1,
            Self::Usage => 2,
            Self::Invalid => 3,
            Self::NotFound => 4,
            Self::Denied => 5,
            Self::Deadline => 6,
            Self::Host => 7,
            Self::Interrupted => 130,
        }
    }

    /// The table.
    pub(crate) fn of(code: Code) -> Self {
        match code {
            Code::PluginError
            | Code::InvalidInput
            | Code::Trapped
            | Code::Panicked
            | Code::Crashed
            | Code::MemoryLimit
            | Code::LimitExceeded
            | Code::CallCycle
            | Code::DepthExceeded => Self::Plugin,
            Code::ManifestInvalid
            | Code::ConfigInvalid
            | Code::VersionMismatch
            | Code::DependencyConflict
            | Code::DependencyCycle
            | Code::AlreadyRegistered
            | Code::UnsupportedRuntime
            | Code::UnsupportedPlatform
            | Code::NotAPlugin
            | Code::WrongArchitecture
            | Code::MissingSymbol
            | Code::AbiMismatch
            | Code::LimitNotEnforceable => Self::Invalid,
            Code::PluginNotFound | Code::ActionNotFound | Code::KeyNotFound | Code::DependencyNotFound => {
                Self::NotFound
            }
            Code::PermissionDenied | Code::SignatureInvalid | Code::ChecksumMismatch => Self::Denied,
            Code::DeadlineExceeded => Self::Deadline,
            Code::Cancelled => Self::Interrupted,
            Code::AlreadyLoaded
            | Code::NotLoaded
            | Code::NotRunning
            | Code::HasDependents
            | Code::BuildIdMismatch
            | Code::Overloaded
            | Code::BreakerOpen
            | Code::ProtocolError
            | Code::PeerGone
            | Code::NotSupported
            | Code::Storage
            | Code::Io
            | Code::Internal => Self::Host,
        }
    }
}

/// Why a command ended before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Something is wrong, and was not shown yet.
    Failed(Error, Exit),
    /// Nobody reads stdout any longer (`| head`): the rest is of no interest to anybody.
    ReaderGone,
    /// Ctrl-C, or the system asked for the end.
    Interrupted,
}

/// What a command or a part of it comes to.
pub(crate) type Outcome<T> = Result<T, Stop>;

impl Stop {
    /// What was typed is wrong.
    pub(crate) fn usage(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Failed(Error::new(Code::InvalidInput, message).remedy(remedy), Exit::Usage)
    }

    /// A file is not there.
    pub(crate) fn not_found(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Failed(Error::new(Code::Io, message).remedy(remedy), Exit::NotFound)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        let exit = Exit::of(error.code());
        Self::Failed(error, exit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let table = [
            (Code::PluginError, 1),
            (Code::Trapped, 1),
            (Code::ManifestInvalid, 3),
            (Code::ConfigInvalid, 3),
            (Code::PluginNotFound, 4),
            (Code::ActionNotFound, 4),
            (Code::PermissionDenied, 5),
            (Code::DeadlineExceeded, 6),
            (Code::Io, 7),
            (Code::PeerGone, 7),
            (Code::Cancelled, 130),
        ];
        for (code, number) in table {
            assert_eq!(Exit::of(code).number(), number, "{code}");
        }
        assert_eq!((Exit::Done.number(), Exit::Usage.number()), (0, 2));
    }

    #[test]
    fn no_error_ends_like_success_and_none_looks_like_bad_usage() {
        for code in Code::ALL {
            let number = Exit::of(*code).number();
            assert!(matches!(number, 1 | 3..=7 | 130), "{code} ends with {number}");
        }
    }
}
