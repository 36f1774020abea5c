//! A peer that was not started here: it came by itself, over a line that somebody else holds.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use midplane_contract::{Code, Error};

use super::Over;

/// Whoever holds the line to a peer that was not started here.
pub trait Elsewhere: Send + Sync + 'static {
    /// Becomes readable when the peer is gone, for good.
    fn gone(&self) -> BorrowedFd<'_>;

    /// Cuts the line, if it still holds: the peer is gone soon after. Must not block.
    fn cut(&self, why: Option<&Error>);

    /// Why the peer has gone, as far as that is known; empty where it is not.
    fn last_words(&self) -> String;
}

/// A peer that was not started here.
pub(crate) struct Guest {
    line: Arc<dyn Elsewhere>,
    over: Over,
}

impl Guest {
    pub(crate) fn new(line: Arc<dyn Elsewhere>) -> Self {
        Self { line, over: Over::default() }
    }

    pub(super) fn exit_event(&self) -> BorrowedFd<'_> {
        self.line.gone()
    }

    pub(super) fn last_words(&self) -> String {
        self.line.last_words()
    }

    pub(super) fn reap(&self) {
        self.line.cut(None);
        self.over.say();
    }

    pub(super) fn wait(&self, patience: Duration) -> bool {
        self.over.wait(patience)
    }

    pub(super) fn cut(&self, why: Option<&Error>) {
        self.line.cut(why);
    }

    /// The error for a guest that went of itself.
    pub(crate) fn went(&self) -> Error {
        let words = self.last_words();
        let why = if words.is_empty() { String::new() } else { format!(": {words}") };
        Error::new(Code::PeerGone, format!("the plugin has disconnected{why}"))
            .remedy("nothing; it runs again when it has connected again")
    }

    /// What the end of the connection means for the plugin, whatever ended it: that it is gone.
    pub(crate) fn departure(&self, fate: &Error) -> Error {
        if fate.code() == Code::PeerGone {
            return fate.clone();
        }
        Error::new(Code::PeerGone, format!("the plugin was disconnected: {}", fate.record().message))
            .remedy("nothing; it runs again when it has connected again")
            .because(fate)
    }
}
