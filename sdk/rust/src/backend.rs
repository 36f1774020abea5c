//! The seam between a plugin and the way its build reaches the host. For backends only; authors never need it.
//!
//! A backend is one file in `backend/`, chosen by target in this module's `mod` lines:
//!
//! | target | file | host |
//! |---|---|---|
//! | anything but wasm | `native.rs` | C ABI of `contract/midplane.h` |
//! | `wasm32-wasip2`, or any wasm with the feature `component` | `component.rs` | world `midplane:plugin` |
//! | other wasm | `core_module.rs` | `contract/core-wasm.md` |
//!
//! Both wasm backends share `guest.rs`.
//!
//! It has three duties:
//!
//! 1. It implements [`Backend`] (one wide function to the host) and [`Sink`] (where reply bytes go). Both are made
//!    afresh for each call or hook and may borrow; they cost nothing but two words.
//! 2. It exports the entries of its ABI. They keep one [`Running`] per instance and hand everything to it:
//!    [`Running::new`] (once, with what the host says of the instance), [`Running::action_names`] and
//!    [`Running::resolve`] (once per load), then [`Running::call`] and [`Running::hook`]. `Running` does the rest:
//!    typed input and output, the `info` hook, panics, errors.
//! 3. It defines a macro `__midplane_export!(PluginType, STAMP)` with `#[macro_export]`, which [`crate::plugin!`] expands
//!    inside `const _: () = { … };` in the author's crate. All that must be generic over the plugin stays in functions
//!    of the backend; the macro only names the exported symbols.
//!
//! A failed call is a [`Failure`]: an error of the plugin's own, or a panic. Where panics abort (wasm) only the first
//! occurs, and the trap speaks for itself.

#[cfg(not(target_family = "wasm"))]
pub mod native;

#[cfg(target_family = "wasm")]
pub mod guest;

#[cfg(all(target_family = "wasm", any(feature = "component", target_env = "p2")))]
pub mod component;
#[cfg(all(target_family = "wasm", any(feature = "component", target_env = "p2")))]
pub(crate) use component as abi;

#[cfg(all(target_family = "wasm", not(any(feature = "component", target_env = "p2"))))]
pub mod core_module;
#[cfg(all(target_family = "wasm", not(any(feature = "component", target_env = "p2"))))]
pub(crate) use core_module as abi;

pub use crate::info::Stamp;
pub use crate::running::{Failure, Running};

use crate::Result;

/// The one wide function to the host.
pub trait Backend {
    /// Asks the host: a function's name (`log`, `state.get`, …), its arguments as a JSON object (empty means `{}`),
    /// and its bytes, if it takes any. Blocks until answered.
    ///
    /// # Errors
    /// What the host answers: `permission_denied`, `not_supported`, and what the function itself says.
    fn host(&self, function: &str, args: &str, payload: &[u8]) -> Result<Vec<u8>>;
}

/// Where the bytes of a reply go.
pub trait Sink {
    /// Appends to the reply; where the caller reads a stream, hands on one chunk and may block until there is room.
    ///
    /// # Errors
    /// `limit_exceeded` beyond the payload cap; `cancelled`, `deadline_exceeded` when nobody reads any longer.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;
}

impl Sink for Vec<u8> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}
