//! Folders full of plugins.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use midplane_contract::{Code, Error, Result};

use super::file::unreadable;
use super::{Found, bare, folder, read};

/// Folders inside one another at most.
const DEPTH: usize = 16;
/// Entries looked at in one scan at most.
const ENTRIES: usize = 200_000;

/// Finds the plugins in folders, those of each folder in the order of their names.
///
/// A folder with a manifest is one plugin, whatever else it holds. Others are searched in depth for such folders and
/// for bare `.so`, `.dll`, `.dylib` and `.wasm` files, in any letter case. Names that begin with a dot are passed over,
/// and no folder is visited twice. What cannot be read or is broken stands in the list with its error, and the scan
/// goes on; at 16 levels or 200,000 entries it stops there and says so.
#[must_use]
pub fn scan(folders: &[PathBuf]) -> Vec<Result<Found, (PathBuf, Error)>> {
    let mut scan = Scan { found: Vec::new(), visited: HashSet::new(), entries: ENTRIES };
    for folder in folders {
        scan.folder(folder, 0);
    }
    scan.found
}

struct Scan {
    found: Vec<Result<Found, (PathBuf, Error)>>,
    visited: HashSet<PathBuf>,
    entries: usize,
}

impl Scan {
    fn folder(&mut self, path: &Path, depth: usize) {
        let real = match folder::resolved(path) {
            Ok(real) => real,
            Err(error) => return self.fail(path, error),
        };
        if !self.visited.insert(real) {
            return;
        }
        match folder::manifest_of(path) {
            Ok(Some(_)) => return self.plugin(path),
            Ok(None) => {}
            Err(error) => return self.fail(path, error),
        }
        let listing = match std::fs::read_dir(path) {
            Ok(listing) => listing,
            Err(error) => return self.fail(path, unreadable(path, &error)),
        };
        if depth >= DEPTH {
            return self.fail(path, too_much(path, "it is more than 16 folders deep"));
        }
        let mut inside: Vec<PathBuf> = listing.flatten().take(self.entries).map(|entry| entry.path()).collect();
        inside.sort();
        for path in inside {
            self.entries = self.entries.saturating_sub(1);
            if self.entries == 0 {
                return self.fail(&path, too_much(&path, "more than 200,000 files and folders were looked at"));
            }
            self.entry(&path, depth);
        }
    }

    fn entry(&mut self, path: &Path, depth: usize) {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') {
            return;
        }
        // A link to nothing is as good as absent, unless it looks like a plugin.
        let facts = path.metadata();
        if facts.as_ref().is_ok_and(std::fs::Metadata::is_dir) {
            self.folder(path, depth + 1);
        } else if is_library(&name) {
            self.plugin(path);
        }
    }

    fn plugin(&mut self, path: &Path) {
        let found = read(path).map_err(|error| (path.to_path_buf(), error));
        self.found.push(found);
    }

    fn fail(&mut self, path: &Path, error: Error) {
        self.found.push(Err((path.to_path_buf(), error)));
    }
}

/// Scripts count only where they are named: not every `.js` file in a tree is a plugin.
fn is_library(name: &str) -> bool {
    bare::runtime(name).is_some_and(|runtime| runtime != midplane_contract::RuntimeKind::Js)
}

fn too_much(path: &Path, why: &str) -> Error {
    Error::new(Code::LimitExceeded, format!("the scan stopped at {}: {why}", path.display()))
        .remedy("name folders that hold plugins and little else")
        .with("which", "scan")
}
