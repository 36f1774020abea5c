//! Plugins and folders that cannot be used, said.

use midplane::settings::Unusable;
use serde_json::{Value, json};

use crate::{notice, report};

/// For programs.
pub(crate) fn json(unusable: &Unusable) -> Value {
    json!({ "path": unusable.path.display().to_string(), "error": report::program(&unusable.error) })
}

/// For people.
pub(crate) fn say(unusable: &Unusable) {
    notice::say(&format!("cannot be used: {}: {}", unusable.path.display(), report::line(&unusable.error)));
}
