//! A WebSocket as this crate uses it, whoever accepted it: [`Incoming`] to read, [`Outlet`] to write.

use std::io;

use midplane_contract::{Code, Error};

/// What arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A sign of life: a ping or a pong.
    Life,
}

/// The reading end. One thread reads, and may wait for as long as it takes.
pub trait Incoming: Send {
    /// The next message; `None` when the other side has closed. Pings are answered on the way.
    ///
    /// # Errors
    /// `UnexpectedEof` when the connection broke, `InvalidData` for what is no WebSocket or too large, `TimedOut` when the
    /// time for a registration is up.
    fn next(&mut self) -> io::Result<Option<Message>>;

    /// The plugin is registered: there is no deadline any longer, and its messages may have so many bytes.
    fn admitted(&mut self, limit: usize);
}

/// The writing end. Any thread writes; messages do not mix.
pub trait Outlet: Send + Sync + 'static {
    /// Sends a text message, waiting until it is written.
    ///
    /// # Errors
    /// When the connection is closed or takes nothing for longer than the settings allow.
    fn text(&self, text: &str) -> io::Result<()>;

    /// Sends a binary message, likewise.
    ///
    /// # Errors
    /// As for text.
    fn binary(&self, bytes: &[u8]) -> io::Result<()>;

    /// Sends a ping. Never waits for a message that is being written.
    fn ping(&self);

    /// Closes with a code and a reason, and lets the other side answer that. Never waits.
    fn close(&self, closing: &Closing);

    /// Breaks the connection, answered or not.
    fn destroy(&self);
}

/// Why a connection is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The WebSocket's code.
    pub code: u16,
    /// The reason in words; at most 123 bytes of it arrive.
    pub reason: String,
}

impl Closing {
    /// The plugin is no longer needed.
    pub(crate) fn done() -> Self {
        Self { code: 1000, reason: "the host needs the plugin no longer".to_owned() }
    }

    /// The host goes.
    pub(crate) fn stopping() -> Self {
        Self { code: 1001, reason: "the host is stopping".to_owned() }
    }

    /// Nothing was heard.
    pub(crate) fn silent() -> Self {
        Self { code: 4000, reason: "nothing was heard of the plugin for too long".to_owned() }
    }

    /// For an error.
    pub(crate) fn of(error: &Error) -> Self {
        let code = match error.code() {
            Code::ProtocolError => 1002,
            Code::PermissionDenied => 1008,
            Code::LimitExceeded | Code::Overloaded => 1013,
            _ => 4001,
        };
        Self { code, reason: error.record().message.clone() }
    }

    /// The reason, cut to what a close frame holds.
    #[must_use]
    pub fn short(&self) -> &str {
        const MOST: usize = 123;
        let mut end = self.reason.len().min(MOST);
        while !self.reason.is_char_boundary(end) {
            end -= 1;
        }
        self.reason.get(..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_cut_between_characters() {
        let closing = Closing { code: 1000, reason: "é".repeat(100) };
        assert_eq!(closing.short().len(), 122);
    }
}
