//! Standard output and error: lines for the plugin's log.

use midplane_contract::defaults;
use midplane_contract::{Code, Error, Result};

use super::{EBADF, Errno, Guest, SUCCESS, number, put};
use crate::core::imports::memory;
use crate::core::packed::slice;

/// Pieces that one write may have.
const PIECES: u32 = 1024;

/// What was printed and has no end of line yet; of standard output and of standard error.
#[derive(Debug, Default)]
pub(crate) struct Printed([Vec<u8>; 2]);

impl Printed {
    /// Takes bytes and gives the lines that they complete. A line over the log's own limit is cut there.
    fn take(&mut self, fd: u32, bytes: &[u8]) -> Vec<String> {
        let Some(line) = self.0.get_mut(usize::from(fd == 2)) else { return Vec::new() };
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = piece.strip_suffix(b"\n");
            let room = defaults::LOG_LINE.saturating_sub(line.len());
            line.extend(text.unwrap_or(piece).iter().take(room));
            if text.is_some() {
                lines.push(String::from_utf8_lossy(line).into_owned());
                line.clear();
            }
        }
        lines.retain(|line| !line.trim().is_empty());
        lines
    }
}

/// `fd_write`.
pub(super) fn write(guest: &mut Guest<'_>, fd: u32, from: u32, count: u32, at: u32) -> Errno {
    if fd != 1 && fd != 2 {
        return Ok(EBADF);
    }
    if count > PIECES {
        return Err(Error::new(Code::Trapped, format!("invalid memory access: a write in {count} pieces")).into());
    }
    let mut written = 0_u32;
    for piece in 0..count {
        let (lines, len) = take(guest, fd, from.wrapping_add(8 * piece))?;
        for line in lines {
            guest.data().log("info", &line, serde_json::Value::Null);
        }
        written = written.saturating_add(len);
    }
    put(guest, at, &written.to_le_bytes())?;
    Ok(SUCCESS)
}

fn take(guest: &mut Guest<'_>, fd: u32, vector: u32) -> Result<(Vec<String>, u32)> {
    let (memory, state) = memory(guest)?;
    let at = u32::from_le_bytes(number(memory, vector)?);
    let len = u32::from_le_bytes(number(memory, vector.wrapping_add(4))?);
    let bytes = slice(memory, at, len, "fd_write")?;
    Ok((state.printed.take(fd, bytes), len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_from_pieces_and_streams_do_not_mix() {
        let mut printed = Printed::default();
        assert!(printed.take(1, b"out").is_empty());
        assert_eq!(printed.take(2, b"panic: boom\n\ngor"), ["panic: boom"]);
        assert_eq!(printed.take(1, b"put\nnext"), ["output"]);
        assert_eq!(printed.take(2, b"outine 1\n"), ["goroutine 1"]);
    }

    #[test]
    fn an_endless_line_is_held_at_the_cap() {
        let mut printed = Printed::default();
        for _ in 0..100 {
            assert!(printed.take(1, &[b'x'; 10_000]).is_empty());
        }
        assert_eq!(printed.take(1, b"\n"), ["x".repeat(defaults::LOG_LINE)]);
    }
}
