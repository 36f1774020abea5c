//! Why a picture was not read.

use image::ImageError;
use image::error::LimitErrorKind;

/// Why a picture was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The first bytes are those of no picture that is known.
    #[error("this is no picture in a known format (JPEG, PNG, GIF, BMP, WebP)")]
    UnknownFormat,
    /// A picture, but in a format that is not read here.
    #[error("{format} pictures are not read here, only JPEG, PNG, GIF, BMP and WebP")]
    UnsupportedFormat {
        /// Name of the format.
        format: String,
    },
    /// More pixels than allowed. Nothing was decoded.
    #[error("the picture has {width} × {height} pixels; at most {max_pixels} in all are decoded")]
    TooManyPixels {
        /// Width in pixels, as the file states it.
        width: u32,
        /// Height in pixels, as the file states it.
        height: u32,
        /// The limit.
        max_pixels: u64,
    },
    /// Decoding would need more memory than allowed.
    #[error("decoding the picture would need more than {max_bytes} bytes")]
    TooMuchMemory {
        /// The limit.
        max_bytes: u64,
    },
    /// The file is damaged or incomplete.
    #[error("the picture is damaged or incomplete: {reason}")]
    Damaged {
        /// What the decoder says.
        reason: String,
    },
    /// The options cannot be used.
    #[error("{reason}")]
    BadOptions {
        /// What is wrong with them.
        reason: String,
    },
}

impl Fault {
    /// The stable name of the fault.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownFormat => "unknown_format",
            Self::UnsupportedFormat { .. } => "unsupported_format",
            Self::TooManyPixels { .. } => "too_many_pixels",
            Self::TooMuchMemory { .. } => "too_much_memory",
            Self::Damaged { .. } => "damaged",
            Self::BadOptions { .. } => "bad_options",
        }
    }

    /// Says in our own terms what the decoder refused.
    pub(crate) fn of(error: ImageError, max_bytes: u64) -> Self {
        match error {
            ImageError::Limits(limit) => match limit.kind() {
                LimitErrorKind::InsufficientMemory => Self::TooMuchMemory { max_bytes },
                _ => Self::Damaged { reason: limit.to_string() },
            },
            ImageError::Unsupported(unsupported) => {
                Self::UnsupportedFormat { format: unsupported.format_hint().to_string() }
            }
            other => Self::Damaged { reason: other.to_string() },
        }
    }
}
