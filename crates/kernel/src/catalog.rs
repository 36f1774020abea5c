//! The catalog: what the plugin folders hold, found again without opening what has not changed; and what is known of
//! plugins beside that: versions, installed records, notes, use.
//!
//! Reading order: `entry` (one line) → `sweep` (one scan) → `shadow` (which of several is taken) → `index` (finding) →
//! `watch` (scanning by itself). Beside: `versions`, `installed`, `notes`, `usage`.

mod changes;
mod entry;
pub mod folders;
mod index;
mod installed;
mod notes;
mod rows;
mod shadow;
mod sweep;
mod usage;
mod versions;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use midplane_contract::{Error, PluginId, Result};
use serde::Serialize;

pub use entry::Entry;
pub use index::By;
pub use installed::{InstallStatus, Installed};
pub(crate) use installed::{forget, read, write};
pub use usage::Usage;
pub use versions::{Marks, VersionInfo};
pub use watch::{Pace, Watch};

use crate::discover::Listings;
use crate::resolve::Selection;
use crate::store::Stores;
use changes::{changes, shadowed};
use entry::Kept;
use index::Index;
use sweep::{Known, Seen};

const ENTRIES: &str = "entries";
const FOLDERS: &str = "folders";

/// See the module's text. Methods that touch the stores block on the disk.
pub struct Catalog {
    stores: Stores,
    selection: Selection,
    scanning: Mutex<Scanning>,
    shown: RwLock<Arc<Shown>>,
}

/// What a scan begins with. One at a time.
#[derive(Default)]
struct Scanning {
    loaded: bool,
    /// What is shown is what a scan of this kernel found, in its order.
    scanned: bool,
    folders: Vec<PathBuf>,
    kept: Known,
    listings: Listings,
}

/// What observers see: always that of one scan.
#[derive(Default)]
struct Shown {
    entries: Vec<Arc<Entry>>,
    index: Index,
}

/// What a scan came to.
#[derive(Debug, Clone, Serialize)]
pub struct Scan {
    /// Entries in all.
    pub found: usize,
    /// Those that can be registered.
    pub valid: usize,
    /// Those that cannot, with their reasons in the entries.
    pub invalid: usize,
    /// Those that another takes the place of.
    pub shadowed: usize,
    /// Manifests and files of code that were opened; the rest is as it was.
    pub read: usize,
    /// Milliseconds it took.
    pub took_ms: f64,
    /// What is not as it was at the scan before.
    pub changes: Vec<Change>,
    /// Why the catalog could not be kept, if it could not; it is complete all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_kept: Option<Error>,
}

/// One thing that is not as it was.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// What happened to it.
    pub change: ChangeKind,
    /// The entry, as it is; of one that is gone, as it was.
    pub entry: Arc<Entry>,
}

/// What happened to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// It was not there.
    Added,
    /// It says something else.
    Changed,
    /// It is not there any longer.
    Removed,
}

impl Catalog {
    pub(crate) fn new(stores: Stores) -> Self {
        Self { stores, selection: Selection::default(), scanning: Mutex::default(), shown: RwLock::default() }
    }

    /// The same, with what the operator decides about versions.
    pub(crate) fn with_selection(self, selection: Selection) -> Self {
        Self { selection, ..self }
    }

