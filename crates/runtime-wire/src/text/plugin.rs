//! What the plugin says, for the host.

use midplane_contract::frame::message::PeerLimits;
use midplane_contract::frame::{CONNECTION, FrameKind, Prefix, WINDOW, flag};
use midplane_contract::{Code, Error, HostFunction, Result, defaults};
use serde_json::{Map, Value};

use super::answer;
use super::fields::Fields;
use super::flow::{Flow, frame};
use super::hooks;
use super::message::{self, Message, breach};
use super::payload::{self, NoBytes, string};
use super::register::Registration;
use super::translator::{Asked, LOGGING, Owed, Stage, Translator};

/// A function that no host has: it answers that, and so keeps the order of answers.
const NO_FUNCTION: u32 = u32::MAX;
/// Requests of a plugin under way at most; the host refuses from 256 on, these are for what it has not yet refused.
const ASKED: usize = 4_096;

impl Translator {
    pub(super) fn on_message(&mut self, line: &[u8]) -> Result<()> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        match (message::read(line)?, &self.stage) {
            (Message::Request { id, method, params }, Stage::Silent) if method == "register" => {
                let registration =
                    Registration::of(&params).map_err(|why| breach(&format!("`register`: {why}"), line))?;
                self.greet(registration, Some(id.unwrap_or("null").to_owned()));
                Ok(())
            }
            (_, Stage::Silent) => Err(breach("the first message is not `register`", line)),
            (Message::Request { id, method, params }, _) => self.ask(id, &method, &params, line),
            (Message::Answer { id, more, fields }, _) => self.take_answer(id, more, &fields, line),
        }
    }

    fn ask(&mut self, id: Option<&str>, method: &str, params: &Fields<'_>, line: &[u8]) -> Result<()> {
        if self.asked.len() >= ASKED {
            let message = "the plugin asks more than it reads answers for";
            return Err(Error::new(Code::ProtocolError, message).remedy("read stdin while asking"));
        }
        if method == "ping" {
            return self.ping(id);
        }
        let prepared = match HostFunction::from_name(method) {
            Some(function) => match prepare(function, params) {
                Ok((args, bytes)) => Ok((number_of(function), args, bytes)),
                Err(NoBytes::TooMany(error)) => Err(error),
                Err(NoBytes::Breach(why)) => return Err(breach(&why, line)),
            },
            None => Err(unknown(method)),
        };
        let log = id.is_none() && method == HostFunction::Log.name();
        // The plugin may ask from the answer to its registration on, and the host has yet to open what asks.
        if !self.opened || (log && self.logging >= LOGGING) {
            self.held.push_back(line.to_vec());
            return Ok(());
        }
        self.last_ask = self.last_ask.wrapping_add(2).max(2);
        let (number, instance) = (self.last_ask, self.instance.unwrap_or(CONNECTION));
        let mut asked = Asked { id: id.map(str::to_owned), log, ..Asked::default() };
        let (function, args, bytes) = prepared.unwrap_or_else(|error| {
            asked.instead = Some(error);
            (NO_FUNCTION, Vec::new(), Vec::new())
        });
        let mut flow = Flow::request(instance, number, function, args, bytes, PeerLimits::default().window);
        if !flow.pump(&mut self.out) {
            self.flows.insert(number, flow);
        }
        self.logging += usize::from(log);
        self.asked.insert(number, asked);
        Ok(())
    }

    fn ping(&mut self, id: Option<&str>) -> Result<()> {
        self.last_ask = self.last_ask.wrapping_add(2).max(2);
        self.asked.insert(self.last_ask, Asked { id: id.map(str::to_owned), ..Asked::default() });
        frame(Prefix::new(FrameKind::Ping, CONNECTION, self.last_ask), &[], &[], &mut self.out);
        Ok(())
    }

    fn take_answer(&mut self, id: u32, more: bool, fields: &Fields<'_>, line: &[u8]) -> Result<()> {
        let Some(owed) = self.owed.get(&id) else { return Ok(()) };
        let (instance, hook, cancelled) = (owed.instance, owed.hook, owed.cancelled);
        if let Some(error) = fields.get("error").filter(|error| *error != "null") {
            let said: Value =
                serde_json::from_str(error).map_err(|error| breach(&format!("`error`: {error}"), line))?;
            self.owed.remove(&id);
            match hook.filter(|_| answer::is_unknown_method(&said)) {
                Some(hook) => self.is_absent(hook, instance, id),
                None => self.fail(instance, id, &answer::error(&said)),
            }
            return Ok(());
        }
        let bytes = match payload::read(fields, "result") {
            Ok(bytes) => bytes,
            Err(NoBytes::Breach(why)) => return Err(breach(&why, line)),
            Err(NoBytes::TooMany(error)) => {
                self.owed.remove(&id);
                self.fail(instance, id, &error);
                return Ok(());
            }
        };
        match hook {
            _ if cancelled => {
                if !more {
                    self.owed.remove(&id);
                    let stopped = Error::new(Code::Cancelled, "the call was given up");
                    self.fail(instance, id, &stopped.remedy("call again if it is still wanted"));
                }
            }
            Some(hook) if !hooks::answers_bytes(hook) => self.hook_result(id, more, bytes),
            _ => self.pass_on(instance, id, bytes, more),
        }
        Ok(())
    }

    fn is_absent(&mut self, hook: midplane_contract::Hook, instance: u16, id: u32) {
        self.absent.extend(midplane_contract::Hook::ALL.iter().position(|known| *known == hook));
        frame(Prefix::new(FrameKind::Done, instance, id).flags(flag::ABSENT), &[], &[], &mut self.out);
    }

    /// Passes a piece of an answer on.
    fn pass_on(&mut self, instance: u16, id: u32, bytes: Vec<u8>, more: bool) {
        let flow = self.flows.entry(id).or_insert_with(|| Flow::answer(instance, id, WINDOW));
        flow.push(bytes, !more);
        if flow.pump(&mut self.out) {
            self.flows.remove(&id);
        }
        if !more {
            self.owed.remove(&id);
        }
    }

    /// The answer to a hook is looked at as a whole.
    fn hook_result(&mut self, id: u32, more: bool, bytes: Vec<u8>) {
        let Some(owed) = self.owed.get_mut(&id) else { return };
        // What is not looked at need not be kept.
        let most = if owed.hook == Some(midplane_contract::Hook::Event) {
            defaults::PAYLOAD_CAP
        } else {
            defaults::WIRE_CHUNK
        };
        let room = most.saturating_sub(owed.bytes.len());
        owed.bytes.extend(bytes.into_iter().take(room));
        if more {
            return;
        }
        if let Some(Owed { instance, hook: Some(hook), bytes, .. }) = self.owed.remove(&id) {
            match hooks::result(hook, &bytes) {
                Ok(answer) => self.answer(instance, id, answer),
                Err(error) => self.fail(instance, id, &error),
            }
        }
    }
}

