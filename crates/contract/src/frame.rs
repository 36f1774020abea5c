//! Wire frames: what `contract/wire.md` describes, as pure functions over bytes. No I/O happens here.
//!
//! [`Prefix`] is the fixed head of a frame, [`Decoder`] turns bytes that arrive in any pieces into [`Frame`]s,
//! and [`message`] holds the JSON that some frames carry.

mod decoder;
mod fault;
mod kind;
pub mod message;
mod prefix;
#[cfg(test)]
mod tests;

pub use decoder::{Decoder, Frame};
pub use fault::{FrameFault, quote};
pub use kind::{FrameKind, flag};
pub use prefix::Prefix;

use crate::defaults;

/// The first bytes in each direction of a connection.
pub const MAGIC: [u8; 8] = *b"MIDPLANE";
/// Bytes of a frame's fixed head.
pub const PREFIX: usize = 24;
/// The version of the protocol that this code speaks.
pub const PROTOCOL: u16 = 1;
/// Payload bytes of one message that may be under way before the receiver asks for more, unless `hello` says less.
pub const WINDOW: usize = 1024 * 1024;
/// The instance number of frames that concern the connection as a whole.
pub const CONNECTION: u16 = u16::MAX;
/// [`Prefix::time`] of a request without a deadline.
pub const NO_DEADLINE: u32 = u32::MAX;
/// The largest frame: head, header and chunk.
pub const FRAME_CAP: usize = PREFIX + defaults::WIRE_HEADER + defaults::WIRE_CHUNK;
