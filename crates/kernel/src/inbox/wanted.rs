//! One subscription that a plugin asks for.

use std::sync::Arc;

use crate::bus::Filter;

/// One subscription that a plugin asks for.
#[derive(Clone)]
pub(crate) struct Wanted {
    /// With `plugin.` for `module.`.
    pub(crate) topic: String,
    pub(crate) group: Option<String>,
    /// A filter, and how it was written.
    pub(crate) filter: Option<(Arc<Filter>, String)>,
}

impl Wanted {
    pub(super) fn says(&self) -> (&str, Option<&str>, Option<&str>) {
        let filter = self.filter.as_ref().map(|(_, text)| text.as_str());
        (&self.topic, self.group.as_deref(), filter)
    }
}
