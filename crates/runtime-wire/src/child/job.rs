//! Something the host asked for, complete.

use std::sync::Arc;
use std::time::Duration;

use midplane_contract::frame::message::Origin;
use midplane_contract::frame::{Frame, FrameKind, Prefix, message};
use midplane_contract::{Result, defaults};
use midplane_kernel::{Caller, Deadline, Scope};

use super::seat::Seat;

/// A request of the host.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) head: Prefix,
    pub(super) scope: Scope,
    /// The header of frames that carry JSON of their own.
    pub(super) header: Vec<u8>,
    pub(super) input: Vec<u8>,
}

/// What a thread can be given to do.
pub(super) enum Job {
    /// Something for an instance that is free.
    Seat(Arc<Seat>, Request),
    /// `LOAD` or `OPEN`.
    Worker(Request),
}

impl Request {
    /// Takes a request's first frame, with a buffer for its input.
    ///
    /// # Errors
    /// `protocol_error` when the header cannot be read.
    pub(super) fn new(frame: &Frame<'_>, mut buffer: Vec<u8>) -> Result<Self> {
        buffer.clear();
        buffer.extend_from_slice(frame.payload);
        let head = frame.prefix;
        let mut scope = Scope::within(Duration::from_millis(u64::from(head.time)));
        let mut header = Vec::new();
        if matches!(head.kind, FrameKind::Call | FrameKind::Hook) {
            if !frame.header.is_empty() {
                let origin: Origin = message::parse(head.kind.name(), frame.header)?;
                scope.trace = origin.trace.as_deref().map(Arc::from);
                scope.caller = chain(origin);
            }
        } else {
            header.extend_from_slice(frame.header);
        }
        Ok(Self { head, scope, header, input: buffer })
    }

    /// Fixes the deadline before the request waits for something.
    pub(super) fn wait(mut self) -> Self {
        self.scope.deadline = Deadline::At(self.scope.deadline.instant());
        self
    }
}

fn chain(origin: Origin) -> Option<Arc<Caller>> {
    let links = origin.caller.into_iter().take(defaults::CALL_DEPTH).rev();
    links.fold(None, |parent: Option<Arc<Caller>>, link| {
        let depth = parent.as_ref().map_or(1, |parent| parent.depth + 1);
        Some(Arc::new(Caller { plugin: link.plugin, action: link.action, parent, depth }))
    })
}
