//! The plugins in the folders of settings: registered when they are found, and loaded where that is wanted, also those
//! that come while the host runs.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use midplane_contract::{Code, Error, PluginId, Result, Settings, State};
use midplane_kernel::bus::{Listening, Options};
use midplane_kernel::catalog::{self, Entry, Pace};
use midplane_kernel::{Kernel, block_on};

use super::{are_defaults, expand_home, folders};

/// Looks into the folders of settings. What it has looked at once it looks at again when it has changed. Cheap to clone;
/// clones know what the others have seen.
#[derive(Clone)]
pub struct Discovery {
    kernel: Kernel,
    settings: Arc<RwLock<Arc<Settings>>>,
    /// By path, what was tried there.
    seen: Arc<Mutex<BTreeMap<PathBuf, Arc<Entry>>>>,
    /// The paths of plugins that the settings name, as they were last taken in.
    named: Arc<Mutex<BTreeSet<PathBuf>>>,
    /// Wakes whoever watches.
    wake: Arc<Mutex<Option<SyncSender<()>>>>,
}

/// What the one who watches goes by.
struct GoingBy {
    settings: Arc<Settings>,
    watch: Option<catalog::Watch>,
}

/// A plugin that cannot be registered. What a scan finds broken is not among them: the catalog has it with its reason, and
/// has logged that.
#[derive(Debug, Clone)]
pub struct Unusable {
    /// Where it is.
    pub path: PathBuf,
    /// What is wrong with it.
    pub error: Error,
}

/// What one look came to.
#[derive(Debug, Default)]
pub struct Looked {
    /// The plugins that were not registered before, or whose files are not as they were.
    pub fresh: Vec<PluginId>,
    /// What cannot be registered, and was not known for it.
    pub unusable: Vec<Unusable>,
}

impl Discovery {
    /// For a kernel and the settings that it was made by. Nothing is looked at yet.
    #[must_use]
    pub fn new(kernel: &Kernel, settings: &Settings) -> Self {
        let settings = Arc::new(RwLock::new(Arc::new(settings.clone())));
        Self { kernel: kernel.clone(), settings, seen: Arc::default(), named: Arc::default(), wake: Arc::default() }
    }

    /// Registers what the settings name by its path, scans the folders, and registers every plugin that is in effect in them
    /// and is not registered. Nothing is loaded. A folder that is not there is passed over where the settings name none, and is
    /// broken in the catalog otherwise.
    pub async fn look(&self) -> Looked {
        let settings = self.settings();
        let mut looked = self.take_named(&settings).await;
        self.kernel.scan(chosen(&settings)).await;
        let Looked { fresh, unusable } = self.take().await;
        looked.fresh.extend(fresh);
        looked.unusable.extend(unusable);
        looked
    }

    /// Whether the settings want a plugin to be loaded unasked: all of them with `load.auto`, or this one with
    /// `auto_start`; none that is not `enabled`.
    #[must_use]
    pub fn wants(&self, id: &PluginId) -> bool {
        wants(&self.settings(), id)
    }

    /// Puts those with the highest priority first; of equals, as they were.
    pub fn order(&self, ids: &mut [PluginId]) {
        let settings = self.settings();
        ids.sort_by_key(|id| Reverse(priority(&settings, id)));
    }

    /// Loads those that do not run, each with what it needs: the highest priority first, those of one priority at once. What
    /// came of each, in the order of the priorities; of equals, as they were.
    pub async fn load(&self, mut ids: Vec<PluginId>) -> Vec<(PluginId, Result<()>)> {
        self.order(&mut ids);
        let settings = self.settings();
        let mut done = Vec::new();
        for equals in ids.chunk_by(|one, two| priority(&settings, one) == priority(&settings, two)) {
            let outcomes = self.kernel.ensure_all_loaded(equals).await;
            done.extend(equals.iter().cloned().zip(outcomes));
        }
        done
    }

    /// Looks again as `scan.interval` says, and soon after something has changed, until the answer is dropped; without
    /// `scan.auto` only from when [`Discovery::take_over`] says so. Plugins that come are registered, and loaded where the
    /// settings want that; what goes is told as `plugin.removed` and stays as it is. One watches at a time.
    ///
    /// # Errors
    /// `io` when there are no threads for it.
    pub fn watch(&self) -> Result<Watching> {
        let (wake, woken) = sync_channel(1);
        let listening = self.listen(wake.clone())?;
        *self.wake.lock().unwrap_or_else(PoisonError::into_inner) = Some(wake);
        let settings = self.settings();
        let going_by = GoingBy { watch: self.scanning(&settings)?, settings };
        let discovery = self.clone();
        let work = move || discovery.follow(&woken, going_by);
        let thread = std::thread::Builder::new().name("discovery".to_owned()).spawn(work).map_err(|error| {
            Error::new(Code::Io, "no thread to take in plugins that come").remedy("end other threads").caused_by(&error)
        })?;
        Ok(Watching { wake: Arc::clone(&self.wake), listening: Some(listening), thread: Some(thread) })
    }

