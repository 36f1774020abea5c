//! Where an action's answer goes.

use std::fmt;

use crate::Result;
use crate::backend::Sink;

/// The reply of a call. Bytes go straight into the host's buffer, or, where the caller reads a stream, each write goes
/// out as one chunk. Nothing written is an empty reply.
pub struct Reply<'a> {
    sink: &'a mut dyn Sink,
}

impl<'a> Reply<'a> {
    /// A reply into a sink.
    #[inline]
    pub fn new(sink: &'a mut dyn Sink) -> Self {
        Self { sink }
    }

    /// Appends bytes, or hands on a chunk. May block until the reader of a stream has room.
    ///
    /// # Errors
    /// `limit_exceeded` beyond the payload cap; `cancelled` or `deadline_exceeded` when nobody reads any longer: pass
    /// it on with `?`.
    #[inline]
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.sink.write(bytes)
    }
}

impl fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply")
    }
}
