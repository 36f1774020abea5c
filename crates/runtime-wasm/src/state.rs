//! What a store carries: the running call's time and scope, the limits, and the way to the kernel.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use midplane_contract::{ActionName, Code, Error, HostFunction, PluginId, Result, defaults};
use midplane_kernel::{Deadline, Host, HostRequest, Scope, Within};
use wasmtime::{StoreContextMut, UpdateDeadline};

use crate::core::preview1::Printed;
use crate::limiter::Limiter;
use crate::ticker::Beat;

/// The data of one store.
pub(crate) struct GuestState {
    pub(crate) beat: Arc<Beat>,
    pub(crate) limiter: Limiter,
    pub(crate) plugin: PluginId,
    /// When the running call must have ended.
    pub(crate) deadline: Deadline,
    /// The running call is on a stack of its own and gives the executor back on every tick.
    pub(crate) suspends: bool,
    /// The running call's scope, kept only for guests that can reach the kernel.
    pub(crate) scope: Scope,
    /// The running call's action, a position in `actions`; `None` in hooks.
    pub(crate) action: Option<u32>,
    pub(crate) actions: Arc<[ActionName]>,
    pub(crate) host: Option<Arc<dyn Host>>,
    /// What the guest said before it trapped.
    pub(crate) last_words: Option<String>,
    /// Chunks of the running call's reply that have not been handed on.
    pub(crate) chunks: Chunks,
    /// There may be chunks.
    pub(crate) emitted: bool,
    /// The host's last answer, until a core guest has fetched it.
    pub(crate) answer: Vec<u8>,
    /// What a core guest has printed of a line.
    pub(crate) printed: Printed,
    /// Largest payload in either direction.
    pub(crate) payload_cap: usize,
}

/// Chunks on their way from the guest to the reply. Shared with the future that drives a streamed call, because that
/// future holds the store.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chunks(Arc<Mutex<Vec<Vec<u8>>>>);

impl Chunks {
    pub(crate) fn push(&self, chunk: Vec<u8>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(chunk);
    }

    pub(crate) fn take(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn bytes(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(Vec::len).sum()
    }
}

/// Why a running guest was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    #[error("the deadline passed")]
    Deadline,
    #[error("the caller gave up")]
    Cancelled,
}

impl GuestState {
    /// Whether a call that may give chunks is running.
    pub(crate) fn is_in_call(&self) -> bool {
        self.action.is_some()
    }

    /// Takes one chunk of the running call. False when no call runs or the chunks that wait exceed the payload cap.
    pub(crate) fn emit(&mut self, chunk: Vec<u8>) -> Result<bool> {
        if !self.is_in_call() {
            return Ok(false);
        }
        if self.chunks.bytes().saturating_add(chunk.len()) > self.payload_cap {
            return Err(Error::new(Code::LimitExceeded, format!("the reply exceeds {} bytes", self.payload_cap))
                .remedy("reply in smaller pieces to a caller that streams, or raise limits.payload")
                .with("which", "payload")
                .with("limit", self.payload_cap as u64));
        }
        self.chunks.push(chunk);
        self.emitted = true;
        Ok(true)
    }

    /// The chunks that wait, oldest first.
    #[cold]
    pub(crate) fn take_chunks(&mut self) -> Vec<Vec<u8>> {
        self.emitted = false;
        self.chunks.take()
    }

    /// Asks the kernel within the running call or hook.
    pub(crate) fn request(&self, function: HostFunction, args: &str, payload: &[u8]) -> Result<Vec<u8>> {
        let Some(host) = &self.host else {
            return Err(Error::new(
                Code::NotSupported,
                format!("{function} is not available while the code is loaded"),
            )
            .remedy("ask for it in a hook or an action"));
        };
        let action = self.action.and_then(|position| self.actions.get(position as usize));
        let within = Within { scope: &self.scope, action: action.map(ActionName::as_str) };
        host.request(&within, &HostRequest { function, args, payload })
    }

    /// Asks the kernel by a name that the guest gave.
    pub(crate) fn request_by_name(&self, name: &str, args: &str, payload: &[u8]) -> Result<Vec<u8>> {
        self.request(HostFunction::named(name)?, args, payload)
    }

    /// Writes a line to the plugin's log. A line that the kernel refuses is lost, as a log may be.
    pub(crate) fn log(&self, level: &str, message: &str, fields: serde_json::Value) {
        let message = clipped(message);
        if self.host.is_none() {
            tracing::info!(plugin = %self.plugin, level, "{message}");
            return;
        }
        let args = serde_json::json!({"level": level, "message": message, "fields": fields}).to_string();
        if let Err(error) = self.request(HostFunction::Log, &args, &[]) {
            tracing::debug!(plugin = %self.plugin, %error, "a log line was refused");
        }
    }
}

fn clipped(text: &str) -> &str {
    text.get(..text.floor_char_boundary(defaults::LOG_LINE)).unwrap_or(text)
}

/// Runs on each tick of a running guest: ends it, lets others run, or goes on.
pub(crate) fn on_tick(mut store: StoreContextMut<'_, GuestState>) -> wasmtime::Result<UpdateDeadline> {
    let state = store.data_mut();
    if state.beat.is_stopped() {
        return Err(Stop::Cancelled.into());
    }
    // The first tick of a call turns its time into an instant: until then no clock was read.
    let end = state.deadline.instant();
    state.deadline = Deadline::At(end);
    if Instant::now() >= end {
        return Err(Stop::Deadline.into());
    }
    Ok(if state.suspends { UpdateDeadline::Yield(1) } else { UpdateDeadline::Continue(1) })
}
