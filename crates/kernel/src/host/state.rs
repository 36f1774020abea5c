//! `state.*`: the plugin's own state.

use midplane_contract::{Code, Error, HostFunction, Result};
use serde_json::Value;

use super::{Binding, json, missing};
use crate::kernel::Inner;
use crate::own_state::{OwnState, Quota};

impl Binding {
    /// Serves the functions of the state; others are not its.
    pub(super) fn state(
        &self,
        kernel: &Inner,
        function: HostFunction,
        args: &Value,
        payload: &[u8],
    ) -> Result<Vec<u8>> {
        let now = jiff::Timestamp::now().as_millisecond();
        let store = kernel.stores.state.as_ref();
        let state = OwnState { store, plugin: &self.plugin, quota: Quota::default(), now };
        let key = || text(args, "key")?.ok_or_else(|| missing("key"));
        match function {
            HostFunction::StateGet => {
                let key = key()?;
                state.get(key)?.ok_or_else(|| Error::new(Code::KeyNotFound, format!("there is no key `{key}`")))
            }
            HostFunction::StateSet => state.set(key()?, payload, ttl(args)?).map(|()| Vec::new()),
            HostFunction::StateCompareAndSet => {
                let expected = text(args, "expected")?.map(str::as_bytes);
                json(&state.compare_and_set(key()?, expected, payload, ttl(args)?)?.into())
            }
            HostFunction::StateDelete => state.delete(key()?).map(|()| Vec::new()),
            HostFunction::StateList => json(&state.list(text(args, "prefix")?.unwrap_or_default())?.into()),
            other => Err(Error::new(Code::Internal, format!("`{other}` is not about state"))),
        }
    }
}

/// An argument that is text; absent or null is none.
fn text<'a>(args: &'a Value, name: &str) -> Result<Option<&'a str>> {
    match args.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::new(Code::InvalidInput, format!("the argument `{name}` is no text"))),
    }
}

fn ttl(args: &Value) -> Result<Option<u64>> {
    let Some(given) = args.get("ttl_ms").filter(|given| !given.is_null()) else { return Ok(None) };
    given.as_u64().filter(|ttl| *ttl > 0).map(Some).ok_or_else(|| {
        Error::new(Code::InvalidInput, format!("`ttl_ms` is {given}"))
            .remedy("give whole milliseconds from 1, or leave it out to keep the value for good")
    })
}
