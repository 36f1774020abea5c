//! The kinds of frames and their flags.

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $word:literal;)+) => {
        /// What a frame is. Numbers up to 127 that are not here break the protocol; those from 128 are skipped.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum FrameKind { $($(#[$doc])* $variant = $number),+ }

        impl FrameKind {
            /// Every kind, in the order of its numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The kind of a number.
            #[must_use]
            pub fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)+ _ => None }
            }

            /// The number on the wire.
            #[must_use]
            pub fn number(self) -> u8 {
                self as u8
            }

            /// The name in `contract/wire.md`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

kinds! {
    /// Who speaks, which versions and features, which limits.
    Hello = 1, "HELLO";
    /// Host to peer: load this plugin.
    Load = 2, "LOAD";
    /// Host to peer: make an instance.
    Open = 3, "OPEN";
    /// Host to peer: drop an instance.
    Close = 4, "CLOSE";
    /// Host to peer: run an action.
    Call = 5, "CALL";
    /// Host to peer: run a hook.
    Hook = 6, "HOOK";
    /// Peer to host: use the host API.
    Host = 7, "HOST";
    /// The next piece of a request or answer.
    Data = 8, "DATA";
    /// The answer, or its last piece.
    Done = 9, "DONE";
    /// The answer is an error; with id 0 the connection ends.
    Error = 10, "ERROR";
    /// Give up a request.
    Cancel = 11, "CANCEL";
    /// The receiver has room for more.
    Credit = 12, "CREDIT";
    /// Are you there?
    Ping = 13, "PING";
    /// The answer to it.
    Pong = 14, "PONG";
    /// Host to peer: finish and end.
    Shutdown = 15, "SHUTDOWN";
}

/// Bits of [`super::Prefix::flags`]; unknown ones are ignored.
pub mod flag {
    /// The message goes on in `DATA` frames.
    pub const MORE: u8 = 1;
    /// The caller wants the answer chunk by chunk as it is made.
    pub const STREAM: u8 = 2;
    /// The plugin has no such hook.
    pub const ABSENT: u8 = 4;
    /// The instance is good for nothing more and should be closed.
    pub const SPENT: u8 = 8;
}
