//! Between the host's frames and the plugin's messages.

use std::collections::{HashMap, HashSet, VecDeque};

use midplane_contract::frame::message::{self, Load};
use midplane_contract::frame::{CONNECTION, Decoder, FrameKind, MAGIC, Prefix, WINDOW};
use midplane_contract::{ActionName, Error, Hook, Result};

use super::flow::{Flow, frame};
use super::payload::Encoding;
use super::register::Registration;

/// Bytes for the host above which no more should be read from the plugin.
const HIGH: usize = 4 * 1024 * 1024;
/// Lines for the log on their way at most: one that writes faster waits, where other requests would be refused. They wait for
/// nothing that the plugin does, so this ends.
pub(super) const LOGGING: usize = 64;
/// Bytes of requests that are held back, above which no more should be read; and what each costs beside.
const HELD: usize = 64 * 1024;
const LINE: usize = 256;

/// Turns the host's side of the wire protocol into messages for a plugin, and what the plugin says into frames.
///
/// Use: give it what the host sends with [`Translator::told`] and send on what [`Translator::next_message`] gives; give
/// it what the plugin says with [`Translator::heard`] and hand [`Translator::frames`] to the host. Either may bring
/// something for both. What it holds is bounded by what both sides may send at once; a plugin should not be read while
/// [`Translator::is_full`].
#[derive(Debug, Default)]
pub struct Translator {
    pub(super) decoder: Decoder,
    /// For the host.
    pub(super) out: Vec<u8>,
    /// For the plugin.
    pub(super) messages: VecDeque<Vec<u8>>,
    pub(super) stage: Stage,
    pub(super) encoding: Encoding,
    /// The id of `register`, which is answered when the instance is open.
    pub(super) welcome: Option<String>,
    pub(super) plugin: String,
    pub(super) actions: Vec<ActionName>,
    /// The instance that is open.
    pub(super) instance: Option<u16>,
    /// Requests of the host that have not come in full.
    pub(super) coming: HashMap<(u16, u32), Coming>,
    /// Requests of the host that the plugin owes an answer.
    pub(super) owed: HashMap<u32, Owed>,
    /// Hooks that the plugin does not have after all.
    pub(super) absent: HashSet<usize>,
    /// What is on its way to the host and waits for credit.
    pub(super) flows: HashMap<u32, Flow>,
    /// Requests of the plugin that the host owes an answer.
    pub(super) asked: HashMap<u32, Asked>,
    /// How many of these are lines for the log that nobody waits for.
    pub(super) logging: usize,
    /// Whether the host has opened the instance, now or before.
    pub(super) opened: bool,
    /// What the plugin has asked before that, and lines for the log above those on their way.
    pub(super) held: VecDeque<Vec<u8>>,
    pub(super) last_ask: u32,
    pub(super) ending: bool,
}

/// How far the acquaintance has come.
#[derive(Debug, Default)]
pub(super) enum Stage {
    /// Nothing was heard.
    #[default]
    Silent,
    /// The plugin has registered.
    Registered(Box<Registration>),
    /// The host knows what it is.
    Loaded,
}

/// A request of the host under way.
#[derive(Debug)]
pub(super) struct Coming {
    pub(super) head: Prefix,
    pub(super) header: Vec<u8>,
    pub(super) bytes: Vec<u8>,
}

/// A request that the plugin owes an answer.
#[derive(Debug)]
pub(super) struct Owed {
    pub(super) instance: u16,
    /// `None` for a call.
    pub(super) hook: Option<Hook>,
    /// Given up: whatever the plugin still says, nobody wants it.
    pub(super) cancelled: bool,
    /// Bytes of the answer so far, where they are not passed on as they come.
    pub(super) bytes: Vec<u8>,
}

/// A request that the host owes an answer.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// The plugin's id for it, as written; `None` where nobody waits.
    pub(super) id: Option<String>,
    /// What to answer whatever the host says.
    pub(super) instead: Option<Error>,
    pub(super) bytes: Vec<u8>,
    /// Whether it is a line for the log that nobody waits for.
    pub(super) log: bool,
}

