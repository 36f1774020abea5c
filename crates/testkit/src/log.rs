//! What plugins wrote to the log, for tests that wait for a line of theirs.

use std::fmt::Debug;
use std::sync::{LazyLock, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static LINES: Mutex<Vec<Line>> = Mutex::new(Vec::new());
static LISTENING: LazyLock<bool> = LazyLock::new(|| tracing::subscriber::set_global_default(Listener).is_ok());

/// Lines kept; the oldest go first.
const KEPT: usize = 10_000;

#[derive(Default)]
struct Line {
    plugin: String,
    message: String,
}

/// Begins to listen to the log of this process. `false` when somebody else does already: then nothing is heard.
pub fn listen() -> bool {
    *LISTENING
}

/// Whether a plugin of this id has written this line since [`listen`]. Kernels share the process's log, so ask for ids
/// that no other test uses.
#[must_use]
pub fn heard(plugin: &str, message: &str) -> bool {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    lines.iter().any(|line| line.plugin == plugin && line.message == message)
}

/// Whether a plugin of this id has written a line with this in it since [`listen`].
#[must_use]
pub fn heard_part(plugin: &str, part: &str) -> bool {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    lines.iter().any(|line| line.plugin == plugin && line.message.contains(part))
}

struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "plugin"
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= KEPT {
            lines.drain(..KEPT / 2);
        }
        lines.push(line);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "plugin" => self.plugin = format!("{value:?}"),
            "message" => self.message = format!("{value:?}"),
            _ => {}
        }
    }
}
