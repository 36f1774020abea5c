//! One call: what goes in, on whose behalf, until when, and where the reply goes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use midplane_contract::{ActionName, Code, Error, PluginId, Result, defaults};

/// One call as an instance sees it. Bytes in; bytes out through [`Reply`].
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The action's position in [`crate::CodeFacts::actions`].
    pub action: u32,
    /// The action's name, for messages.
    pub name: &'a str,
    /// The input, as the caller gave it.
    pub input: &'a [u8],
    /// On whose behalf, and until when.
    pub scope: &'a Scope,
}

/// On whose behalf a call or hook runs, and until when.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Who calls, innermost first; `None` when the host itself or its user does.
    pub caller: Option<Arc<Caller>>,
    /// When it must have ended.
    pub deadline: Deadline,
    /// W3C `traceparent` of the caller.
    pub trace: Option<Arc<str>>,
}

impl Scope {
    /// A scope of the host's own with this much time.
    #[must_use]
    pub fn within(time: Duration) -> Self {
        Self { deadline: Deadline::After(time), ..Self::default() }
    }
}

/// A link in the chain of plugins that wait for a call.
#[derive(Debug)]
pub struct Caller {
    /// The calling plugin.
    pub plugin: PluginId,
    /// The action it was in, if any.
    pub action: Option<ActionName>,
    /// Who called that.
    pub parent: Option<Arc<Caller>>,
    /// Links from here to the end, at least 1.
    pub depth: usize,
}

impl Caller {
    /// The chain from here outwards.
    pub fn chain(self: &Arc<Self>) -> impl Iterator<Item = &Caller> {
        let mut next = Some(self.as_ref());
        std::iter::from_fn(move || {
            let link = next?;
            next = link.parent.as_deref();
            Some(link)
        })
    }
}

/// When a call must have ended. `After` costs no clock reading until somebody needs the instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// So long after the call begins.
    After(Duration),
    /// At this instant.
    At(Instant),
}

impl Default for Deadline {
    fn default() -> Self {
        Self::After(defaults::CALL_DEADLINE)
    }
}

impl Deadline {
    /// The instant. Reads the clock for [`Deadline::After`], so ask once and keep the answer.
    #[must_use]
    pub fn instant(self) -> Instant {
        match self {
            Self::After(time) => {
                let now = Instant::now();
                // A century is as good as never, and never overflows.
                now.checked_add(time).unwrap_or_else(|| now + Duration::from_secs(3_000_000_000))
            }
            Self::At(instant) => instant,
        }
    }

    /// The same as an instant, so that it does not move on when it is handed to somebody else.
    #[must_use]
    pub fn stamped(self) -> Self {
        Self::At(self.instant())
    }

    /// The earlier of this and so much time from here on.
    #[must_use]
    pub fn min(self, most: Duration) -> Self {
        match self {
            Self::After(time) => Self::After(time.min(most)),
            at @ Self::At(_) if at.remaining() <= most => at,
            Self::At(_) => Self::After(most),
        }
    }

    /// Time left; zero when it has passed.
    #[must_use]
    pub fn remaining(self) -> Duration {
        match self {
            Self::After(time) => time,
            Self::At(instant) => instant.saturating_duration_since(Instant::now()),
        }
    }
}

/// Where the reply of a call goes: a buffer, or a stream with flow control.
pub struct Reply<'a> {
    sink: Sink<'a>,
    cap: usize,
}

enum Sink<'a> {
    Buffer(&'a mut Vec<u8>),
    Stream(&'a mut dyn ChunkSink),
}

/// Takes the chunks of a streamed reply. `chunk` may block until the reader has room.
pub trait ChunkSink: Send {
    /// Takes one chunk. An error means nobody reads any longer or the deadline passed: stop.
    fn chunk(&mut self, bytes: &[u8]) -> Result<()>;
}

impl<'a> Reply<'a> {
    /// A reply into a buffer, appended to what is there; more than `cap` bytes in all is `limit_exceeded`.
    pub fn buffer(buffer: &'a mut Vec<u8>, cap: usize) -> Self {
        Self { sink: Sink::Buffer(buffer), cap }
    }

    /// A reply handed on chunk by chunk; one chunk of more than `cap` bytes is `limit_exceeded`.
    pub fn stream(sink: &'a mut dyn ChunkSink, cap: usize) -> Self {
        Self { sink: Sink::Stream(sink), cap }
    }

    /// Whether chunks are handed on as they come.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        matches!(self.sink, Sink::Stream(_))
    }

    /// Appends bytes, or hands on a chunk.
    ///
    /// # Errors
    /// `limit_exceeded` over the cap; for streams also what the reader's end says.
    #[inline]
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.sink {
            Sink::Buffer(buffer) => {
                if buffer.len().saturating_add(bytes.len()) > self.cap {
                    return Err(too_large(buffer.len() + bytes.len(), self.cap));
                }
                buffer.extend_from_slice(bytes);
                Ok(())
            }
            Sink::Stream(_) if bytes.len() > self.cap => Err(too_large(bytes.len(), self.cap)),
            Sink::Stream(sink) => sink.chunk(bytes),
        }
    }

    /// As [`Reply::write`], for bytes that the writer has no more use for: many of them become the buffer instead of
    /// being copied into it, as long as nothing stands there.
    ///
    /// # Errors
    /// As [`Reply::write`].
    #[inline]
    pub fn write_owned(&mut self, bytes: Vec<u8>) -> Result<()> {
        match &mut self.sink {
            Sink::Buffer(buffer) if buffer.is_empty() && bytes.len() >= WORTH_MOVING && bytes.len() <= self.cap => {
                **buffer = bytes;
                Ok(())
            }
            _ => self.write(&bytes),
        }
    }
}

/// Below this many bytes a copy into a buffer that is there costs less than giving the buffer up.
const WORTH_MOVING: usize = 4096;

#[cold]
fn too_large(size: usize, cap: usize) -> Error {
    Error::new(Code::LimitExceeded, format!("the reply has {size} bytes, more than the {cap} allowed"))
        .remedy("reply in chunks through a stream, or raise limits.payload")
        .with("which", "payload")
        .with("limit", cap as u64)
}
