//! What is not as it was at the scan before.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::entry::Kept;
use super::sweep::Known;
use super::{Change, ChangeKind, shadow};

/// Says of each entry what takes its place.
pub(super) fn shadowed(mut swept: Vec<(usize, Kept)>) -> Vec<Kept> {
    let by = shadow::shadows(swept.iter().map(|(root, kept)| (*root, kept.entry.as_ref())));
    for ((_, kept), by) in swept.iter_mut().zip(by) {
        if kept.entry.shadowed_by != by {
            Arc::make_mut(&mut kept.entry).shadowed_by = by;
        }
    }
    swept.into_iter().map(|(_, kept)| kept).collect()
}

/// What has come, changed and gone, those that are gone last.
pub(super) fn changes(before: &Known, swept: &[Kept]) -> Vec<Change> {
    let mut gone: HashMap<&PathBuf, &Kept> = before.iter().collect();
    let mut changes = Vec::new();
    for kept in swept {
        let change = match gone.remove(&kept.entry.path) {
            None => ChangeKind::Added,
            Some(was) if Arc::ptr_eq(&was.entry, &kept.entry) || was.entry.says_the_same(&kept.entry) => continue,
            Some(_) => ChangeKind::Changed,
        };
        changes.push(Change { change, entry: Arc::clone(&kept.entry) });
    }
    let mut gone: Vec<&Kept> = gone.into_values().collect();
    gone.sort_by(|one, two| one.entry.path.cmp(&two.entry.path));
    let removed = gone.into_iter().map(|kept| Change { change: ChangeKind::Removed, entry: Arc::clone(&kept.entry) });
    changes.extend(removed);
    changes
}