    /// Scans folders, which are then what the catalog holds. An unreadable folder or a broken plugin becomes an entry
    /// with its reason, and the scan goes on. What has not changed since any scan before, of earlier hosts over the same
    /// data folder too, is not opened.
    pub fn scan(&self, folders: &[PathBuf]) -> Scan {
        let begun = Instant::now();
        // What is kept is looked at again from other folders.
        let folders: &[PathBuf] = &folders.iter().map(|folder| folders::absolute(folder)).collect::<Vec<_>>();
        let mut scanning = self.scanning.lock().unwrap_or_else(PoisonError::into_inner);
        self.load(&mut scanning);
        let Scanning { kept, listings, .. } = &mut *scanning;
        let seen = Seen::of(folders, kept, listings);
        if scanning.scanned && scanning.folders == folders && seen.is_just(&scanning.kept) {
            drop(scanning);
            return self.told(Vec::new(), 0, None, begun.elapsed());
        }
        let before = scanning.kept.clone();
        let swept = sweep::sweep(seen, &mut scanning.kept);
        let (read, swept) = (swept.read, shadowed(swept.kept));
        let changes = changes(&before, &swept);
        let remembered = if scanning.folders == folders { Ok(()) } else { self.remember(folders) };
        (scanning.folders, scanning.scanned) = (folders.to_vec(), true);
        let not_kept = self.keep(&changes, &before, &swept).and(remembered).err();
        self.show(swept.iter().map(|kept| Arc::clone(&kept.entry)).collect());
        scanning.kept = swept.into_iter().map(|kept| (kept.entry.path.clone(), kept)).collect();
        drop(scanning);
        self.told(changes, read, not_kept, begun.elapsed())
    }

    /// The folders of the latest scan, of an earlier host's where this one has not scanned.
    #[must_use]
    pub fn folders(&self) -> Vec<PathBuf> {
        let mut scanning = self.scanning.lock().unwrap_or_else(PoisonError::into_inner);
        self.load(&mut scanning);
        scanning.folders.clone()
    }

    /// Every entry of the latest scan, folder by folder, in the order of their paths in each; these are absolute.
    #[must_use]
    pub fn entries(&self) -> Vec<Arc<Entry>> {
        self.shown().entries.clone()
    }

    /// The entry of a path.
    #[must_use]
    pub fn at(&self, path: &Path) -> Option<Arc<Entry>> {
        let path = folders::absolute(path);
        self.find(|entry| entry.path == path).into_iter().next()
    }

    /// The entry that is in effect for an id, in the first folder that has it: a version that is not deprecated before one
    /// that is, a stable one before one that is not unless pre-releases are welcome, then the highest.
    #[must_use]
    pub fn of(&self, id: &PluginId) -> Option<Arc<Entry>> {
        let mut entries = self.by(By::Id(id.as_str()));
        entries.retain(|entry| entry.is_in_effect());
        if entries.len() < 2 {
            return entries.pop();
        }
        let known = self.versions(id).unwrap_or_else(|error| {
            tracing::warn!(plugin = %id, %error, "what is known of its versions cannot be read; the highest is taken");
            Vec::new()
        });
        let rank = |entry: &Arc<Entry>| {
            let version = &entry.manifest.as_ref()?.version;
            let info = known.iter().find(|info| info.version == *version);
            let welcome = self.selection.allow_prerelease || info.is_none_or(|info| info.is_stable);
            Some((info.is_none_or(|info| !info.is_deprecated), welcome, version.clone()))
        };
        entries.into_iter().max_by_key(rank)
    }

    /// The entries that something is true of.
    pub fn find(&self, mut is: impl FnMut(&Entry) -> bool) -> Vec<Arc<Entry>> {
        self.shown().entries.iter().filter(|entry| is(entry)).cloned().collect()
    }

    /// The entries that say this of themselves, valid or not; takes time in proportion to them alone.
    #[must_use]
    pub fn by(&self, by: By<'_>) -> Vec<Arc<Entry>> {
        self.shown().index.find(by)
    }

