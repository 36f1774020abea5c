//! Bytes on their way to the host, as frames, as far as its credit goes.

use std::collections::VecDeque;

use midplane_contract::defaults;
use midplane_contract::frame::{FrameKind, Prefix, flag};

/// What it costs to keep a piece, beside its bytes.
const PIECE: usize = 64;

/// One message to the host: the answer to a request of its, or a request of the plugin.
#[derive(Debug)]
pub(super) struct Flow {
    instance: u16,
    id: u32,
    /// Function and arguments of a request that has not begun.
    begin: Option<(u32, Vec<u8>)>,
    answers: bool,
    pieces: VecDeque<Vec<u8>>,
    /// Bytes of the first piece that are gone.
    at: usize,
    /// Bytes that wait, and what it costs to keep them.
    held: usize,
    credit: usize,
    /// Whether no more pieces come.
    whole: bool,
}

impl Flow {
    /// An answer.
    pub(super) fn answer(instance: u16, id: u32, credit: usize) -> Self {
        Self { instance, id, begin: None, answers: true, pieces: VecDeque::new(), at: 0, held: 0, credit, whole: false }
    }

    /// A request.
    pub(super) fn request(instance: u16, id: u32, function: u32, args: Vec<u8>, bytes: Vec<u8>, credit: usize) -> Self {
        let mut flow = Self { begin: Some((function, args)), answers: false, ..Self::answer(instance, id, credit) };
        flow.push(bytes, true);
        flow
    }

    /// Adds a piece.
    pub(super) fn push(&mut self, piece: Vec<u8>, last: bool) {
        if !piece.is_empty() {
            self.held += piece.len() + PIECE;
            self.pieces.push_back(piece);
        }
        self.whole |= last;
    }

    pub(super) fn allow(&mut self, more: usize) {
        self.credit = self.credit.saturating_add(more);
    }

    /// Bytes that wait for credit, and what it costs to keep them.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Writes what the credit allows; whether that was the end.
    pub(super) fn pump(&mut self, out: &mut Vec<u8>) -> bool {
        loop {
            let rest = self.pieces.front().and_then(|piece| piece.get(self.at..)).unwrap_or_default();
            let count = rest.len().min(self.credit).min(defaults::WIRE_CHUNK);
            let (now, after) = rest.split_at(count);
            let last = self.whole && after.is_empty() && self.pieces.len() <= 1;
            if now.is_empty() && !last {
                return false;
            }
            let (kind, value, header) = match (self.answers, last, self.begin.take()) {
                (true, true, _) => (FrameKind::Done, 0, Vec::new()),
                (false, _, Some((function, args))) => (FrameKind::Host, function, args),
                _ => (FrameKind::Data, 0, Vec::new()),
            };
            let head = Prefix::new(kind, self.instance, self.id).flags(if last { 0 } else { flag::MORE }).value(value);
            frame(head, &header, now, out);
            self.credit -= count;
            self.at += count;
            self.held -= count;
            if after.is_empty() {
                self.held -= if self.pieces.pop_front().is_some() { PIECE } else { 0 };
                self.at = 0;
            }
            if last {
                return true;
            }
        }
    }
}

/// Writes one frame.
pub(super) fn frame(head: Prefix, header: &[u8], payload: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&head.sized(header, payload).encode());
    out.extend_from_slice(header);
    out.extend_from_slice(payload);
}