impl Translator {
    /// For a plugin that has said nothing: its first message must be `register`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For a plugin that has registered with somebody else, who also answers that.
    #[must_use]
    pub fn registered(registration: Registration) -> Self {
        let mut translator = Self::default();
        translator.greet(registration, None);
        translator
    }

    /// Takes bytes of the host's side of the wire.
    ///
    /// # Errors
    /// `protocol_error` where the host breaks the wire protocol.
    pub fn told(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let space = self.decoder.space();
            let (now, after) = bytes.split_at(bytes.len().min(space.len()));
            if let Some(room) = space.get_mut(..now.len()) {
                room.copy_from_slice(now);
            }
            self.decoder.filled(now.len());
            bytes = after;
            let mut decoder = std::mem::take(&mut self.decoder);
            let result = self.take_frames(&mut decoder);
            self.decoder = decoder;
            result?;
        }
        Ok(())
    }

    fn take_frames(&mut self, decoder: &mut Decoder) -> Result<()> {
        while let Some(frame) = Decoder::next(decoder)? {
            self.on_frame(&frame)?;
        }
        Ok(())
    }

    /// Takes a message of the plugin.
    ///
    /// # Errors
    /// `protocol_error` that quotes its beginning: the plugin is to be ended then.
    pub fn heard(&mut self, message: &[u8]) -> Result<()> {
        self.on_message(message)
    }

    /// The next message for the plugin, without a line break.
    #[must_use]
    pub fn next_message(&mut self) -> Option<Vec<u8>> {
        self.messages.pop_front()
    }

    /// The frames for the host. Whoever takes some off leaves the rest.
    pub fn frames(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Whether so much waits for the host that no more should be read from the plugin.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let held: usize = self.held.iter().map(|line| line.len() + LINE).sum();
        let waiting = self.out.len() + self.flows.values().map(Flow::held).sum::<usize>();
        held > HELD || self.logging >= LOGGING || waiting > HIGH
    }

    /// Whether the plugin has been told to end: nothing more will be said to it.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.ending
    }

    /// Whether the plugin has registered.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        !matches!(self.stage, Stage::Silent)
    }

    pub(super) fn greet(&mut self, registration: Registration, id: Option<String>) {
        self.encoding = if id.is_some() { registration.encoding } else { registration.encoding.inline() };
        self.out.extend_from_slice(&MAGIC);
        let hello = serde_json::to_vec(&registration.hello()).unwrap_or_default();
        frame(Prefix::new(FrameKind::Hello, CONNECTION, 0), &hello, &[], &mut self.out);
        self.welcome = id;
        self.stage = Stage::Registered(Box::new(registration));
    }

    /// Answers the host in one piece, or in as many as it takes.
    pub(super) fn answer(&mut self, instance: u16, id: u32, bytes: Vec<u8>) {
        let mut flow = Flow::answer(instance, id, WINDOW);
        flow.push(bytes, true);
        if !flow.pump(&mut self.out) {
            self.flows.insert(id, flow);
        }
    }

    pub(super) fn fail(&mut self, instance: u16, id: u32, error: &Error) {
        self.flows.remove(&id);
        let json = message::write_error(error, midplane_contract::defaults::WIRE_CHUNK);
        frame(Prefix::new(FrameKind::Error, instance, id), &[], &json, &mut self.out);
    }

    pub(super) fn know(&mut self, load: &Load, actions: Vec<ActionName>) {
        self.plugin = load.manifest.id.to_string();
        self.actions = actions;
        self.stage = Stage::Loaded;
    }

    /// Queues a message for the plugin, and the line that belongs to it.
    pub(super) fn say(&mut self, message: Vec<u8>, follows: Option<Vec<u8>>) {
        self.messages.push_back(message);
        self.messages.extend(follows);
    }
}
