//! The fixed head of a frame.

use crate::defaults;

use super::{FrameFault, FrameKind, NO_DEADLINE, PREFIX, flag, quote};

/// The 24 bytes in front of every frame, little-endian: `kind u8, flags u8, instance u16, id u32, header u32,
/// payload u32, value u32, time u32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// What the frame is.
    pub kind: FrameKind,
    /// Bits of [`flag`].
    pub flags: u8,
    /// Which instance it concerns; [`super::CONNECTION`] for none.
    pub instance: u16,
    /// Chosen by whoever asks, repeated by whoever answers: odd from the host, even from the peer, 0 for none.
    pub id: u32,
    /// Bytes of JSON after the head.
    pub header: u32,
    /// Bytes of payload after that.
    pub payload: u32,
    /// `CALL`: the action's number; `HOOK`: the hook's; `HOST`: the function's; `CREDIT`: how many bytes more.
    pub value: u32,
    /// Requests: milliseconds left, rounded up, or [`NO_DEADLINE`].
    pub time: u32,
}

impl Prefix {
    /// A frame without header and payload.
    #[must_use]
    pub fn new(kind: FrameKind, instance: u16, id: u32) -> Self {
        Self { kind, flags: 0, instance, id, header: 0, payload: 0, value: 0, time: NO_DEADLINE }
    }

    /// Sets the bits.
    #[must_use]
    pub fn flags(mut self, flags: u8) -> Self {
        self.flags = flags;
        self
    }

    /// Sets the number whose meaning depends on the kind.
    #[must_use]
    pub fn value(mut self, value: u32) -> Self {
        self.value = value;
        self
    }

    /// Sets the milliseconds left.
    #[must_use]
    pub fn time(mut self, milliseconds: u32) -> Self {
        self.time = milliseconds;
        self
    }

    /// Sets both lengths from what will follow. Lengths over 4 GiB saturate and are refused by every receiver.
    #[must_use]
    pub fn sized(mut self, header: &[u8], payload: &[u8]) -> Self {
        self.header = u32::try_from(header.len()).unwrap_or(u32::MAX);
        self.payload = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        self
    }

    /// Whether pieces follow.
    #[must_use]
    pub fn more(&self) -> bool {
        self.flags & flag::MORE != 0
    }

    /// Bytes of the whole frame.
    #[must_use]
    pub fn total(&self) -> usize {
        PREFIX + self.header as usize + self.payload as usize
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn encode(&self) -> [u8; PREFIX] {
        let [i0, i1] = self.instance.to_le_bytes();
        let words = [self.id, self.header, self.payload, self.value, self.time];
        let mut bytes = [0; PREFIX];
        let (head, tail) = bytes.split_at_mut(4);
        head.copy_from_slice(&[self.kind.number(), self.flags, i0, i1]);
        for (slot, word) in tail.chunks_exact_mut(4).zip(words) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Reads a head and checks its lengths. `None` is a kind from 128 up, to be skipped: its length comes along.
    ///
    /// # Errors
    /// An unknown kind below 128, a length over the contract's cap.
    pub fn decode(bytes: &[u8; PREFIX]) -> Result<(Option<Self>, usize), FrameFault> {
        let [number, flags, i0, i1, words @ ..] = *bytes;
        let mut words = words.chunks_exact(4).map(|word| word.try_into().map_or(0, u32::from_le_bytes));
        let mut word = || words.next().unwrap_or_default();
        let (id, header, payload, value, time) = (word(), word(), word(), word(), word());
        let kind = FrameKind::from_number(number);
        if kind.is_none() && number < 128 {
            return Err(FrameFault::Kind { number, seen: quote(bytes) });
        }
        let frame = kind.map_or("extension", FrameKind::name);
        for (part, claimed, cap) in
            [("header", header, defaults::WIRE_HEADER), ("payload", payload, defaults::WIRE_CHUNK)]
        {
            if claimed as usize > cap {
                return Err(FrameFault::Length { frame, part, claimed, cap, seen: quote(bytes) });
            }
        }
        let instance = u16::from_le_bytes([i0, i1]);
        let prefix = kind.map(|kind| Self { kind, flags, instance, id, header, payload, value, time });
        Ok((prefix, PREFIX + header as usize + payload as usize))
    }
}
