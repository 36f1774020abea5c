//! What the plugin asks of the host.

use std::collections::BTreeMap;
use midplane_contract::frame::message as wire;
use midplane_contract::frame::{Frame, FrameKind, NO_DEADLINE, Prefix, WINDOW, flag};
use midplane_contract::{Code, Error, HostFunction, Result, defaults};
use serde_json::Value;
use serde_json::value::RawValue;

use super::message::{self, Message};
use super::payload::{self, field};
use super::Translator;

/// The only instance there is.
const INSTANCE: u16 = 0;
/// What a plugin may ask at once.
const ASKS: usize = 256;

/// A question of the plugin that is not answered yet.
pub(super) struct Ask {
    /// What the answer is sent to; a notice gets none.
    id: Option<Value>,
    answer: Vec<u8>,
    owed: usize,
    credit: usize,
}

impl Translator {
    pub(super) fn on_ask(&self, message: &Message<'_>) -> Result<()> {
        let method = message.method.as_deref().unwrap_or_default();
        let id = message.id.clone().filter(|id| !id.is_null());
        let refuse = |error: &Error| {
            if let Some(id) = &id {
                self.tell(&message::failure(id, error));
            }
        };
        match HostFunction::from_name(method) {
            Some(function) => match arguments(message.params) {
                Ok((args, payload)) => self.ask(id, function, &args, &payload),
                Err(error) if error.code() == Code::ProtocolError => return Err(error),
                Err(error) => refuse(&error),
            },
            None if method == "ping" => {
                if let Some(id) = &id {
                    self.tell(&message::answer(id, ",\"result\":{}"));
                }
            }
            None => {
                let method: String = method.chars().take(80).collect();
                refuse(&Error::new(Code::NotSupported, format!("unknown method: {method}")).remedy("see contract/text.md"));
            }
        }
        Ok(())
    }

    fn ask(&self, id: Option<Value>, function: HostFunction, args: &str, payload: &[u8]) {
        let number = HostFunction::ALL.iter().position(|known| *known == function);
        let number = number.and_then(|number| u32::try_from(number).ok()).unwrap_or(u32::MAX);
        let (ask, first) = {
            let mut state = self.state();
            if state.asks.len() >= ASKS {
                drop(state);
                if let Some(id) = &id {
                    let message = format!("{ASKS} requests to the host are under way");
                    self.tell(&message::failure(id, &Error::new(Code::Overloaded, message).remedy("wait for answers first")));
                }
                return;
            }
            state.next = if state.next >= u32::MAX - 3 { 2 } else { state.next + 2 };
            let (ask, window) = (state.next, state.limits.window);
            let first = payload.len().min(state.limits.chunk).min(window);
            state.asks.insert(ask, Ask { id, answer: Vec::new(), owed: 0, credit: window - first });
            (ask, first)
        };
        let (piece, mut rest) = payload.split_at(first);
        let more = |rest: &[u8]| if rest.is_empty() { 0 } else { flag::MORE };
        let head = Prefix::new(FrameKind::Host, INSTANCE, ask).value(number).time(NO_DEADLINE).flags(more(rest));
        self.frame(head, args.as_bytes(), piece);
        while !rest.is_empty() {
            let Some(size) = self.ask_credit(ask, rest.len()) else { return };
            let (piece, after) = rest.split_at(size);
            rest = after;
            self.frame(Prefix::new(FrameKind::Data, INSTANCE, ask).flags(more(rest)), &[], piece);
        }
    }

    /// Waits until something of a question may be sent; `None` when nobody will read it.
    fn ask_credit(&self, ask: u32, wanted: usize) -> Option<usize> {
        let mut state = self.state();
        loop {
            let chunk = state.limits.chunk;
            let asked = state.asks.get_mut(&ask)?;
            let size = wanted.min(asked.credit).min(chunk);
            if size > 0 {
                asked.credit -= size;
                return Some(size);
            }
            if self.link.is_over() {
                return None;
            }
            state = self.wait(state);
        }
    }

