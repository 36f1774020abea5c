//! Lines of a connection: bounded in length and in the time they take.

use std::io;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::unix::OwnedReadHalf;
use tokio::time::timeout;

/// Bytes of a line at most.
pub(crate) const LONGEST: usize = 64 * 1024;
/// How long a connection may say nothing between two lines.
const IDLE: Duration = Duration::from_secs(60);
/// How long a line may take from its first byte to its end.
const SLOW: Duration = Duration::from_secs(10);

/// Reads lines.
pub(crate) struct Lines {
    stream: OwnedReadHalf,
    /// What was read and is not a whole line.
    left: Vec<u8>,
}

/// What comes next.
pub(crate) enum Next {
    /// A line, without its end. The last one need not have any.
    Line(Vec<u8>),
    /// More than a line may have.
    TooLong,
    /// Nothing, in the time there is.
    TooSlow,
    /// Nothing: the other side has ended.
    End,
}

impl Lines {
    pub(crate) fn new(stream: OwnedReadHalf) -> Self {
        Self { stream, left: Vec::new() }
    }

    /// The other end.
    pub(crate) fn stream(&self) -> &OwnedReadHalf {
        &self.stream
    }

    /// Waits for the next line.
    pub(crate) async fn next(&mut self) -> Next {
        if self.left.is_empty() {
            match timeout(IDLE, self.read()).await {
                Err(_) => return Next::TooSlow,
                Ok(Ok(read)) if read > 0 => {}
                Ok(_) => return Next::End,
            }
        }
        timeout(SLOW, self.rest()).await.unwrap_or(Next::TooSlow)
    }

    async fn rest(&mut self) -> Next {
        let mut seen = 0;
        loop {
            let fresh = self.left.get(seen..).unwrap_or_default();
            if let Some(at) = fresh.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.left.drain(..=seen + at).collect();
                line.pop();
                return if line.len() > LONGEST { Next::TooLong } else { Next::Line(line) };
            }
            seen = self.left.len();
            if seen > LONGEST {
                return Next::TooLong;
            }
            match self.read().await {
                Ok(read) if read > 0 => {}
                Ok(_) if !self.left.is_empty() => return Next::Line(std::mem::take(&mut self.left)),
                _ => return Next::End,
            }
        }
    }

    async fn read(&mut self) -> io::Result<usize> {
        self.stream.read_buf(&mut self.left).await
    }
}
