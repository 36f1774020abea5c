//! The seam to whatever speaks HTTP for plugins. The kernel decides who may reach what; a [`Fetch`] goes there.

use std::time::Instant;

use midplane_contract::Result;

/// Fetches on behalf of plugins.
pub trait Fetch: Send + Sync + 'static {
    /// Sends a request, follows redirects, and returns the answer whole. Blocks, until the deadline at most. Asks `pass`
    /// on the thread that calls, for the address and again for that of every redirect, before anything is sent there.
    ///
    /// # Errors
    /// What `pass` says, and which stage failed: `invalid_input`, `peer_gone`, `signature_invalid`, `protocol_error`,
    /// `limit_exceeded`, `deadline_exceeded`, `cancelled`. No error holds a query, a header or a body.
    fn fetch(&self, request: &FetchRequest<'_>, pass: &dyn Pass) -> Result<FetchAnswer>;
}

/// Decides where a request may go.
pub trait Pass {
    /// Whether this place may be asked, and how far its name reaches.
    ///
    /// # Errors
    /// `permission_denied`.
    fn pass(&self, place: &Place<'_>) -> Result<Reach>;
}

/// Where a request goes next.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The address as it will be asked for: normalized, without a fragment.
    pub url: &'a str,
    /// The host in it, as it stands there.
    pub host: &'a str,
    /// What logs and errors may hold of it: without the query, for which `?**` stands.
    pub shown: &'a str,
}

/// Which machines a name may stand for, the fewest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Those of the public internet alone.
    Public,
    /// Any, this one and its neighbours too: an operator has named the host.
    Anywhere,
}

/// One request of a plugin.
#[derive(Debug, Clone)]
pub struct FetchRequest<'a> {
    /// The method, as the plugin wrote it.
    pub method: &'a str,
    /// The address, as the plugin wrote it.
    pub url: &'a str,
    /// Names and values of headers, as the plugin wrote them.
    pub headers: Vec<(&'a str, &'a str)>,
    /// The body; empty for none.
    pub body: &'a [u8],
    /// Most bytes in the body of the answer.
    pub cap: usize,
    /// When all of it must have ended.
    pub deadline: Instant,
    /// Says when nobody waits for it any longer.
    pub stop: Stop,
}

/// What came back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FetchAnswer {
    /// The status.
    pub status: u16,
    /// Headers as they came, names in lower case. A name may come more than once.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Says when nobody waits for a fetch any longer: its call was given up, or its plugin is gone.
#[derive(Debug, Clone)]
pub struct Stop(pub(crate) Option<async_channel::Receiver<()>>);

impl Stop {
    /// One that never comes, for tests and for requests that nobody takes back.
    #[must_use]
    pub fn never() -> Self {
        Self(None)
    }

    /// Ready once it has come.
    pub async fn stopped(&self) {
        match &self.0 {
            // Nothing is ever sent: the end of the channel is the message.
            Some(channel) => drop(channel.recv().await),
            None => std::future::pending().await,
        }
    }
}
