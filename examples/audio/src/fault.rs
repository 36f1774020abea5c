//! Why a sound file could not be inspected.

use std::io::ErrorKind;

use symphonia::core::errors::Error;

/// Why a sound file could not be inspected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The bytes are those of no sound file that is known.
    #[error("this is no sound file in a known format (WAV, FLAC, MP3, Ogg Vorbis)")]
    UnknownFormat,
    /// A sound file, but its codec is not read here.
    #[error("the file's sound cannot be decoded here: {reason}")]
    UnsupportedCodec {
        /// What the decoder says.
        reason: String,
    },
    /// A sound file without sound: no track, or not one whole packet.
    #[error("the file holds no sound")]
    NoSound,
    /// The file is damaged.
    #[error("the file is damaged: {reason}")]
    Damaged {
        /// What the reader says.
        reason: String,
    },
}

impl Fault {
    /// The stable name of the fault.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownFormat => "unknown_format",
            Self::UnsupportedCodec { .. } => "unsupported_codec",
            Self::NoSound => "no_sound",
            Self::Damaged { .. } => "damaged",
        }
    }

    /// Why no container was recognized. A reader that finds nothing scans to the end of the file.
    pub(crate) fn of_probe(error: &Error) -> Self {
        match error {
            Error::Unsupported(_) => Self::UnknownFormat,
            Error::IoError(io) if io.kind() == ErrorKind::UnexpectedEof => Self::UnknownFormat,
            other => Self::Damaged { reason: other.to_string() },
        }
    }

    /// Why no decoder was made.
    pub(crate) fn of_codec(error: &Error) -> Self {
        match error {
            Error::Unsupported(reason) => Self::UnsupportedCodec { reason: (*reason).to_owned() },
            other => Self::Damaged { reason: other.to_string() },
        }
    }
}
