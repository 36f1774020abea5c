//! Bytes between Rust and the engine: one copy each way. The one file of this crate with `unsafe` in it.

use midplane_contract::Result;
use midplane_kernel::Reply;
use rquickjs::{ArrayBuffer, Ctx, TypedArray, Value};

/// A `Uint8Array` with these bytes, within the engine's memory limit.
#[inline]
pub(crate) fn array<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> rquickjs::Result<Value<'js>> {
    Ok(TypedArray::<u8>::new_copy(ctx.clone(), bytes)?.into_value())
}

/// Writes the bytes of a `Uint8Array` or an `ArrayBuffer`; `None` for anything else, also for one whose buffer was taken
/// away.
#[inline]
pub(crate) fn write(value: &Value<'_>, reply: &mut Reply<'_>) -> Option<Result<()>> {
    with(value, |bytes| reply.write(bytes))
}

/// The bytes of a `Uint8Array` or an `ArrayBuffer`, copied; `None` for anything else.
pub(crate) fn copied(value: &Value<'_>) -> Option<Vec<u8>> {
    with(value, <[u8]>::to_vec)
}

/// The binding has no safe way to look into a buffer. The two uses above are all there are: `take` never runs
/// JavaScript.
#[expect(unsafe_code, reason = "the engine's binding has no safe way to look into a buffer; see docs/adr/0006")]
#[inline]
fn with<T>(value: &Value<'_>, take: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let object = value.as_object()?;
    if let Some(array) = object.as_typed_array::<u8>() {
        // SAFETY: the slice lives only within `take`. This thread holds the engine's lock, as the lifetime of `value` proves.
        // `take` copies or hands the bytes to the kernel's side of a reply; neither has a context or a value of this
        // engine, and who locks the engine anew waits for this thread. So no JavaScript runs meanwhile that could write,
        // detach or move the bytes.
        return unsafe { array.as_bytes() }.map(take);
    }
    let buffer = ArrayBuffer::from_object(object.clone())?;
    // SAFETY: as above; `buffer` keeps the memory alive.
    unsafe { buffer.as_bytes() }.map(take)
}
