//! A plugin that speaks the text protocol: its messages pass the translator that turns them into the wire's frames.
//!
//! CONCURRENCY: one thread hears the kernel, one the plugin. What either brings for both sides is passed on by whoever
//! brought it, frames under one lock and messages under another, so that each side gets them in the order in which the
//! translator made them. The thread that hears the plugin waits while too much waits for the kernel; that holds up that
//! plugin alone.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use midplane_contract::frame::{CONNECTION, FrameKind, Prefix, message};
use midplane_contract::{Error, Result, defaults};
use midplane_runtime_wire::text::{Registration, Translator};

use crate::link::Link;

/// Bytes taken from the kernel at once.
const GULP: usize = 64 * 1024;
/// Pause between two looks whether the connection has ended, which rings no bell.
const LOOK: Duration = Duration::from_millis(100);

/// Between one plugin and the kernel.
pub(crate) struct Dialogue {
    link: Arc<Link>,
    translator: Mutex<Translator>,
    /// Rung when the kernel has taken something.
    room: Condvar,
    delivering: Mutex<()>,
    telling: Mutex<()>,
}

impl Dialogue {
    pub(crate) fn new(link: Arc<Link>, registration: Registration) -> Self {
        let translator = Mutex::new(Translator::registered(registration));
        let (delivering, telling) = (Mutex::default(), Mutex::default());
        Self { link, translator, room: Condvar::new(), delivering, telling }
    }

    /// Carries what the kernel says, until the connection ends.
    pub(crate) fn hear_host(&self) {
        let mut bytes = vec![0; GULP];
        self.pass_on();
        while let Ok(count @ 1..) = self.link.receive(&mut bytes) {
            if let Err(error) = self.translator().told(bytes.get(..count).unwrap_or_default()) {
                tracing::error!(%error, "the kernel's side of a connection cannot be read");
                break;
            }
            self.room.notify_all();
            self.pass_on();
        }
        self.link.close(&self.link.goodbye());
    }

    /// Takes one message of the plugin. What breaks the protocol ends the connection, and is what every call under way
    /// gets.
    pub(crate) fn hear_plugin(&self, text: &str) {
        let heard = {
            let mut translator = self.translator();
            while translator.is_full() && !self.link.is_over() {
                let waited = self.room.wait_timeout(translator, LOOK);
                translator = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            translator.heard(text.as_bytes())
        };
        self.pass_on();
        if let Err(error) = heard {
            self.breach(&error);
        }
    }

    fn pass_on(&self) {
        if let Err(error) = self.deliver().and_then(|()| self.tell()) {
            self.link.over(&format!("it took no more: {error}"));
        }
        if self.translator().is_ending() {
            self.link.close(&self.link.goodbye());
        }
    }

    /// Hands frames to the kernel.
    fn deliver(&self) -> std::io::Result<()> {
        let _turn = self.delivering.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let frames = std::mem::take(self.translator().frames());
            if frames.is_empty() {
                return Ok(());
            }
            // When the kernel is gone, whoever reads from it finds out.
            let _ = self.link.deliver(&frames);
        }
    }

    /// Hands messages to the plugin.
    fn tell(&self) -> std::io::Result<()> {
        let _turn = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let Some(message) = self.translator().next_message() else { return Ok(()) };
            self.link.outlet.text(&String::from_utf8_lossy(&message))?;
        }
    }

    fn breach(&self, error: &Error) {
        let record = message::write_error(error, defaults::WIRE_CHUNK);
        let head = Prefix::new(FrameKind::Error, CONNECTION, 0).sized(&[], &record).encode();
        let _turn = self.delivering.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.link.deliver(&[&head[..], &record].concat());
    }

    fn translator(&self) -> MutexGuard<'_, Translator> {
        self.translator.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a plugin said of itself, as far as it concerns the text protocol.
///
/// # Errors
/// `invalid_input` that says what cannot be meant.
pub(crate) fn registration(params: &str) -> Result<Registration> {
    Registration::read(params).map_err(|why| {
        Error::new(midplane_contract::Code::InvalidInput, format!("`register`: {why}")).remedy("see contract/text.md")
    })
}
