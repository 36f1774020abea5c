//! What the plugin says: its answers go to the kernel here.

use midplane_contract::frame::{FrameKind, Prefix, flag};
use midplane_contract::{Code, Error, Hook, Result, defaults};
use serde_json::{Value, json};

use super::message::{self, Message};
use super::serving::What;
use super::Translator;

impl Translator {
    /// Takes one message of the plugin.
    ///
    /// # Errors
    /// `protocol_error`; the connection is then to be closed.
    pub(crate) fn hear_plugin(&self, text: &str) -> Result<()> {
        let mut message = Message::read(text)?;
        if message.method.is_some() {
            return self.on_ask(&message);
        }
        // Ids of this side are strings; an answer that nobody waits for is ignored.
        let id = message.id.as_ref().and_then(Value::as_str).and_then(|id| id.parse().ok());
        let Some(id) = id else { return Ok(()) };
        let Some((instance, what)) = self.state().requests.get(&id).map(|request| (request.instance, request.what))
        else {
            return Ok(());
        };
        if let Some(told) = message.error.take() {
            if let (What::Hook(hook), true) = (what, message::is_unknown_method(&told)) {
                self.state().absent.insert(hook);
                self.reply(id, &[], true, flag::ABSENT);
                return Ok(());
            }
            self.give_up(instance, id, &message::error_of(&told));
            return Ok(());
        }
        let payload = message.payload()?;
        match what {
            What::Hook(hook) => match answer_of(hook, payload) {
                Ok(payload) => self.reply(id, &payload, true, 0),
                Err(error) => self.give_up(instance, id, &error),
            },
            _ => self.reply(id, &payload, !message.more, 0),
        }
        Ok(())
    }

    /// Sends an answer, or a piece of one, as far as there is credit; waits for more.
    pub(super) fn reply(&self, id: u32, payload: &[u8], last: bool, flags: u8) {
        let mut rest = payload;
        loop {
            let (instance, size) = {
                let mut state = self.state();
                let chunk = state.limits.chunk;
                let size = loop {
                    let Some(request) = state.requests.get_mut(&id) else { return };
                    if request.cancelled && !rest.is_empty() {
                        let instance = request.instance;
                        drop(state);
                        return self.give_up(instance, id, &Error::new(Code::Cancelled, "the call was cancelled"));
                    }
                    let size = rest.len().min(request.credit).min(chunk);
                    if size > 0 || rest.is_empty() {
                        break size;
                    }
                    if self.link.is_over() {
                        return;
                    }
                    state = self.wait(state);
                };
                let Some(request) = state.requests.get_mut(&id) else { return };
                request.credit -= size;
                request.answered += size;
                if request.what != What::Call && request.answered > defaults::PAYLOAD_CAP {
                    let instance = request.instance;
                    drop(state);
                    return self.give_up(instance, id, &too_large());
                }
                (request.instance, size)
            };
            let (piece, after) = rest.split_at(size);
            rest = after;
            if last && rest.is_empty() {
                self.state().requests.remove(&id);
                return self.frame(Prefix::new(FrameKind::Done, instance, id).flags(flags), &[], piece);
            }
            if !piece.is_empty() {
                self.frame(Prefix::new(FrameKind::Data, instance, id).flags(flag::MORE), &[], piece);
            }
            if rest.is_empty() {
                return;
            }
        }
    }

    fn give_up(&self, instance: u16, id: u32, error: &Error) {
        self.state().requests.remove(&id);
        self.fail(instance, id, error);
    }
}

/// The answer of a hook as the wire has it.
fn answer_of(hook: Hook, payload: Vec<u8>) -> Result<Vec<u8>> {
    let told = message::object(&payload);
    if told.get("success") == Some(&Value::Bool(false)) {
        return Err(message::error_of(told.get("error").unwrap_or(&Value::Null)));
    }
    if hook != Hook::Health {
        return Ok(payload);
    }
    let details = told.get("details").cloned().unwrap_or_else(|| json!({}));
    let health = match (told.get("healthy").and_then(Value::as_bool), told.get("status")) {
        (Some(healthy), status) => {
            let mut details = json!({});
            if let Value::Object(details) = &mut details {
                details.extend(status.map(|status| ("status".to_owned(), status.clone())));
                details.extend(told.get("error").map(|error| ("error".to_owned(), error.clone())));
            }
            json!({ "status": if healthy { "healthy" } else { "unhealthy" }, "details": details })
        }
        (None, Some(status)) => json!({ "status": status, "details": details }),
        (None, None) => json!({ "status": "healthy", "details": details }),
    };
    Ok(health.to_string().into_bytes())
}

fn too_large() -> Error {
    Error::new(Code::LimitExceeded, format!("an answer of more than {} bytes", defaults::PAYLOAD_CAP))
        .remedy("say less at once")
        .with("which", "payload")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_said_in_one_of_two_ways() {
        let said = |text: &str| String::from_utf8(answer_of(Hook::Health, text.into()).unwrap()).unwrap();
        assert_eq!(said(r#"{"status":"degraded","details":{"a":1}}"#), r#"{"status":"degraded","details":{"a":1}}"#);
        let sick = said(r#"{"healthy":false,"status":"cold","error":"e"}"#);
        assert_eq!(sick, r#"{"status":"unhealthy","details":{"status":"cold","error":"e"}}"#);
        assert_eq!(said(""), r#"{"status":"healthy","details":{}}"#);
    }

    #[test]
    fn a_hook_may_say_that_it_has_not_succeeded() {
        let error = answer_of(Hook::Start, br#"{"success":false,"error":"no disk"}"#.to_vec()).unwrap_err();
        assert_eq!((error.code(), error.record().message.as_str()), (Code::PluginError, "no disk"));
        assert!(answer_of(Hook::Start, br#"{"success":true}"#.to_vec()).is_ok());
    }
}