    /// Goes by these settings from here on. Whoever watches looks as `scan` and `folders` say by now, and loads what is
    /// wanted and was not: by `load.auto`, or a plugin's `auto_start` or `enabled`. What runs is left as it is.
    pub fn take_over(&self, settings: &Settings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings.clone());
        if let Some(wake) = self.wake.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            let _ = wake.try_send(());
        }
    }

    fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has the thread woken by every scan that finds something, whoever asked for it.
    fn listen(&self, wake: SyncSender<()>) -> Result<Listening> {
        let options = Options::new().name("discovery");
        self.kernel.bus().listen("plugin.discovered", &options, move |_| {
            // One note is enough for all that there is to see.
            let _ = wake.try_send(());
        })
    }

    /// Scans by itself, where the settings want that.
    fn scanning(&self, settings: &Settings) -> Result<Option<catalog::Watch>> {
        if !settings.scan.auto {
            return Ok(None);
        }
        // Time passes in between, whatever is written: a scan is work.
        let every = settings.scan.interval.max(Duration::from_millis(100));
        self.kernel.watch(chosen(settings), Pace { every, ..Pace::default() }, |_| {}).map(Some)
    }

    fn follow(&self, woken: &Receiver<()>, mut going_by: GoingBy) {
        while woken.recv().is_ok() {
            let mut wanted = self.renew(&mut going_by);
            if going_by.settings.scan.auto {
                let fresh: Vec<PluginId> = told(block_on(self.take())).collect();
                let waited = self.failed_without(&fresh);
                wanted.extend(fresh.into_iter().chain(waited).filter(|id| wants(&going_by.settings, id)));
            }
            self.bring_in(wanted);
        }
    }

    /// The plugins that must have one of these, directly or not, and have failed: it may have been for the lack of it.
    fn failed_without(&self, fresh: &[PluginId]) -> Vec<PluginId> {
        let mut above: Vec<PluginId> = fresh.to_vec();
        let mut at = 0;
        while let Some(id) = above.get(at).cloned() {
            let needing = self.kernel.dependents(&id).into_iter().filter(|(_, needed)| !needed.optional);
            let new: Vec<PluginId> = needing.map(|(id, _)| id).filter(|id| !above.contains(id)).collect();
            above.extend(new);
            at += 1;
        }
        let failed = |id: &PluginId| self.kernel.status(id).is_ok_and(|status| status.state == State::Failed);
        above.split_off(fresh.len()).into_iter().filter(failed).collect()
    }

    /// Goes by the settings of now, and returns the plugins that are wanted by them and were not by those before.
    fn renew(&self, going_by: &mut GoingBy) -> Vec<PluginId> {
        let settings = self.settings();
        let before = std::mem::replace(&mut going_by.settings, Arc::clone(&settings));
        if Arc::ptr_eq(&before, &settings) {
            return Vec::new();
        }
        if (&before.scan, &before.folders) != (&settings.scan, &settings.folders) {
            going_by.watch = None;
            match self.scanning(&settings) {
                Ok(watch) => going_by.watch = watch,
                Err(error) => tracing::error!(%error, "the plugin folders are no longer looked into"),
            }
            let (auto, every) = (settings.scan.auto, settings.scan.interval);
            tracing::info!(auto, ?every, "the plugin folders are looked into as the changed settings say");
        }
        let here = self.kernel.statuses().into_iter().map(|status| status.id);
        let mut wanted: Vec<PluginId> = here.filter(|id| wants(&settings, id) && !wants(&before, id)).collect();
        wanted.extend(told(block_on(self.take_named(&settings))).filter(|id| wants(&settings, id)));
        wanted
    }

    /// Registers the plugins that settings name by their paths, those that were not named before.
    async fn take_named(&self, settings: &Settings) -> Looked {
        let paths = settings.plugins.values().filter_map(|plugin| plugin.path.as_deref());
        let named: BTreeSet<PathBuf> = paths.map(expand_home).collect();
        let before = std::mem::replace(&mut *self.named.lock().unwrap_or_else(PoisonError::into_inner), named.clone());
        let mut looked = Looked::default();
        // One that is there from the same place is as it is wanted: installed, for example.
        let is_there = |path: &PathBuf| std::path::absolute(path).is_ok_and(|path| self.kernel.id_of(path).is_ok());
        for path in named.difference(&before).filter(|path| !is_there(path)).cloned() {
            match self.kernel.register(&path).await {
                Ok(id) => looked.fresh.push(id),
                Err(error) => looked.unusable.push(Unusable { path, error }),
            }
        }
        looked
    }

    /// Loads what nobody has loaded or stopped: that is left to them. What has failed may have been mended.
    fn bring_in(&self, wanted: Vec<PluginId>) {
        let state = |id: &PluginId| self.kernel.status(id).map(|status| status.state).ok();
        let (fresh, others): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|id| state(id) == Some(State::Registered));
        let mut done = block_on(self.load(fresh));
        // Those that failed before are read again.
        let failed = others.into_iter().filter(|id| state(id) == Some(State::Failed));
        done.extend(failed.map(|id| (id.clone(), block_on(self.kernel.reload(&id)))));
        for (id, loaded) in done {
            match loaded {
                Ok(()) => tracing::info!(plugin = %id, "a plugin that has come, or is wanted now, is loaded"),
                Err(error) => {
                    tracing::warn!(plugin = %id, %error, "a plugin that has come, or is wanted now, cannot be loaded");
                }
            }
        }
    }

    /// Registers what the catalog has and nobody has tried.
    async fn take(&self) -> Looked {
        let mut looked = Looked::default();
        for entry in self.kernel.catalog().entries() {
            if !entry.is_in_effect() || !self.is_chosen(&entry) || !self.is_news(&entry) {
                continue;
            }
            match self.register(&entry).await {
                Ok(id) => looked.fresh.push(id),
                Err(error) => looked.unusable.push(Unusable { path: entry.path.clone(), error }),
            }
        }
        looked
    }

    /// Whether it is the version that counts among those that lie side by side. Bare files of one name are no versions of
    /// each other.
    fn is_chosen(&self, entry: &Entry) -> bool {
        let best = entry.id().and_then(|id| self.kernel.catalog().of(id));
        best.is_none_or(|best| best.path == entry.path || best.bare && entry.bare)
    }

    fn is_news(&self, entry: &Arc<Entry>) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seen.insert(entry.path.clone(), Arc::clone(entry));
        let same = |was: &Entry| (&was.checksum, was.mod_time) == (&entry.checksum, entry.mod_time);
        before.is_none_or(|was| !Arc::ptr_eq(&was, entry) && !same(&was))
    }

    /// Registers an entry, unless a plugin of its path or its id is there: named by its path, or installed. What a bare file
    /// is called is no more than its name.
    async fn register(&self, entry: &Entry) -> Result<PluginId> {
        let known = || entry.id().filter(|id| !entry.bare && self.kernel.exists(id)).cloned();
        match self.kernel.id_of(&entry.path).ok().or_else(known) {
            Some(id) => Ok(id),
            None => self.kernel.register(&entry.path).await,
        }
    }
}