    fn shown(&self) -> Arc<Shown> {
        // While a scan runs, what was there before it is shown; it has loaded that first.
        if let Ok(mut scanning) = self.scanning.try_lock() {
            self.load(&mut scanning);
        }
        Arc::clone(&self.shown.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn show(&self, entries: Vec<Arc<Entry>>) {
        let shown = Shown { index: Index::of(&entries), entries };
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(shown);
    }

    /// Takes over what an earlier host has kept. What cannot be read is found again by scanning.
    fn load(&self, scanning: &mut Scanning) {
        if std::mem::replace(&mut scanning.loaded, true) {
            return;
        }
        let rows = self.stores.catalog.scan(ENTRIES, "").unwrap_or_else(|error| {
            tracing::warn!(%error, "the catalog cannot be read; a scan finds it again");
            Vec::new()
        });
        let kept = rows.iter().filter_map(|(_, row)| serde_json::from_slice::<Kept>(row).ok());
        scanning.kept = kept.map(|kept| (kept.entry.path.clone(), kept)).collect();
        let folders = self.stores.state.get(FOLDERS, "").ok().flatten();
        scanning.folders = folders.and_then(|folders| serde_json::from_slice(&folders).ok()).unwrap_or_default();
        let mut entries: Vec<Arc<Entry>> = scanning.kept.values().map(|kept| Arc::clone(&kept.entry)).collect();
        entries.sort_by(|one, two| one.path.cmp(&two.path));
        self.show(entries);
    }

    /// Writes down where was looked: a catalog that is lost is found again by that.
    fn remember(&self, folders: &[PathBuf]) -> Result<()> {
        self.stores
            .state
            .change(&mut |change| change.put(FOLDERS, "", &serde_json::to_vec(folders).unwrap_or_default()))
    }

    /// Writes down what is not as it was, in one change.
    fn keep(&self, changes: &[Change], before: &Known, swept: &[Kept]) -> Result<()> {
        let is_news = |kept: &&Kept| before.get(&kept.entry.path).is_none_or(|was| !was.is_as_good_as(kept));
        let written: Vec<&Kept> = swept.iter().filter(is_news).collect();
        let gone = changes.iter().filter(|change| change.change == ChangeKind::Removed);
        let gone: Vec<&Path> = gone.map(|change| change.entry.path.as_path()).collect();
        if written.is_empty() && gone.is_empty() {
            return Ok(());
        }
        self.stores.catalog.change(&mut |change| {
            // A path that is no text is not kept: it is read again each time.
            for path in gone.iter().filter_map(|path| path.to_str()) {
                change.remove(ENTRIES, path)?;
            }
            written.iter().try_for_each(|kept| {
                let (Some(path), Ok(row)) = (kept.entry.path.to_str(), serde_json::to_vec(kept)) else { return Ok(()) };
                change.put(ENTRIES, path, &row)
            })
        })
    }

    fn told(&self, changes: Vec<Change>, read: usize, not_kept: Option<Error>, took: Duration) -> Scan {
        let entries = self.entries();
        let count = |is: fn(&Entry) -> bool| entries.iter().filter(|entry| is(entry)).count();
        let scan = Scan {
            found: entries.len(),
            valid: count(|entry| entry.is_valid),
            invalid: count(|entry| !entry.is_valid),
            shadowed: count(|entry| entry.shadowed_by.is_some()),
            read,
            took_ms: took.as_secs_f64() * 1e3,
            changes,
            not_kept,
        };
        log(&scan);
        scan
    }
}

/// Says once, when it shows, what is wrong.
fn log(scan: &Scan) {
    for change in scan.changes.iter().filter(|change| change.change != ChangeKind::Removed) {
        let entry = &change.entry;
        if let Some(error) = &entry.validation_error {
            tracing::warn!(path = %entry.path.display(), %error, "not a plugin that can be used");
        }
        if let (Some(by), Some(id)) = (&entry.shadowed_by, entry.id()) {
            tracing::warn!(path = %entry.path.display(), %id, by = %by.display(), "another takes its place");
        }
    }
    if let Some(error) = &scan.not_kept {
        tracing::warn!(%error, "the catalog could not be kept; the next host scans all of it");
    }
    tracing::info!(found = scan.found, invalid = scan.invalid, read = scan.read, took_ms = scan.took_ms, "scanned");
}

#[cfg(test)]
mod tests;
