//! Bytes between Rust and the engine: one copy each way.

use rquickjs::function::This;
use rquickjs::{Ctx, Object, Result, TypedArray, Value};

use crate::inside::Inside;
use crate::tools::{Tool, Tools};

/// A `Uint8Array` with these bytes, within the engine's memory limit.
#[inline]
pub(crate) fn array<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> Result<Value<'js>> {
    Ok(TypedArray::<u8>::new_copy(ctx.clone(), bytes)?.into_value())
}

/// The bytes of a `Uint8Array`, copied; `None` for anything else.
///
/// # Errors
/// As [`append`].
pub(crate) fn copied(inside: &Inside, value: &Value<'_>) -> Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    Ok(append(inside, value, &mut bytes)?.then_some(bytes))
}

/// Appends the bytes of a `Uint8Array`. False for anything else.
///
/// # Errors
/// What the engine throws: the array's buffer was taken away, or is shorter by now than what the array shows of it.
#[inline]
pub(crate) fn append(inside: &Inside, value: &Value<'_>, buffer: &mut Vec<u8>) -> Result<bool> {
    let Some(array) = value.as_object().and_then(Object::as_typed_array::<u8>) else { return Ok(false) };
    if inside.has_resized() || !copy(array, buffer) {
        return settled(value, buffer);
    }
    Ok(true)
}

/// The same for an array whose length the engine tells its own JavaScript only: it may have followed its buffer's.
#[cold]
fn settled(value: &Value<'_>, buffer: &mut Vec<u8>) -> Result<bool> {
    let settled: Value<'_> = Tools::of(value.ctx())?.get(Tool::Settled)?.call((This(()), value.clone()))?;
    Ok(settled.as_object().and_then(Object::as_typed_array::<u8>).is_some_and(|array| copy(array, buffer)))
}

/// Appends what an array shows of its buffer; false when there is no such part of it.
#[expect(
    unsafe_code,
    reason = "the engine's binding has no safe way to look into a buffer; see docs/adr/0006-javascript.md"
)]
#[inline]
fn copy(array: &TypedArray<'_, u8>, buffer: &mut Vec<u8>) -> bool {
    // SAFETY: the slice lives within this expression, in which no JavaScript runs that could write, detach or move the bytes:
    // this thread holds the engine's lock, as the lifetime of `array` proves, and all that is done is a copy. That it lies
    // within the buffer is looked at each time.
    let copied = unsafe { array.as_bytes() }.map(|bytes| buffer.extend_from_slice(bytes));
    if copied.is_none() {
        // The engine may have said so by an exception as well, which is nobody's.
        let _ = array.ctx().catch();
    }
    copied.is_some()
}