fn priority(settings: &Settings, id: &PluginId) -> i32 {
    settings.plugins.get(id).map_or(0, |plugin| plugin.priority)
}

/// Whether settings want a plugin to be loaded unasked.
fn wants(settings: &Settings, id: &PluginId) -> bool {
    let auto = settings.load.auto;
    settings.plugins.get(id).map_or(auto, |plugin| plugin.enabled && (plugin.auto_start || auto))
}

/// What is fresh; what cannot be registered is logged.
fn told(looked: Looked) -> impl Iterator<Item = PluginId> {
    for Unusable { path, error } in looked.unusable {
        tracing::warn!(path = %path.display(), %error, "a plugin that has come cannot be registered");
    }
    looked.fresh.into_iter()
}

/// The folders that settings choose; of the defaults those that are there.
fn chosen(settings: &Settings) -> Vec<PathBuf> {
    let folders = folders(settings);
    match are_defaults(&settings.folders) {
        true => folders.into_iter().filter(|folder| folder.is_dir()).collect(),
        false => folders,
    }
}

/// Goes on looking while it lives. Dropping it waits for the end of a scan or a load under way.
pub struct Watching {
    wake: Arc<Mutex<Option<SyncSender<()>>>>,
    listening: Option<Listening>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        // With these goes what wakes the thread, which then ends.
        self.wake.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.listening.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
