//! What can be wrong with bytes that claim to be frames.

use crate::{Code, Error};

use super::{MAGIC, PREFIX};

/// A breach of the framing. Nothing after it can be understood, so the connection ends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// The stream does not begin with the magic.
    #[error("the stream begins with \"{seen}\" instead of \"{}\"", MAGIC.escape_ascii())]
    Magic {
        /// The first bytes, escaped.
        seen: String,
    },
    /// No such kind of frame.
    #[error("frame kind {number} does not exist (the frame begins with \"{seen}\")")]
    Kind {
        /// The number in the frame.
        number: u8,
        /// Its head, escaped.
        seen: String,
    },
    /// A length over the cap.
    #[error(
        "a {frame} frame claims a {part} of {claimed} bytes, more than the {cap} allowed (it begins with \"{seen}\")"
    )]
    Length {
        /// The frame's name.
        frame: &'static str,
        /// `header` or `payload`.
        part: &'static str,
        /// The length it claims.
        claimed: u32,
        /// The largest allowed.
        cap: usize,
        /// Its head, escaped.
        seen: String,
    },
}

impl From<FrameFault> for Error {
    fn from(fault: FrameFault) -> Self {
        Self::new(Code::ProtocolError, fault.to_string())
            .remedy("the peer must write nothing but frames to its wire; see contract/wire.md")
    }
}

/// The first bytes of something unexpected, escaped for people: at most a frame's head.
#[must_use]
pub fn quote(bytes: &[u8]) -> String {
    let shown = bytes.get(..PREFIX).unwrap_or(bytes);
    let dots = if bytes.len() > PREFIX { "…" } else { "" };
    format!("{}{dots}", shown.escape_ascii())
}
