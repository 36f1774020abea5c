//! Which code runs where: runtime kinds, placements, trust and instance counts.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every value, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word used in manifests, on the command line and in JSON.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value for a word; `None` when no such word exists.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What executes a plugin's code.
    RuntimeKind {
        /// A shared library with the C ABI of `contract/midplane.h`.
        Native = "native",
        /// A WebAssembly component or core module.
        Wasm = "wasm",
        /// JavaScript or TypeScript.
        Js = "js",
        /// A Python program.
        Python = "python",
        /// Any executable that speaks the wire protocol.
        Process = "process",
        /// A service on another machine.
        Remote = "remote",
        /// A single-file script in the text protocol.
        Script = "script",
    }
}

words! {
    /// Where a plugin's code executes.
    Placement {
        /// In the host's own process.
        InProcess = "in-process",
        /// In a child process that hosts this plugin alone.
        Worker = "worker",
        /// On another machine.
        Remote = "remote",
    }
}

words! {
    /// How far an operator trusts a plugin.
    Trust {
        /// May run native code inside the host.
        Trusted = "trusted",
        /// The default: native code goes to a worker.
        Normal = "normal",
        /// Everything goes to a worker.
        Untrusted = "untrusted",
    }
}

words! {
    /// How many instances a plugin has.
    InstanceMode {
        /// One instance; calls in turn, first come, first served.
        Actor = "actor",
        /// Between `min` and `max` instances, grown on demand.
        Pool = "pool",
    }
}

/// A plugin's `instances:` block. The default is one actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Instances {
    /// Actor or pool.
    pub mode: InstanceMode,
    /// Instances made at load, at least 1.
    pub min: u32,
    /// Instances at most; an actor has exactly 1.
    pub max: u32,
}

impl Default for Instances {
    fn default() -> Self {
        Self { mode: InstanceMode::Actor, min: 1, max: 1 }
    }
}
