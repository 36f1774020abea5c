//! The bus, as plugins reach it.

use std::sync::Arc;

use midplane_contract::{Code, Error, Hook, Result};
use serde_json::Value;

use super::{Binding, deadline, missing, optional};
use crate::alarm::until;
use crate::bus::{Filter, Message, canonical, is_the_hosts};
use crate::inbox::Wanted;
use crate::kernel::Inner;
use crate::pump;
use crate::runtime::Within;

impl Binding {
    pub(super) fn publish(
        &self,
        kernel: &Arc<Inner>,
        within: &Within<'_>,
        args: &Value,
        payload: &[u8],
    ) -> Result<Vec<u8>> {
        let message = self.message(within, args, payload)?;
        let retain = optional(args, "retain", "`true` or `false`", Value::as_bool)?.unwrap_or(false);
        let (topic, end) = (message.topic.clone(), within.scope.deadline.instant());
        let sending = kernel.bus.send_async(if retain { message.retained() } else { message });
        self.nested.wait(async { until(end, sending).await.unwrap_or_else(|_| Err(no_room(&topic))) })?;
        Ok(Vec::new())
    }

    pub(super) fn request_topic(
        &self,
        kernel: &Arc<Inner>,
        within: &Within<'_>,
        args: &Value,
        payload: &[u8],
    ) -> Result<Vec<u8>> {
        let message = self.message(within, args, payload)?;
        let caller = self.link(within)?;
        self.nested.wait(kernel.bus.ask(message, deadline(within, args)?.instant(), Some(caller)))
    }

    fn message(&self, within: &Within<'_>, args: &Value, payload: &[u8]) -> Result<Message> {
        let topic = topic(args)?;
        if is_the_hosts(topic) {
            return Err(Error::new(Code::PermissionDenied, format!("`{topic}` is a topic of the host"))
                .remedy("publish on a topic that does not begin with `plugin`, `module` or `host`")
                .with("topic", topic));
        }
        let message = Message::new(topic, payload).sender(self.plugin.as_str()).trace(within.scope.trace.clone());
        Ok(match optional(args, "content_type", "text", Value::as_str)? {
            Some(content_type) => message.content_type(content_type),
            None => message,
        })
    }

    pub(super) fn subscribe(&self, kernel: &Arc<Inner>, args: &Value) -> Result<Vec<u8>> {
        let wanted = Wanted {
            topic: canonical(topic(args)?).into_owned(),
            group: optional(args, "group", "text", Value::as_str)?.map(str::to_owned),
            filter: filter(args)?,
        };
        if kernel.generation_of(&self.plugin, self.generation).is_some_and(|generation| !generation.has(Hook::Event)) {
            return Err(Error::new(Code::NotSupported, "the plugin has no `event` hook to receive events with")
                .remedy("give it one"));
        }
        let plugin = kernel.plugin(&self.plugin)?;
        plugin.inbox.subscribe(&kernel.bus, self.generation, wanted)?;
        pump::ensure(kernel, &plugin);
        Ok(Vec::new())
    }

    pub(super) fn unsubscribe(&self, kernel: &Arc<Inner>, args: &Value) -> Result<Vec<u8>> {
        kernel.plugin(&self.plugin)?.inbox.unsubscribe(self.generation, topic(args)?);
        Ok(Vec::new())
    }
}

/// What is said where the plugin's time ended before a subscriber that has its publishers wait had room.
fn no_room(topic: &str) -> Error {
    Error::new(Code::DeadlineExceeded, format!("a subscriber of `{topic}` had no room for the event in time"))
        .remedy("look at why it takes so long, or give it a longer queue; everybody else has got the event")
        .with("topic", topic)
}

fn topic(args: &Value) -> Result<&str> {
    args.get("topic").and_then(Value::as_str).ok_or_else(|| missing("topic"))
}

fn filter(args: &Value) -> Result<Option<(Arc<Filter>, String)>> {
    match args.get("filter") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(fields)) => {
            Ok(Some((Arc::new(Filter::fields(fields)?), Value::from(fields.clone()).to_string())))
        }
        Some(_) => Err(Error::new(Code::InvalidInput, "a filter is an object of fields and their values")
            .remedy("write a filter such as {\"color\": \"red\"}")),
    }
}
