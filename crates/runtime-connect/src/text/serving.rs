//! What the kernel asks of the plugin.

use midplane_contract::frame::message::{self as json, Loaded, Origin};
use midplane_contract::frame::{Frame, FrameKind, NO_DEADLINE, Prefix, WINDOW, flag};
use midplane_contract::{Code, Error, Hook, PluginInfo, Result, defaults};
use serde_json::{Map, Value, json};

use super::payload::field;
use super::{Translator, message};

/// A request of the kernel that is not answered yet.
pub(super) struct Request {
    pub(super) instance: u16,
    pub(super) what: What,
    head: Prefix,
    origin: Origin,
    input: Vec<u8>,
    /// Bytes that the kernel has not been given credit for.
    owed: usize,
    /// Bytes of the answer that may still be sent.
    pub(super) credit: usize,
    /// Bytes of the answer that have been.
    pub(super) answered: usize,
    pub(super) cancelled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Load,
    Nothing,
    Call,
    Hook(Hook),
}

impl Translator {
    /// Takes a frame of, or about, a request.
    pub(super) fn on_request(&self, frame: &Frame<'_>) -> Result<()> {
        let head = frame.prefix;
        let what = match head.kind {
            FrameKind::Load => What::Load,
            FrameKind::Open | FrameKind::Close => What::Nothing,
            FrameKind::Call => What::Call,
            FrameKind::Hook => Hook::ALL.get(head.value as usize).map_or(What::Nothing, |hook| What::Hook(*hook)),
            FrameKind::Data => return self.more(frame),
            FrameKind::Credit => {
                if let Some(request) = self.state().requests.get_mut(&head.id) {
                    request.credit = request.credit.saturating_add(head.value as usize);
                }
                self.news.notify_all();
                return Ok(());
            }
            FrameKind::Cancel => {
                self.cancel(head.id);
                return Ok(());
            }
            _ => return Ok(()),
        };
        let origin =
            if what == What::Call && !frame.header.is_empty() { json::parse("CALL", frame.header)? } else { Origin::default() };
        let mut state = self.state();
        let request = Request {
            instance: head.instance,
            what,
            head,
            origin,
            input: frame.payload.to_vec(),
            owed: frame.payload.len(),
            credit: state.limits.window,
            answered: 0,
            cancelled: false,
        };
        state.requests.insert(head.id, request);
        drop(state);
        if !head.more() {
            self.serve(head.id);
        }
        Ok(())
    }

    fn more(&self, frame: &Frame<'_>) -> Result<()> {
        let head = frame.prefix;
        let mut state = self.state();
        let Some(request) = state.requests.get_mut(&head.id) else { return Ok(()) };
        request.input.extend_from_slice(frame.payload);
        request.owed += frame.payload.len();
        if request.input.len() > defaults::PAYLOAD_CAP {
            return Err(Error::new(Code::LimitExceeded, "the kernel sends more than it says that anybody may"));
        }
        if !head.more() {
            drop(state);
            self.serve(head.id);
        } else if request.owed >= WINDOW / 2 {
            let grant = u32::try_from(std::mem::take(&mut request.owed)).unwrap_or(u32::MAX);
            drop(state);
            self.frame(Prefix::new(FrameKind::Credit, head.instance, head.id).value(grant), &[], &[]);
        }
        Ok(())
    }

    /// A request is complete: the plugin is asked, or this side answers.
    fn serve(&self, id: u32) {
        let (what, text) = {
            let mut state = self.state();
            let absent = |what| matches!(what, What::Hook(hook) if state.absent.contains(&hook));
            let Some(request) = state.requests.get(&id) else { return };
            let (what, skip) = (request.what, absent(request.what));
            let text = if skip { None } else { self.question(id, request) };
            if let Some(request) = state.requests.get_mut(&id) {
                request.input = Vec::new();
            }
            (what, text)
        };
        match (what, text) {
            (What::Load, _) => self.reply(id, &self.facts(), true, 0),
            (_, Some(text)) => self.tell(&text),
            (What::Hook(_), None) => self.reply(id, &[], true, flag::ABSENT),
            (What::Nothing | What::Call, None) => self.reply(id, &[], true, 0),
        }
    }

    /// The message that asks the plugin; `None` where there is nothing to ask.
    fn question(&self, id: u32, request: &Request) -> Option<String> {
        let Request { input, .. } = request;
        let plugin_id = &self.plugin;
        let about = |extra: Value| {
            let mut fields = json!({ "plugin_id": plugin_id });
            if let (Value::Object(fields), Value::Object(extra)) = (&mut fields, extra) {
                fields.extend(extra);
            }
            fields
        };
        let config = || serde_json::from_slice(input).unwrap_or(Value::Object(Map::new()));
        let What::Hook(hook) = request.what else {
            return (request.what == What::Call).then(|| self.call(id, request));
        };
        let (method, fields, payload): (&str, Value, &[u8]) = match hook {
            Hook::Init => ("initialize", about(json!({ "config": config() })), &[]),
            Hook::Health => ("health_check", about(json!({})), &[]),
            Hook::ValidateConfig | Hook::ConfigChanged => (hook.name(), about(json!({ "config": config() })), &[]),
            Hook::Event => ("event", Value::Object(message::object(input)), &[]),
            Hook::DependencyChanged => (hook.name(), about(Value::Object(message::object(input))), &[]),
            Hook::ImportState => (hook.name(), about(json!({})), input),
            Hook::Migrate | Hook::MigrateBack => {
                let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
                let from = message::object(input.get(..end).unwrap_or_default());
                (hook.name(), about(Value::Object(from)), input.get(end + 1..).unwrap_or_default())
            }
            Hook::Info | Hook::Start | Hook::Stop | Hook::Cleanup | Hook::Ping | Hook::GetConfig | Hook::ExportState => {
                (hook.name(), about(json!({})), &[])
            }
        };
        Some(message::request(id, method, &fields, &field(payload, self.shape.encoding, "input")))
    }

    fn call(&self, id: u32, request: &Request) -> String {
        let Request { head, origin, input, .. } = request;
        let action = self.shape.actions.get(head.value as usize).map(ToString::to_string).unwrap_or_default();
        let mut fields = json!({ "action": action });
        if let Value::Object(fields) = &mut fields {
            if head.time != NO_DEADLINE {
                fields.insert("deadline_ms".to_owned(), head.time.into());
            }
            if !origin.caller.is_empty() {
                fields.insert("caller".to_owned(), serde_json::to_value(&origin.caller).unwrap_or_default());
            }
            if let Some(trace) = &origin.trace {
                fields.insert("trace".to_owned(), trace.as_str().into());
            }
            if head.flags & flag::STREAM != 0 {
                fields.insert("stream".to_owned(), true.into());
            }
        }
        message::request(id, "call", &fields, &field(input, self.shape.encoding, "input"))
    }

    fn cancel(&self, id: u32) {
        let known = self.state().requests.get_mut(&id).map(|request| request.cancelled = true).is_some();
        if known {
            self.news.notify_all();
            self.notice("cancel", &json!({ "id": id.to_string() }));
        }
    }

    /// The answer to `LOAD`: what the plugin said when it registered.
    fn facts(&self) -> Vec<u8> {
        let loaded = Loaded {
            info: PluginInfo::default(),
            actions: self.shape.actions.clone(),
            hooks: self.shape.hooks.iter().map(|hook| hook.name().to_owned()).collect(),
            ..Loaded::default()
        };
        serde_json::to_vec(&loaded).unwrap_or_default()
    }
}
