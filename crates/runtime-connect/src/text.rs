//! The text protocol of `contract/text.md`, translated: to the kernel's end of the wire this is a peer like every other, to
//! the plugin it is the host.
//!
//! CONCURRENCY: two threads work here. One hears the kernel ([`Translator::hear_host`]) and never waits for the other;
//! one hears the plugin ([`Translator::hear_plugin`]) and waits where the kernel gives no credit, which holds up that
//! plugin alone.

mod asking;
mod message;
mod payload;
mod replying;
mod serving;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use midplane_contract::frame::message::PeerLimits;
use midplane_contract::frame::{CONNECTION, Decoder, FrameKind, MAGIC, Prefix, message as json};
use midplane_contract::{ActionName, Error, Hook, Manifest, Result};
use serde::Serialize;

use crate::link::Link;
use asking::Ask;
pub(crate) use payload::Encoding;
use serving::Request;

/// Pause between two looks whether the connection has ended.
const LOOK: Duration = Duration::from_millis(100);

/// What a plugin that speaks text says of itself when it registers.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) actions: Vec<ActionName>,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) encoding: Encoding,
}

impl Shape {
    /// The hooks of a plugin that names none; one that it does not know is not asked for again.
    pub(crate) const HOOKS: [Hook; 6] =
        [Hook::Init, Hook::Start, Hook::Stop, Hook::Cleanup, Hook::Health, Hook::Event];

    /// Every capability that is a valid name is an action, unless actions are named.
    pub(crate) fn actions(manifest: &Manifest) -> Vec<ActionName> {
        if manifest.actions.is_empty() {
            return manifest.capabilities.iter().filter_map(|name| ActionName::new(name).ok()).collect();
        }
        manifest.actions.iter().map(|spec| spec.name.clone()).collect()
    }
}

/// Between one plugin and the kernel.
pub(crate) struct Translator {
    link: Arc<Link>,
    plugin: String,
    shape: Shape,
    state: Mutex<State>,
    /// Rung when there is credit, and when something is given up.
    news: Condvar,
    /// Held while a frame is written, so that frames of the two threads do not mix.
    writing: Mutex<()>,
}

struct State {
    limits: PeerLimits,
    /// What the kernel has asked and the plugin has not answered, by id.
    requests: HashMap<u32, Request>,
    /// What the plugin has asked and the kernel has not answered.
    asks: HashMap<u32, Ask>,
    next: u32,
    absent: HashSet<Hook>,
}

impl Translator {
    pub(crate) fn new(link: Arc<Link>, plugin: &str, shape: Shape) -> Self {
        let state = State {
            limits: PeerLimits::default(),
            requests: HashMap::new(),
            asks: HashMap::new(),
            next: 0,
            absent: HashSet::new(),
        };
        let (state, news, writing) = (Mutex::new(state), Condvar::new(), Mutex::new(()));
        Self { link, plugin: plugin.to_owned(), shape, state, news, writing }
    }

    /// Carries what the kernel says, until the connection ends. Runs on a thread of its own.
    pub(crate) fn run(&self) {
        self.greet();
        let mut decoder = Decoder::default();
        while let Ok(count) = self.link.receive(decoder.space()) {
            if count == 0 {
                break;
            }
            decoder.filled(count);
            if let Err(error) = self.hear_host(&mut decoder) {
                tracing::error!(plugin = self.plugin, %error, "the kernel's side of a connection cannot be read");
                break;
            }
        }
        self.link.close(&crate::socket::Closing::done());
        self.news.notify_all();
    }

    fn greet(&self) {
        let hello = json::Hello::ours("text");
        let hello = serde_json::to_vec(&hello).unwrap_or_default();
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let head = Prefix::new(FrameKind::Hello, CONNECTION, 0).sized(&hello, &[]).encode();
        // When the kernel is gone, reading says so.
        let _ = self.link.deliver(&[&MAGIC[..], &head, &hello].concat());
    }

    fn hear_host(&self, decoder: &mut Decoder) -> Result<()> {
        while let Some(frame) = decoder.next()? {
            match frame.prefix.kind {
                FrameKind::Hello => self.state().limits = json::Hello::accept(frame.header)?.1,
                FrameKind::Ping => {
                    let pong = Prefix { kind: FrameKind::Pong, header: 0, payload: 0, ..frame.prefix };
                    self.frame(pong, &[], &[]);
                }
                FrameKind::Shutdown => {
                    self.notice("shutdown", &serde_json::json!({}));
                    self.link.close(&crate::socket::Closing::done());
                }
                _ if frame.prefix.id.is_multiple_of(2) => self.on_answer(&frame)?,
                _ => self.on_request(&frame)?,
            }
        }
        Ok(())
    }

    /// Writes one frame to the kernel.
    fn frame(&self, head: Prefix, header: &[u8], payload: &[u8]) {
        let head = head.sized(header, payload).encode();
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        // When the kernel is gone, reading says so.
        let _ = self.link.deliver(&[&head[..], header, payload].concat());
    }

    fn fail(&self, instance: u16, id: u32, error: &Error) {
        let record = json::write_error(error, self.state().limits.chunk);
        self.frame(Prefix::new(FrameKind::Error, instance, id), &[], &record);
    }

    /// Sends one message to the plugin. A connection that takes none is over.
    fn tell(&self, text: &str) {
        if let Err(error) = self.link.outlet.text(text) {
            self.link.over(&format!("it took no more: {error}"));
        }
    }

    fn notice(&self, method: &str, params: &impl Serialize) {
        self.tell(&message::notice(method, params));
    }

    /// What broke the protocol: the kernel ends the connection, and every call under way gets this error.
    pub(crate) fn breach(&self, error: &Error) {
        self.fail(CONNECTION, 0, error);
    }

    /// Waits for news. The end of the connection rings no bell, so whoever waits looks by himself as well.
    fn wait<'s>(&self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        self.news.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner).0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
