//! Permissions: `area.verb[:pattern]`, deny with a leading `!`.

use serde::{Deserialize, Serialize};

/// One permission as written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permission(String);
