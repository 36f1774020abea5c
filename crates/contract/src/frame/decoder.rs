//! From bytes that arrive in any pieces to frames.

use super::{FRAME_CAP, FrameFault, MAGIC, PREFIX, Prefix, quote};

/// Bytes asked for at once while nothing larger is under way.
const READ: usize = 64 * 1024;

/// One frame, borrowed from the decoder's buffer.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Its head.
    pub prefix: Prefix,
    /// Its JSON, maybe empty.
    pub header: &'a [u8],
    /// Its payload, maybe empty.
    pub payload: &'a [u8],
}

/// Collects bytes and hands out frames. Holds one frame of the largest size plus one read at most, whatever arrives.
///
/// Use: read into [`Decoder::space`], say how much came with [`Decoder::filled`], then take frames with
/// [`Decoder::next`] until there is none. The first bytes must be the magic.
#[derive(Debug)]
pub struct Decoder {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    greeted: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { buffer: vec![0; READ], start: 0, end: 0, greeted: false }
    }
}

impl Decoder {
    /// Room for the next bytes, never empty. What was decoded makes way first.
    pub fn space(&mut self) -> &mut [u8] {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
        let wanted = self.pending_length().clamp(READ, FRAME_CAP);
        if self.buffer.len() - self.start < wanted || self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            // A frame that is complete has been taken out before, so what is left is shorter than `wanted` or than
            // one frame; either way one read more is enough.
            let needed = wanted.max(self.end + 1);
            if self.buffer.len() < needed {
                self.buffer.resize(needed, 0);
            }
        }
        self.buffer.get_mut(self.end..).unwrap_or_default()
    }

    /// So many bytes of [`Decoder::space`] hold data.
    pub fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.buffer.len());
    }

    /// The next complete frame, or `None` until more has arrived.
    ///
    /// # Errors
    /// What breaks the framing; the same again on every further call.
    #[expect(clippy::should_implement_trait, reason = "frames borrow from the decoder, which Iterator cannot say")]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, FrameFault> {
        if !self.greeted && !self.greet()? {
            return Ok(None);
        }
        loop {
            let Some(head) = self.held().first_chunk::<PREFIX>() else { return Ok(None) };
            let (prefix, total) = Prefix::decode(head)?;
            if self.held().len() < total {
                return Ok(None);
            }
            let begin = self.start;
            self.start += total;
            let Some(prefix) = prefix else { continue };
            let frame = self.buffer.get(begin + PREFIX..begin + total).unwrap_or_default();
            let (header, payload) = frame.split_at_checked(prefix.header as usize).unwrap_or_default();
            return Ok(Some(Frame { prefix, header, payload }));
        }
    }

    /// Bytes that have arrived and are not part of a frame handed out.
    #[must_use]
    pub fn held(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    fn greet(&mut self) -> Result<bool, FrameFault> {
        let held = self.held();
        let known = held.len().min(MAGIC.len());
        if held.get(..known) != MAGIC.get(..known) {
            return Err(FrameFault::Magic { seen: quote(held) });
        }
        self.greeted = known == MAGIC.len();
        if self.greeted {
            self.start += known;
        }
        Ok(self.greeted)
    }

    /// Bytes of the frame that has begun, as far as its head is there and sound.
    fn pending_length(&self) -> usize {
        self.held().first_chunk::<PREFIX>().and_then(|head| Prefix::decode(head).ok()).map_or(0, |(_, total)| total)
    }
}
