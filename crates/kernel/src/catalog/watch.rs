//! Scanning by itself: at intervals, and soon after something in the folders has changed.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use midplane_contract::{Code, Error, Result, defaults};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::Scan;
use crate::discover::Stamp;

/// How often folders are scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Time between two scans when nothing is heard; 60 s.
    pub every: Duration,
    /// How long it has to be quiet after a change before it is looked at; 200 ms. Where it never is, ten times that.
    pub quiet: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { every: defaults::RESCAN_INTERVAL, quiet: Duration::from_millis(200) }
    }
}

/// Scans while it lives. Dropping it waits for the end of a scan under way.
pub struct Watch {
    ended: Arc<AtomicBool>,
    wake: SyncSender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Begins with a scan at once. Where changes cannot be heard of, the intervals are left, and a warning says why.
    pub(crate) fn begin(
        folders: Vec<PathBuf>,
        pace: Pace,
        scan: impl Fn(&[PathBuf]) -> Option<Scan> + Send + 'static,
    ) -> Result<Self> {
        // One note is enough, however many changes there are.
        let (wake, listening) = sync_channel(1);
        let ended = Arc::new(AtomicBool::new(false));
        let (is_over, mut ears) = (Arc::clone(&ended), Ears::over(&folders, wake.clone()));
        let work = move || {
            while !is_over.load(Ordering::SeqCst) {
                // Before the scan: what changes while it goes on is heard of.
                ears.listen();
                if scan(&folders).is_none() {
                    return;
                }
                wait(&listening, pace, &is_over);
            }
        };
        let thread = std::thread::Builder::new().name("catalog".into()).spawn(work).map_err(|error| {
            Error::new(Code::Io, "no thread to watch the plugin folders").remedy("end other threads").caused_by(&error)
        })?;
        Ok(Self { ended, wake, thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Where it cannot be sent, the thread has something to wake up for already, or is gone.
        let _ = self.wake.try_send(());
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

/// Waits for the next scan, or the end.
fn wait(listening: &Receiver<()>, pace: Pace, is_over: &AtomicBool) {
    if listening.recv_timeout(pace.every).is_err() {
        return;
    }
    let longest = Instant::now() + pace.quiet * 10;
    while !is_over.load(Ordering::SeqCst) && Instant::now() < longest {
        if listening.recv_timeout(pace.quiet).is_err() {
            return;
        }
    }
}

/// Hears of changes in the folders, as many of them as there are.
struct Ears {
    watcher: Option<RecommendedWatcher>,
    /// With what tells the folder that is listened to from another one at its path; `None` where none was there.
    folders: Vec<(PathBuf, Option<Identity>)>,
}

/// Device and inode.
type Identity = (u64, u64);

impl Ears {
    fn over(folders: &[PathBuf], wake: SyncSender<()>) -> Self {
        let hear = move |event: notify::Result<notify::Event>| {
            // Reading, as a scan does, is no change.
            if event.map_or(true, |event| !event.kind.is_access()) {
                let _ = wake.try_send(());
            }
        };
        let watcher = notify::recommended_watcher(hear).inspect_err(unheard).ok();
        Self { watcher, folders: folders.iter().map(|folder| (folder.clone(), None)).collect() }
    }

    /// Listens to the folders that have come, also where another was before.
    fn listen(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        for (folder, heard) in &mut self.folders {
            let is = Stamp::of(folder).ok().map(|(stamp, _)| (stamp.device, stamp.inode));
            if *heard == is {
                continue;
            }
            if heard.is_some() {
                // What is gone may have taken that along.
                let _ = watcher.unwatch(folder);
            }
            if is.is_some() {
                let _ = watcher.watch(folder, RecursiveMode::Recursive).inspect_err(unheard);
            }
            *heard = is;
        }
    }
}

fn unheard(error: &notify::Error) {
    tracing::warn!(%error, "changes in the plugin folders are not heard of; they are found by scanning");
}
