//! Bytes between Rust and the engine: one copy in; out by the engine's own Base64, because its binding has no safe way to
//! look into a buffer (docs/adr/0006-javascript.md says what that costs).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rquickjs::function::This;
use rquickjs::{Ctx, Error, Result, TypedArray, Value};

use crate::tools::{Tool, Tools};

/// A `Uint8Array` with these bytes, within the engine's memory limit.
#[inline]
pub(crate) fn array<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> Result<Value<'js>> {
    Ok(TypedArray::<u8>::new_copy(ctx.clone(), bytes)?.into_value())
}

/// The bytes of a `Uint8Array`, copied; `None` for anything else.
///
/// # Errors
/// What the engine throws: the array's buffer was taken away, or there is no memory for its text.
#[inline]
pub(crate) fn copied(value: &Value<'_>) -> Result<Option<Vec<u8>>> {
    if value.as_object().is_none_or(|object| !object.is_typed_array::<u8>()) {
        return Ok(None);
    }
    let text: String = Tools::of(value.ctx())?.get(Tool::Base64)?.call((This(value.clone()),))?;
    STANDARD.decode(text).map(Some).map_err(|_| Error::Unknown)
}
