//! How answers leave: at once, in pieces as the host has room, or chunk by chunk as they are made.

use std::sync::Arc;

use midplane_contract::frame::{FrameKind, Prefix, flag, message};
use midplane_contract::{Code, Error, Result};
use midplane_kernel::call::ChunkSink;

use super::line::{Line, lock};
use super::seat::Seat;

impl Seat {
    /// Sends a whole reply, in pieces if it must be.
    pub(super) fn send_reply(self: &Arc<Self>, line: &Arc<Line>, head: Prefix, reply: &[u8]) {
        let limits = line.host_limits();
        if reply.len() <= limits.chunk.min(limits.window) {
            let credit = lock(&self.desk).credit;
            if reply.len() <= credit {
                return line.write(answer_head(FrameKind::Done, head).flags(head.flags), &[], reply);
            }
        }
        match self.send_pieces(line, head, reply) {
            Ok(last) => line.write(answer_head(FrameKind::Done, head).flags(head.flags), &[], last),
            Err(error) => line.answer_error(head, &error),
        }
    }

    /// Sends all but the last piece, as the host has room, and returns that.
    fn send_pieces<'b>(self: &Arc<Self>, line: &Arc<Line>, head: Prefix, bytes: &'b [u8]) -> Result<&'b [u8]> {
        let chunk = line.host_limits().chunk;
        let mut rest = bytes;
        loop {
            let credit = line.wait_until(&self.desk, &self.bell, |desk| {
                let gone = self.is_cancelled().then(gone);
                gone.map(Err).or_else(|| (desk.credit > 0).then_some(Ok(desk.credit)))
            })?;
            let count = rest.len().min(chunk).min(credit);
            lock(&self.desk).credit -= count;
            if count == rest.len() {
                return Ok(rest);
            }
            let (piece, after) = rest.split_at(count);
            line.write(answer_head(FrameKind::Data, head).flags(flag::MORE), &[], piece);
            rest = after;
        }
    }
}

/// Sends a streamed reply chunk by chunk.
pub(super) struct Chunks<'a> {
    pub(super) line: &'a Arc<Line>,
    pub(super) seat: &'a Arc<Seat>,
    pub(super) head: Prefix,
}

impl ChunkSink for Chunks<'_> {
    fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
        if self.seat.is_cancelled() {
            return Err(gone());
        }
        if bytes.is_empty() {
            return Ok(());
        }
        let last = self.seat.send_pieces(self.line, self.head, bytes)?;
        self.line.write(answer_head(FrameKind::Data, self.head).flags(flag::MORE), &[], last);
        self.line.flush();
        Ok(())
    }
}

impl Line {
    /// Answers a request with an error.
    pub(super) fn answer_error(&self, head: Prefix, error: &Error) {
        let json = message::write_error(error, self.host_limits().chunk);
        self.write(answer_head(FrameKind::Error, head).flags(head.flags & flag::SPENT), &[], &json);
    }
}

/// The head of an answer to this request.
pub(super) fn answer_head(kind: FrameKind, request: Prefix) -> Prefix {
    Prefix::new(kind, request.instance, request.id)
}

fn gone() -> Error {
    Error::new(Code::Cancelled, "the caller gave up").remedy("stop: nobody reads the answer")
}
