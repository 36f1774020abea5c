//! A note where the code of a plugin is older than its sources: forgetting to build is easy, and looks like a change that
//! has no effect.

use std::path::Path;

use midplane::discover;

use crate::notice;

/// Says so, if it is. What cannot be read is for others to complain of.
pub(crate) fn warn(plugin: &Path) {
    let Ok(found) = discover::read(plugin) else { return };
    let Some(source) = discover::newer_source(&found) else { return };
    let within = |path: &Path| path.strip_prefix(&found.folder).unwrap_or(path).display().to_string();
    let (id, source, code) = (&found.manifest.id, within(&source), within(&found.main));
    notice::say(&format!(
        "{id}: {source} was changed after {code} was built; build it again for that to have an effect"
    ));
}
