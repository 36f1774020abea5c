//! `secret.get`: a secret of the settings, for a plugin that may read it.

use std::sync::Arc;

use midplane_contract::Result;
use serde_json::Value;

use super::{Binding, missing};
use crate::kernel::Inner;

impl Binding {
    /// The secret's text. The gate has been asked for `secret.read:NAME`.
    pub(super) fn secret(&self, kernel: &Arc<Inner>, args: &Value) -> Result<Vec<u8>> {
        let name = args.get("name").and_then(Value::as_str).ok_or_else(|| missing("name"))?;
        kernel.secrets.named(name).map(String::into_bytes)
    }
}
