//! Bytes between Rust and the engine: one copy each way. The one file of this crate with `unsafe` in it.

use midplane_contract::Result;
use midplane_kernel::Reply;
use rquickjs::{Ctx, TypedArray, Value};

/// A `Uint8Array` with these bytes, within the engine's memory limit.
#[inline]
pub(crate) fn array<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> rquickjs::Result<Value<'js>> {
    Ok(TypedArray::<u8>::new_copy(ctx.clone(), bytes)?.into_value())
}

/// Writes the bytes of a `Uint8Array`; `None` for anything else.
#[inline]
pub(crate) fn write(value: &Value<'_>, reply: &mut Reply<'_>) -> Option<Result<()>> {
    with(value, |bytes| reply.write(bytes))
}

/// The bytes of a `Uint8Array`, copied; `None` for anything else.
pub(crate) fn copied(value: &Value<'_>) -> Option<Vec<u8>> {
    with(value, <[u8]>::to_vec)
}

/// The binding has no safe way to look into a buffer. The two uses above are all there are: `take` never runs
/// JavaScript. An array whose buffer was taken away has no bytes.
#[expect(unsafe_code, reason = "the engine's binding has no safe way to look into a buffer; see docs/adr/0006")]
#[inline]
fn with<T>(value: &Value<'_>, take: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let array = value.as_object()?.as_typed_array::<u8>()?;
    // SAFETY: the slice lives only within `take`. This thread holds the engine's lock, as the lifetime of `value` proves.
    // `take` copies or hands the bytes to the kernel's side of a reply; neither has a context or a value of this
    // engine, and who locks the engine anew waits for this thread. So no JavaScript runs meanwhile that could write,
    // detach or move the bytes.
    let Some(bytes) = (unsafe { array.as_bytes() }) else {
        // The engine has said so by an exception as well, which is nobody's.
        let _ = value.ctx().catch();
        return Some(take(&[]));
    };
    Some(take(bytes))
}
