//! Calls of actions: the input as the function wants it, the result as bytes.

use midplane_contract::{Code, Error, Result};
use midplane_kernel::{Call, Reply};
use rquickjs::function::This;
use rquickjs::{Function, Value};

use crate::bytes;
use crate::run::Run;
use crate::tools::{Entries, Tool, Tools};

/// More bytes than this are not kept for the next call.
const KEPT: usize = 4095;

/// How an action is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manner {
    /// It takes bytes as they are.
    pub(crate) raw: bool,
    /// It looks at its first parameter only: no context has to be made for it.
    pub(crate) plain: bool,
}

/// Where a reply goes, and a buffer on the way there that is kept from call to call.
pub(crate) struct Out<'a, 'r> {
    pub(crate) reply: &'a mut Reply<'r>,
    pub(crate) buffer: &'a mut Vec<u8>,
}

impl Out<'_, '_> {
    /// Writes what was taken. Many bytes are handed on with their buffer.
    #[inline]
    fn write(&mut self) -> Result<()> {
        if self.buffer.len() > KEPT {
            return self.reply.write_owned(std::mem::take(self.buffer));
        }
        self.reply.write(self.buffer)
    }
}

impl<'js> Run<'_, 'js> {
    /// Calls an action and writes its reply.
    #[inline]
    pub(crate) fn call(&self, manner: Manner, call: &Call<'_>, out: &mut Out<'_, '_>) -> Result<()> {
        let input = if manner.raw {
            bytes::array(&self.ctx, call.input).map_err(|error| self.explain(&error))?
        } else {
            self.parsed(call.input)?
        };
        let result = self.invoke(manner, call.action, input).map_err(|error| self.explain(&error))?;
        self.deliver(result, manner.raw, out)
    }

    #[inline]
    fn invoke(&self, manner: Manner, action: u32, input: Value<'js>) -> rquickjs::Result<Value<'js>> {
        let entries = Entries::of(&self.ctx)?;
        let (this, run) = (This(entries.this()?), entries.action(action)?);
        if manner.plain {
            return run.call((this, input));
        }
        let context: Value<'js> = Tools::of(&self.ctx)?.get(Tool::Context)?.call((self.number,))?;
        run.call((this, input, context))
    }

    /// JSON as a value; nothing as `undefined`.
    fn parsed(&self, input: &[u8]) -> Result<Value<'js>> {
        if input.is_empty() {
            return Ok(Value::new_undefined(self.ctx.clone()));
        }
        if std::str::from_utf8(input).is_err() || input.contains(&0) {
            return Err(not_json("it is no text"));
        }
        self.ctx.json_parse(input).map_err(|error| {
            let error = self.explain(&error);
            if error.code() == Code::Panicked { not_json(&error.record().message) } else { error }
        })
    }

    /// Writes a result.
    #[inline]
    fn deliver(&self, result: Value<'js>, raw: bool, out: &mut Out<'_, '_>) -> Result<()> {
        let mut value = result;
        loop {
            if value.is_undefined() {
                return Ok(());
            }
            if self.take(&value, out)? {
                return out.write();
            }
            if value.is_promise() {
                value = self.settle(value)?;
                continue;
            }
            let told =
                Tools::of(&self.ctx).and_then(|tools| tools.get(Tool::Reply)?.call::<_, Value<'js>>((value, raw)));
            value = told.map_err(|error| self.explain(&error))?;
            if let Some(text) = value.as_string() {
                let text = text.to_string().map_err(|error| self.explain(&error))?;
                return out.reply.write_owned(text.into_bytes());
            }
            if let Some(pull) = value.as_function() {
                return self.chunks(pull, out);
            }
        }
    }

    /// Takes the bytes of a `Uint8Array`; false for anything else.
    #[inline]
    fn take(&self, value: &Value<'js>, out: &mut Out<'_, '_>) -> Result<bool> {
        out.buffer.clear();
        bytes::append(self.inside, value, out.buffer).map_err(|error| self.explain(&error))
    }

    /// Writes chunks as they are made, until there are no more.
    fn chunks(&self, pull: &Function<'js>, out: &mut Out<'_, '_>) -> Result<()> {
        let pulled = |leave: bool| -> Result<Value<'js>> {
            let chunk = pull.call::<_, Value<'js>>((leave,)).map_err(|error| self.explain(&error))?;
            self.settle(chunk)
        };
        loop {
            let chunk = pulled(false)?;
            if !self.take(&chunk, out)? {
                return Ok(());
            }
            if let Err(left) = out.write() {
                // The reader's error is the outcome, whatever the plugin says to it.
                let _ = pulled(true);
                return Err(left);
            }
        }
    }
}

/// An input that is not what the action takes: the plugin's own error, as in every language.
fn not_json(why: &str) -> Error {
    let message = format!("the input is not JSON: {why}");
    Error::new(Code::PluginError, message.clone())
        .with("code", Code::InvalidInput.as_str())
        .with("message", message)
        .with("recoverable", false)
}