    /// Takes a frame of the kernel's answer.
    pub(super) fn on_answer(&self, frame: &Frame<'_>) -> Result<()> {
        let head = frame.prefix;
        let mut state = self.state();
        let Some(ask) = state.asks.get_mut(&head.id) else { return Ok(()) };
        match head.kind {
            FrameKind::Credit => {
                ask.credit = ask.credit.saturating_add(head.value as usize);
                self.news.notify_all();
            }
            FrameKind::Data => {
                ask.answer.extend_from_slice(frame.payload);
                ask.owed += frame.payload.len();
                if ask.owed >= WINDOW / 2 {
                    let grant = u32::try_from(std::mem::take(&mut ask.owed)).unwrap_or(u32::MAX);
                    drop(state);
                    self.frame(Prefix::new(FrameKind::Credit, head.instance, head.id).value(grant), &[], &[]);
                }
            }
            FrameKind::Done | FrameKind::Error => {
                let Some(Ask { id, mut answer, .. }) = state.asks.remove(&head.id) else { return Ok(()) };
                drop(state);
                self.news.notify_all();
                let Some(id) = id else { return Ok(()) };
                if head.kind == FrameKind::Error {
                    let error = wire::read_error(frame.payload)?;
                    self.tell(&message::failure(&id, &error));
                } else {
                    answer.extend_from_slice(frame.payload);
                    self.tell(&message::answer(&id, &field(&answer, self.shape.encoding, "result")));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The arguments of a host function, and its bytes.
fn arguments(params: Option<&RawValue>) -> Result<(String, Vec<u8>)> {
    let Some(params) = params.filter(|params| params.get() != "null") else { return Ok(("{}".to_owned(), Vec::new())) };
    let mut fields: BTreeMap<String, &RawValue> = serde_json::from_str(params.get())
        .map_err(|error| payload::broken(&format!("params that are no object: {error}")))?;
    let text = |raw: Option<&RawValue>| raw.map(|raw| serde_json::from_str::<String>(raw.get())).transpose();
    let no_text = |error: serde_json::Error| payload::broken(&format!("a payload that is no text: {error}"));
    let input = fields.remove("input");
    let given = text(fields.remove("text")).map_err(no_text)?;
    let base64 = text(fields.remove("base64")).map_err(no_text)?;
    let bytes = payload::bytes(input, given, base64.as_deref())?;
    let args = serde_json::to_string(&fields).unwrap_or_default();
    if args.len() > defaults::WIRE_HEADER || bytes.len() > defaults::PAYLOAD_CAP {
        let message = format!("arguments of {} bytes with a payload of {}", args.len(), bytes.len());
        return Err(Error::new(Code::LimitExceeded, message)
            .remedy(format!("at most {} and {} are allowed", defaults::WIRE_HEADER, defaults::PAYLOAD_CAP))
            .with("which", "payload"));
    }
    Ok((args, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(params: &str) -> Result<(String, Vec<u8>)> {
        arguments(Some(serde_json::from_str(params).unwrap()))
    }

    #[test]
    fn params_are_arguments_and_a_payload() {
        let (args, payload) = read(r#"{"address":"a/b","input":{"n": 1},"deadline_ms":5}"#).unwrap();
        assert_eq!((args.as_str(), payload.as_slice()), (r#"{"address":"a/b","deadline_ms":5}"#, &br#"{"n": 1}"#[..]));
        assert_eq!(read(r#"{"text":"hi"}"#).unwrap(), ("{}".to_owned(), b"hi".to_vec()));
        assert_eq!(arguments(None).unwrap(), ("{}".to_owned(), Vec::new()));
    }

    #[test]
    fn params_that_cannot_be_are_refused() {
        assert_eq!(read("[1]").unwrap_err().code(), Code::ProtocolError);
        assert_eq!(read(r#"{"text":1}"#).unwrap_err().code(), Code::ProtocolError);
        let long = format!(r#"{{"message":"{}"}}"#, "x".repeat(70_000));
        assert_eq!(read(&long).unwrap_err().code(), Code::LimitExceeded);
    }
}
