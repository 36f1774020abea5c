//! How a program and its host reach each other.

use crate::dial::Dial;

/// How a program and its host reach each other, and what they speak.
#[derive(Debug, Default)]
pub struct Channel {
    /// Where.
    pub wiring: Wiring,
    /// In which language.
    pub speech: Speech,
}

/// Where a program finds its host.
#[derive(Debug, Default)]
pub enum Wiring {
    /// On the descriptor [`crate::WIRE_FD`], whose number is in [`crate::FD_VARIABLE`]. Stdin is empty, both output
    /// streams go to the log.
    #[default]
    Descriptor,
    /// On stdin and stdout; stderr goes to the log.
    Stdio,
    /// At an address at which it listens and that its host connects to.
    Dial(Dial),
}

/// What a program and its host speak.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Speech {
    /// Frames of `contract/wire.md`.
    #[default]
    Frames,
    /// Lines of `contract/text.md`.
    Text,
}
