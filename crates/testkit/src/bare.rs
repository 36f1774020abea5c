//! The plugin without hooks as a program of the fake. It answers as those in `guests/bare` do.

use midplane_contract::HostFunction;
use serde_json::json;

use crate::fake::Program;

/// The program. Its one action, `color`, answers with what the host says to `config.get` of `color`.
#[must_use]
pub fn bare() -> Program {
    Program::new().waiting("color", |desk, _, reply| {
        reply.write(&desk.host(HostFunction::ConfigGet, &json!({ "key": "color" }), b"")?)
    })
}