/// A function's number on the wire.
fn number_of(function: HostFunction) -> u32 {
    let number = HostFunction::ALL.iter().position(|known| *known == function);
    number.and_then(|number| u32::try_from(number).ok()).unwrap_or(NO_FUNCTION)
}

fn unknown(method: &str) -> Error {
    if method == "register" {
        return Error::new(Code::NotSupported, "the plugin has registered").remedy("register once");
    }
    let shown: String = method.chars().take(80).collect();
    Error::new(Code::NotSupported, format!("unknown method: {shown}"))
        .remedy("see the requests of the plugin in contract/text.md")
}

/// Arguments and bytes of a request.
fn prepare(function: HostFunction, params: &Fields<'_>) -> std::result::Result<(Vec<u8>, Vec<u8>), NoBytes> {
    let bytes = payload::read(params, "input")?;
    let mut args = Vec::new();
    for (name, value) in params.iter().filter(|(name, _)| !matches!(*name, "input" | "text" | "base64")) {
        args.push(if args.is_empty() { b'{' } else { b',' });
        string(name, &mut args);
        args.push(b':');
        args.extend_from_slice(value.as_bytes());
    }
    if !args.is_empty() {
        args.push(b'}');
    }
    function
        .check_arguments(args.len())
        .map_err(|error| NoBytes::TooMany(error.remedy("send bytes as `input`, `text` or `base64`")))?;
    // What is nested too deep for the host would end the connection there.
    if !args.is_empty() && serde_json::from_slice::<Map<String, Value>>(&args).is_err() {
        return Err(NoBytes::Breach("its params are nested too deep".to_owned()));
    }
    Ok((args, bytes))
}
