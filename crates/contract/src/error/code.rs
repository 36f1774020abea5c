//! Codes and kinds: the stable vocabulary of faults.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in JSON, logs and on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value of a name; `None` where there is no such name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.as_str()) }
        }
    };
}

vocabulary! {
    /// The group that a fault belongs to.
    Kind {
        /// Loading code.
        Load = "load",
        /// The `init` hook.
        Initialize = "initialize",
        /// The `start` hook.
        Start = "start",
        /// The `stop` hook and unloading.
        Stop = "stop",
        /// A call.
        Execute = "execute",
        /// A refusal.
        Security = "security",
        /// A limit.
        Resource = "resource",
        /// A deadline.
        Timeout = "timeout",
        /// A connection or protocol.
        Communication = "communication",
        /// A manifest or configuration.
        Manifest = "manifest",
        /// A dependency.
        Dependency = "dependency",
        /// A plugin in the wrong state.
        State = "state",
    }
}

vocabulary! {
    /// The stable name of a fault. Which details stand in `data` is said per code.
    Code {
        /// No plugin has that id.
        PluginNotFound = "plugin_not_found",
        /// The plugin has no such action.
        ActionNotFound = "action_not_found",
        /// The plugin's state has no value for the key.
        KeyNotFound = "key_not_found",
        /// A required plugin is not there.
        DependencyNotFound = "dependency_not_found",
        /// A version is outside the range: `{required, found}`.
        VersionMismatch = "version_mismatch",
        /// Demands cannot be met together: `{requirements}`.
        DependencyConflict = "dependency_conflict",
        /// Plugins require each other: `{edges}`.
        DependencyCycle = "dependency_cycle",
        /// The id is taken: `{version}`.
        AlreadyRegistered = "already_registered",
        /// The plugin is loaded.
        AlreadyLoaded = "already_loaded",
        /// The plugin is not loaded.
        NotLoaded = "not_loaded",
        /// The plugin does not answer calls in its state.
        NotRunning = "not_running",
        /// Others need the plugin: `{dependents}`.
        HasDependents = "has_dependents",
        /// No runtime of that name: `{runtime}`.
        UnsupportedRuntime = "unsupported_runtime",
        /// The plugin excludes this machine.
        UnsupportedPlatform = "unsupported_platform",
        /// The manifest has faults: `{faults}`.
        ManifestInvalid = "manifest_invalid",
        /// The configuration has faults: `{faults}`.
        ConfigInvalid = "config_invalid",
        /// The file is no plugin of this runtime.
        NotAPlugin = "not_a_plugin",
        /// Built for another processor: `{required, found}`.
        WrongArchitecture = "wrong_architecture",
        /// An entry that the runtime needs is missing: `{symbol}`.
        MissingSymbol = "missing_symbol",
        /// Built for another version of the ABI: `{required, found}`.
        AbiMismatch = "abi_mismatch",
        /// What was loaded is not what was read.
        BuildIdMismatch = "build_id_mismatch",
        /// The input cannot be used.
        InvalidInput = "invalid_input",
        /// The plugin answered with an error of its own; it stands whole in `data`.
        PluginError = "plugin_error",
        /// WebAssembly trapped.
        Trapped = "trapped",
        /// The plugin's code panicked or threw.
        Panicked = "panicked",
        /// The process ended: `{signal}` or `{exit}`.
        Crashed = "crashed",
        /// The deadline passed.
        DeadlineExceeded = "deadline_exceeded",
        /// The caller gave up.
        Cancelled = "cancelled",
        /// The memory limit was reached: `{limit}`.
        MemoryLimit = "memory_limit",
        /// Another limit was reached: `{which, limit}`.
        LimitExceeded = "limit_exceeded",
        /// Too many calls wait.
        Overloaded = "overloaded",
        /// The circuit breaker is open.
        BreakerOpen = "breaker_open",
        /// Not granted: `{permission}`.
        PermissionDenied = "permission_denied",
        /// The call came back to a plugin that waits for it: `{chain}`.
        CallCycle = "call_cycle",
        /// Nested calls are too deep: `{depth}`.
        DepthExceeded = "depth_exceeded",
        /// The other side broke the protocol.
        ProtocolError = "protocol_error",
        /// The other side is gone.
        PeerGone = "peer_gone",
        /// Known, but not done by this version, plugin or placement.
        NotSupported = "not_supported",
        /// The placement cannot hold the limit: `{which}`.
        LimitNotEnforceable = "limit_not_enforceable",
        /// The signature does not fit.
        SignatureInvalid = "signature_invalid",
        /// The content does not fit its checksum.
        ChecksumMismatch = "checksum_mismatch",
        /// The store failed.
        Storage = "storage",
        /// Reading or writing failed.
        Io = "io",
        /// A fault of Midplane itself.
        Internal = "internal",
    }
}

impl Code {
    /// The kind that this code belongs to, unless a hook's phase says otherwise.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::DependencyNotFound | Self::VersionMismatch | Self::DependencyConflict | Self::DependencyCycle => {
                Kind::Dependency
            }
            Self::AlreadyRegistered
            | Self::AlreadyLoaded
            | Self::NotLoaded
            | Self::NotRunning
            | Self::HasDependents => Kind::State,
            Self::UnsupportedRuntime
            | Self::UnsupportedPlatform
            | Self::NotAPlugin
            | Self::WrongArchitecture
            | Self::MissingSymbol
            | Self::AbiMismatch
            | Self::BuildIdMismatch
            | Self::Storage
            | Self::Io => Kind::Load,
            Self::ManifestInvalid | Self::ConfigInvalid => Kind::Manifest,
            Self::PermissionDenied | Self::SignatureInvalid | Self::ChecksumMismatch => Kind::Security,
            Self::MemoryLimit | Self::LimitExceeded | Self::Overloaded | Self::LimitNotEnforceable => Kind::Resource,
            Self::DeadlineExceeded => Kind::Timeout,
            Self::ProtocolError | Self::PeerGone => Kind::Communication,
            Self::PluginNotFound
            | Self::ActionNotFound
            | Self::KeyNotFound
            | Self::InvalidInput
            | Self::PluginError
            | Self::Trapped
            | Self::Panicked
            | Self::Crashed
            | Self::Cancelled
            | Self::BreakerOpen
            | Self::CallCycle
            | Self::DepthExceeded
            | Self::NotSupported
            | Self::Internal => Kind::Execute,
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub fn recoverable(self) -> bool {
        matches!(
            self,
            Self::DeadlineExceeded
                | Self::Cancelled
                | Self::Overloaded
                | Self::BreakerOpen
                | Self::PeerGone
                | Self::Trapped
                | Self::Panicked
                | Self::Crashed
                | Self::NotRunning
                | Self::MemoryLimit
        )
    }
}
