//! What a caller or an operator may choose.

use serde::Deserialize;

/// How a thumbnail is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Longest edge of the thumbnail, in pixels, 1 to 4,096. Smaller pictures keep their size.
    pub longest_edge: u32,
    /// Largest picture that is decoded, in pixels (width × height), 1 to 100 million.
    pub max_pixels: u64,
}

impl Default for Options {
    /// 32 million pixels hold what phones and most cameras take, and fit into the memory that `plugin.yaml` asks for.
    fn default() -> Self {
        Self { longest_edge: 256, max_pixels: 32_000_000 }
    }
}

impl Options {
    /// The values themselves, if they are in range.
    ///
    /// # Errors
    /// The first value out of its range, with the range, for people.
    pub fn check(self) -> Result<Self, String> {
        if !(1..=4096).contains(&self.longest_edge) {
            return Err(format!("longest_edge is {}, it must be 1 to 4096", self.longest_edge));
        }
        if !(1..=100_000_000).contains(&self.max_pixels) {
            return Err(format!("max_pixels is {}, it must be 1 to 100000000", self.max_pixels));
        }
        Ok(self)
    }
}
