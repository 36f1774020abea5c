//! What is kept beside values: a value's size and end, and a plugin's sums. Fixed bytes, most significant first.

use super::Quota;

/// Of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    size: u64,
    /// Milliseconds since 1970; the greatest number means never.
    ends: i64,
}

impl Facts {
    pub(super) fn new(size: usize, ttl: Option<u64>, now: i64) -> Self {
        let ends = ttl.map_or(i64::MAX, |ttl| now.saturating_add(i64::try_from(ttl).unwrap_or(i64::MAX)));
        Self { size: u64::try_from(size).unwrap_or(u64::MAX), ends }
    }

    /// What cannot be read is over: nothing but this writes it.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let (size, ends) = numbers(bytes);
        Self { size, ends: ends.cast_signed() }
    }

    pub(super) fn written(&self) -> [u8; 16] {
        pair(self.size, self.ends.cast_unsigned())
    }

    pub(super) fn is_over(&self, now: i64) -> bool {
        self.ends <= now
    }
}

/// Of all values of one plugin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Used {
    keys: u64,
    bytes: u64,
}

impl Used {
    pub(super) fn read(bytes: &[u8]) -> Self {
        let (keys, bytes) = numbers(bytes);
        Self { keys, bytes }
    }

    pub(super) fn written(&self) -> [u8; 16] {
        pair(self.keys, self.bytes)
    }

    pub(super) fn add(&mut self, facts: &Facts) {
        self.keys = self.keys.saturating_add(1);
        self.bytes = self.bytes.saturating_add(facts.size);
    }

    pub(super) fn take(&mut self, facts: &Facts) {
        self.keys = self.keys.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(facts.size);
    }

    /// Which limit one more value would break.
    pub(super) fn beyond(&self, facts: &Facts, quota: Quota) -> Option<&'static str> {
        let mut then = *self;
        then.add(facts);
        if then.keys > quota.keys {
            Some("state_keys")
        } else if then.bytes > quota.bytes {
            Some("state_bytes")
        } else {
            None
        }
    }
}

fn pair(first: u64, second: u64) -> [u8; 16] {
    (u128::from(first) << 64 | u128::from(second)).to_be_bytes()
}

#[expect(clippy::cast_possible_truncation, reason = "each half is taken by itself")]
fn numbers(bytes: &[u8]) -> (u64, u64) {
    let both = bytes.try_into().map_or(0, u128::from_be_bytes);
    ((both >> 64) as u64, both as u64)
}
