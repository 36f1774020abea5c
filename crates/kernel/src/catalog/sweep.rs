//! One scan: what has changed is read, what has not is taken over.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::entry::{Entry, Kept};
use crate::discover::{Listings, Met, Stamp, Survey, What, checksum, survey, walk};

/// What a scan came to.
pub(super) struct Swept {
    /// In order: folder by folder, by path in each.
    pub(super) kept: Vec<(usize, Kept)>,
    /// How many manifests and files were opened.
    pub(super) read: usize,
}

/// Below this a single thread is faster.
const WORTH_SHARING: usize = 64;

/// What is known, by its path.
pub(super) type Known = HashMap<PathBuf, Kept>;

/// What a walk came by, and whether what is known of each still holds.
pub(super) struct Seen(Vec<(Met, bool)>);

impl Seen {
    /// Goes through folders. Nothing is opened.
    pub(super) fn of(folders: &[PathBuf], known: &Known, listings: &mut Listings) -> Self {
        let met = walk(folders, listings);
        let holds = |met: &Met| {
            known.get(&met.path).is_some_and(|kept| match &met.what {
                What::Folder { stamp, .. } => kept.still_holds(Some(*stamp)),
                What::File => kept.still_holds(None),
                What::Broken(error) => kept.is_broken_by(error),
            })
        };
        let share = met.len().div_ceil(threads()).max(WORTH_SHARING);
        let held: Vec<bool> = std::thread::scope(|scope| {
            let work = |share: &[Met]| share.iter().map(holds).collect::<Vec<_>>();
            let threads: Vec<_> = met.chunks(share).skip(1).map(|share| scope.spawn(move || work(share))).collect();
            let first = met.chunks(share).next().map(work).unwrap_or_default();
            // A thread that panicked has said so; what it had to look at is read anew.
            let rest = threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default());
            first.into_iter().chain(rest).collect()
        });
        let held = held.into_iter().chain(std::iter::repeat(false));
        Self(met.into_iter().zip(held).collect())
    }

    /// Whether it is just what is known, and all of that.
    pub(super) fn is_just(&self, known: &Known) -> bool {
        self.0.len() == known.len() && self.0.iter().all(|(_, holds)| *holds)
    }
}

/// Reads what has changed and takes over what is known and still holds.
pub(super) fn sweep(seen: Seen, known: &mut Known) -> Swept {
    let mut kept: Vec<(usize, Option<Kept>)> = Vec::new();
    let mut anew: Vec<(usize, Met)> = Vec::new();
    for (met, holds) in seen.0 {
        let known = known.remove(&met.path).filter(|_| holds);
        let root = met.root;
        if known.is_none() {
            anew.push((kept.len(), met));
        }
        kept.push((root, known));
    }
    let read = anew.iter().filter(|(_, met)| !matches!(met.what, What::Broken(_))).count();
    for (place, found) in look_into(anew) {
        if let Some(slot) = kept.get_mut(place) {
            slot.1 = Some(found);
        }
    }
    Swept { kept: kept.into_iter().filter_map(|(root, kept)| Some((root, kept?))).collect(), read }
}

/// Reads them, on all processors where they are many.
fn look_into(mut met: Vec<(usize, Met)>) -> Vec<(usize, Kept)> {
    let threads = threads();
    if met.len() < WORTH_SHARING || threads == 1 {
        return met.into_iter().map(|(place, met)| (place, keep(met))).collect();
    }
    let share = met.len().div_ceil(threads);
    let shares: Vec<_> = std::iter::from_fn(|| {
        let rest = met.len().saturating_sub(share);
        (!met.is_empty()).then(|| met.split_off(rest))
    })
    .collect();
    let work = |share: Vec<(usize, Met)>| move || share.into_iter().map(|(place, met)| (place, keep(met))).collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> = shares.into_iter().map(|share| scope.spawn(work(share))).collect();
        // A thread that panicked has said so; what it had to read is missing from this scan.
        threads.into_iter().flat_map(|thread| -> Vec<(usize, Kept)> { thread.join().unwrap_or_default() }).collect()
    })
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn keep(met: Met) -> Kept {
    let (manifest, folder) = match met.what {
        What::Folder { manifest, stamp } => (Some(manifest), Some(stamp)),
        What::File => (None, None),
        What::Broken(error) => {
            return Kept { entry: Arc::new(Entry::broken(met.path, error)), folder: None, files: Vec::new() };
        }
    };
    let stamp = |path: &PathBuf| Stamp::of(path).ok().map(|(stamp, _)| stamp);
    // Stamped before it is read: a change while it is read shows at the next scan.
    let first = manifest.as_ref().unwrap_or(&met.path);
    let stamped = stamp(first);
    stamped.iter().for_each(Stamp::settle);
    let Survey { manifest, files, hashed, error } = survey(&met.path, manifest.as_deref());
    let files: Vec<(PathBuf, Option<Stamp>)> = files
        .into_iter()
        .map(|path| {
            let stamp = if path == *first { stamped } else { stamp(&path) };
            stamp.iter().for_each(Stamp::settle);
            (path, stamp)
        })
        .collect();
    let ((sum, size), error) = match (hashed.as_deref().map(checksum).transpose(), error) {
        (Ok(sum), error) => (sum.unwrap_or_default(), error),
        (Err(why), error) => (Default::default(), error.or(Some(why))),
    };
    let latest = files.iter().filter_map(|(_, stamp)| Some(stamp.as_ref()?.modified)).max().unwrap_or(0);
    let entry = Entry {
        path: met.path.clone(),
        kind: manifest.as_ref().map(|manifest| manifest.entry.runtime),
        manifest,
        bare: folder.is_none(),
        checksum: sum,
        size,
        mod_time: Timestamp::from_nanosecond(latest.into()).unwrap_or_default(),
        is_valid: error.is_none(),
        validation_error: error,
        shadowed_by: None,
    };
    Kept { entry: Arc::new(entry), folder, files }
}
