//! What the host sends, for the plugin.

use midplane_contract::frame::message::{self, Load, Open, Origin};
use midplane_contract::frame::{Frame, FrameKind, NO_DEADLINE, Prefix, flag};
use midplane_contract::{Code, Error, Hook, Result};
use serde_json::json;

use super::answer;
use super::flow::frame;
use super::hooks;
use super::payload::string;
use super::translator::{Asked, Coming, Owed, Stage, Translator};

impl Translator {
    pub(super) fn on_frame(&mut self, frame: &Frame<'_>) -> Result<()> {
        let head = frame.prefix;
        let key = (head.instance, head.id);
        match head.kind {
            FrameKind::Hello => {}
            FrameKind::Pong => self.on_host_answer(head, b"{}")?,
            FrameKind::Ping => {
                let pong = Prefix::new(FrameKind::Pong, head.instance, head.id);
                super::flow::frame(pong, &[], &[], &mut self.out);
            }
            FrameKind::Shutdown => {
                self.say(br#"{"method":"shutdown","params":{}}"#.to_vec(), None);
                self.ending = true;
            }
            FrameKind::Cancel => self.on_cancel(head),
            FrameKind::Credit => {
                if let Some(flow) = self.flows.get_mut(&head.id) {
                    flow.allow(head.value as usize);
                    if flow.pump(&mut self.out) {
                        self.flows.remove(&head.id);
                    }
                }
            }
            FrameKind::Load | FrameKind::Open | FrameKind::Close | FrameKind::Call | FrameKind::Hook => {
                let coming = Coming { head, header: frame.header.to_vec(), bytes: frame.payload.to_vec() };
                if head.more() {
                    self.coming.insert(key, coming);
                } else {
                    self.on_request(coming)?;
                }
            }
            FrameKind::Data if !head.id.is_multiple_of(2) => {
                let Some(mut coming) = self.coming.remove(&key) else { return Ok(()) };
                coming.bytes.extend_from_slice(frame.payload);
                if head.more() {
                    self.coming.insert(key, coming);
                } else {
                    self.on_request(coming)?;
                }
            }
            FrameKind::Data => {
                if let Some(asked) = self.asked.get_mut(&head.id) {
                    asked.bytes.extend_from_slice(frame.payload);
                }
            }
            FrameKind::Done | FrameKind::Error => self.on_host_answer(head, frame.payload)?,
            FrameKind::Host => {
                let error = Error::new(Code::ProtocolError, "the host asks its plugin for the host API");
                return Err(error.remedy("report this to the makers of Midplane"));
            }
        }
        Ok(())
    }

    fn on_cancel(&mut self, head: Prefix) {
        let stopped = Error::new(Code::Cancelled, "the call was given up").remedy("call again if it is still wanted");
        if self.coming.remove(&(head.instance, head.id)).is_some() {
            return self.fail(head.instance, head.id, &stopped);
        }
        let answered = self.flows.remove(&head.id).is_some();
        match self.owed.get_mut(&head.id) {
            Some(owed) => {
                owed.cancelled = true;
                owed.bytes = Vec::new();
                self.say(format!("{{\"method\":\"cancel\",\"params\":{{\"id\":\"{}\"}}}}", head.id).into_bytes(), None);
            }
            None if answered => self.fail(head.instance, head.id, &stopped),
            None => {}
        }
    }

    fn on_request(&mut self, request: Coming) -> Result<()> {
        let Coming { head, header, bytes } = request;
        let Prefix { instance, id, value, .. } = head;
        match head.kind {
            FrameKind::Load => return self.on_load(head, &bytes),
            FrameKind::Open if self.instance.is_some_and(|open| open != instance) => {
                let error = Error::new(Code::NotSupported, "one process of a text plugin is one instance");
                self.fail(instance, id, &error.remedy("start another process"));
            }
            FrameKind::Open => return self.on_open(head, &header),
            FrameKind::Close => {
                self.instance = None;
                self.answer(instance, id, Vec::new());
            }
            _ if self.instance != Some(instance) => {
                let error = Error::new(Code::NotLoaded, format!("instance {instance} is not open"));
                self.fail(instance, id, &error.remedy("open it first"));
            }
            FrameKind::Call => self.call(head, &header, &bytes),
            FrameKind::Hook => match Hook::ALL.get(value as usize) {
                Some(hook) if !self.absent.contains(&(value as usize)) => self.hook(head, *hook, &bytes),
                _ => frame(Prefix::new(FrameKind::Done, instance, id).flags(flag::ABSENT), &[], &[], &mut self.out),
            },
            _ => {}
        }
        Ok(())
    }

    fn on_load(&mut self, head: Prefix, bytes: &[u8]) -> Result<()> {
        let load: Load = message::parse("LOAD", bytes)?;
        let Stage::Registered(registration) = std::mem::take(&mut self.stage) else {
            self.stage = Stage::Loaded;
            let error = Error::new(Code::AlreadyLoaded, "the plugin has been loaded");
            self.fail(head.instance, head.id, &error.remedy("load once"));
            return Ok(());
        };
        let loaded = registration.loaded(&load.manifest);
        self.know(&load, loaded.actions.clone());
        self.answer(head.instance, head.id, serde_json::to_vec(&loaded).unwrap_or_default());
        Ok(())
    }

    /// The instance is open: only now can the plugin ask the host for something, or is what it has asked passed on.
    fn on_open(&mut self, head: Prefix, header: &[u8]) -> Result<()> {
        let open: Open = message::parse("OPEN", header)?;
        self.instance = Some(head.instance);
        self.opened = true;
        self.answer(head.instance, head.id, Vec::new());
        if let Some(id) = self.welcome.take() {
            let result = json!({
                "success": true,
                "message": "plugin registered successfully",
                "plugin_id": open.plugin,
                "version": open.version,
                "generation": open.generation,
                "instance": head.instance,
                "host": concat!("midplane ", env!("CARGO_PKG_VERSION")),
            });
            self.say(format!("{{\"id\":{id},\"result\":{result}}}").into_bytes(), None);
        }
        std::mem::take(&mut self.held).iter().try_for_each(|line| self.on_message(line))
    }

    fn call(&mut self, head: Prefix, header: &[u8], input: &[u8]) {
        let Some(action) = self.actions.get(head.value as usize) else {
            let error = Error::new(Code::ActionNotFound, format!("there is no action number {}", head.value));
            return self.fail(head.instance, head.id, &error.remedy("ask for one that LOAD named"));
        };
        let mut line = format!("{{\"id\":\"{}\",\"method\":\"call\",\"params\":{{\"action\":", head.id).into_bytes();
        string(action.as_str(), &mut line);
        if head.time != NO_DEADLINE {
            line.extend_from_slice(format!(",\"deadline_ms\":{}", head.time).as_bytes());
        }
        let origin: Origin = serde_json::from_slice(header).unwrap_or_default();
        if !origin.caller.is_empty() {
            line.extend_from_slice(b",\"caller\":");
            line.extend(serde_json::to_vec(&origin.caller).unwrap_or_default());
        }
        if let Some(trace) = &origin.trace {
            line.extend_from_slice(b",\"trace\":");
            string(trace, &mut line);
        }
        if head.flags & flag::STREAM != 0 {
            line.extend_from_slice(b",\"stream\":true");
        }
        let follows = self.encoding.write("input", input, &mut line);
        line.extend_from_slice(b"}}");
        self.owe(head, None);
        self.say(line, follows);
    }

    fn hook(&mut self, head: Prefix, hook: Hook, input: &[u8]) {
        let method = hooks::method(hook);
        let mut line = format!("{{\"id\":\"{}\",\"method\":\"{method}\",\"params\":", head.id).into_bytes();
        let follows = hooks::params(hook, &self.plugin, input, self.encoding, &mut line);
        line.push(b'}');
        self.owe(head, Some(hook));
        self.say(line, follows);
    }

    fn owe(&mut self, head: Prefix, hook: Option<Hook>) {
        self.owed.insert(head.id, Owed { instance: head.instance, hook, cancelled: false, bytes: Vec::new() });
    }

    /// The answer to something that the plugin asked.
    fn on_host_answer(&mut self, head: Prefix, payload: &[u8]) -> Result<()> {
        if head.id == 0 {
            let told = message::read_error(payload)?;
            let error = Error::new(Code::ProtocolError, format!("the host gave up: {}", told.record().message));
            return Err(error.because(&told).remedy("see what the host did not understand"));
        }
        self.flows.remove(&head.id);
        let Some(Asked { id, instead, mut bytes, log }) = self.asked.remove(&head.id) else { return Ok(()) };
        self.logging -= usize::from(log);
        if log && let Some(line) = self.held.pop_front() {
            self.on_message(&line)?;
        }
        let Some(id) = id else { return Ok(()) };
        let failed = match (instead, head.kind) {
            (Some(error), _) => Some(error),
            (None, FrameKind::Error) => Some(message::read_error(payload)?),
            (None, _) => None,
        };
        let mut line = format!("{{\"id\":{id}").into_bytes();
        let mut follows = None;
        match failed {
            Some(error) => {
                line.extend_from_slice(b",\"error\":");
                line.extend(serde_json::to_vec(&answer::told(&error)).unwrap_or_default());
            }
            None => {
                bytes.extend_from_slice(payload);
                if bytes.is_empty() {
                    line.extend_from_slice(b",\"result\":null");
                }
                follows = self.encoding.write("result", &bytes, &mut line);
            }
        }
        line.push(b'}');
        self.say(line, follows);
        Ok(())
    }
}
