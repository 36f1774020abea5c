//! The plugin that the conformance suite drives. One source gives the native library, the WebAssembly component and the
//! core WebAssembly module, so that every runtime and placement is asked for the same behaviour.
//!
//! | file | actions |
//! |---|---|
//! | `probe` | `echo`, `version`, `config`, `counter`, `history`, `identity`; the hooks |
//! | `failing` | `fail`, `panic`, `abort`, `exit`, `recurse`, `hang` |
//! | `load` | `allocate`, `chunks`, `sleep` |
//! | `reaching` | `call`, `host`, `log` |
//! | `transcript` | `transcript` |
//! | `surroundings` | `process`, `environment`, `print` |
//!
//! What each takes and gives stands at its function. A test makes changed code by
//! writing over the bytes of `VERSION`.

mod config;
mod failing;
mod load;
mod probe;
mod reaching;
mod surroundings;
mod transcript;

pub use config::Config;
pub use probe::{Probe, VERSION};

midplane_sdk::plugin!(Probe);
