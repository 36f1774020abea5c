//! The kernel's face, where it is about the catalog and what is kept of plugins.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use midplane_contract::manifest::Dependency;
use midplane_contract::{PluginId, Result};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Inner, Kernel};
use crate::catalog::{Catalog, Change, ChangeKind, Pace, Scan, Usage, Watch};
use crate::status::Status;

/// What is known of a registered plugin, over all hosts of the data folder.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    /// Its id.
    pub id: PluginId,
    /// The folder it was found in.
    pub path: String,
    /// When it was registered here.
    pub registered_at: Timestamp,
    /// How often it was loaded and called, and when.
    #[serde(flatten)]
    pub usage: Usage,
    /// The plugins that it needs, with their ranges.
    pub dependencies: Vec<Dependency>,
    /// The registered plugins that need it.
    pub dependents: Vec<PluginId>,
    /// The notes on it.
    pub metadata: Map<String, Value>,
}

impl Kernel {
    /// What the plugin folders hold, and what is kept of plugins.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.inner.catalog
    }

    /// Scans plugin folders on a thread of its own, and tells of what has changed: `plugin.discovered` and
    /// `plugin.removed`, with the path, and the id where there is one.
    pub async fn scan(&self, folders: Vec<PathBuf>) -> Scan {
        let kernel = Arc::clone(&self.inner);
        blocking::unblock(move || scan(&kernel, &folders)).await
    }

    /// Scans plugin folders at once, at intervals, and when something in them has changed, until the answer is dropped
    /// or the kernel is gone. Each change is told to `on_change`, on that thread, and to everybody as by
    /// [`Kernel::scan`].
    ///
    /// # Errors
    /// `io` when there is no thread for it.
    pub fn watch(
        &self,
        folders: Vec<PathBuf>,
        pace: Pace,
        on_change: impl Fn(&Change) + Send + 'static,
    ) -> Result<Watch> {
        let kernel = Arc::downgrade(&self.inner);
        Watch::begin(folders, pace, move |folders| {
            let done = scan(&*kernel.upgrade()?, folders);
            done.changes.iter().for_each(&on_change);
            Some(done)
        })
    }

    /// Whether a plugin of that id is registered.
    #[must_use]
    pub fn exists(&self, id: &PluginId) -> bool {
        self.inner.plugin(id).is_ok()
    }

    /// Snapshots of the registered plugins that something is true of, by id.
    pub fn find(&self, mut is: impl FnMut(&Status) -> bool) -> Vec<Status> {
        self.statuses().into_iter().filter(|status| is(status)).collect()
    }

    /// What is known of a registered plugin.
    ///
    /// # Errors
    /// `plugin_not_found`; `storage`.
    pub fn record(&self, id: &PluginId) -> Result<Record> {
        let status = self.status(id)?;
        Ok(Record {
            id: id.clone(),
            path: status.path,
            registered_at: status.registered_at,
            usage: self.inner.catalog.usage(id).and(self.inner.unnoted(id)),
            dependencies: status.manifest.dependencies,
            dependents: self.dependents(id).into_iter().map(|(other, _)| other).collect(),
            metadata: self.inner.catalog.metadata(id)?,
        })
    }
}

fn scan(kernel: &Inner, folders: &[PathBuf]) -> Scan {
    let scan = kernel.catalog.scan(folders);
    for change in &scan.changes {
        let event = match change.change {
            ChangeKind::Added | ChangeKind::Changed => "plugin.discovered",
            ChangeKind::Removed => "plugin.removed",
        };
        let id = change.entry.id();
        let data = json!({
            "plugin_id": id, "module_id": id, "path": change.entry.path.display().to_string(), "change": change.change,
            "is_valid": change.entry.is_valid,
        });
        kernel.announce(event, data);
    }
    scan
}

impl Inner {
    /// What a plugin was used since that was last noted in the catalog.
    pub(crate) fn unnoted(&self, id: &PluginId) -> Usage {
        let Ok(plugin) = self.plugin(id) else { return Usage::default() };
        let calls = plugin.slot.counts();
        let load_time = plugin.slot.core.generation().map(|generation| generation.load_time);
        let life = plugin.life();
        let latest = i64::try_from(calls.latest_millis).ok().filter(|latest| *latest > 0);
        Usage {
            load_count: life.loads.saturating_sub(life.noted.load_count),
            last_loaded_at: life.loaded_at,
            load_time_ms: load_time.map_or(life.noted.load_time_ms, |time| time.as_secs_f64() * 1e3),
            access_count: calls.calls.saturating_sub(life.noted.access_count),
            last_access: latest.and_then(|latest| Timestamp::from_millisecond(latest).ok()),
        }
    }

    /// Notes in the catalog what a plugin was used. A failure is logged: it stands in no operation's way.
    pub(crate) fn note_usage(&self, id: &PluginId) {
        let more = self.unnoted(id);
        if (more.load_count, more.access_count) == (0, 0) {
            return;
        }
        match self.catalog.used(id, more) {
            Err(error) => tracing::warn!(plugin = %id, %error, "its use is not noted"),
            Ok(()) => {
                if let Ok(plugin) = self.plugin(id) {
                    let mut life = plugin.life();
                    life.noted = life.noted.and(more);
                }
            }
        }
    }
}
