//! Going through folders for plugins, without opening any.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use midplane_contract::manifest::FILE_NAMES;
use midplane_contract::{Code, Error};

use super::file::unreadable;
use super::stamp::Stamp;
use super::{bare, folder};

/// Folders inside one another at most.
const DEPTH: usize = 16;
/// Entries looked at in one walk at most.
const ENTRIES: usize = 200_000;

/// Something that a walk came by.
pub(crate) struct Met {
    /// In which of the folders that the walk began at, by its position.
    pub(crate) root: usize,
    /// The plugin's folder, or its file.
    pub(crate) path: PathBuf,
    /// What it is.
    pub(crate) what: What,
}

pub(crate) enum What {
    /// A folder with a manifest, and the folder's stamp.
    Folder { manifest: PathBuf, stamp: Stamp },
    /// A file of code.
    File,
    /// Something that looks like a plugin or a folder and cannot be used.
    Broken(Error),
}

/// What a walk remembers for the next one: a folder that has not changed is not listed again.
#[derive(Default)]
pub(crate) struct Listings(HashMap<PathBuf, Listing>);

struct Listing {
    stamp: Stamp,
    inside: Inside,
}

enum Inside {
    /// Manifests: it is a plugin, or would be with one of them only.
    Manifests(Vec<PathBuf>),
    /// Folders and what looks like code, by name.
    Others(Vec<PathBuf>),
}

/// Finds the plugins in folders, those of each folder in the order of their names.
///
/// A folder with a manifest is one plugin, whatever else it holds. Others are searched in depth for such folders and
/// for bare `.so`, `.dll`, `.dylib` and `.wasm` files, in any letter case. Names that begin with a dot are passed over,
/// and no folder is visited twice. At 16 levels or 200,000 entries it stops there and says so.
pub(crate) fn walk(folders: &[PathBuf], listings: &mut Listings) -> Vec<Met> {
    let before = std::mem::take(&mut listings.0);
    let mut walk =
        Walk { root: 0, met: Vec::new(), visited: HashSet::new(), entries: ENTRIES, before, after: listings };
    for (root, folder) in folders.iter().enumerate() {
        walk.root = root;
        walk.begin(folder);
    }
    walk.met
}

struct Walk<'a> {
    root: usize,
    met: Vec<Met>,
    visited: HashSet<(u64, u64, PathBuf)>,
    entries: usize,
    before: HashMap<PathBuf, Listing>,
    after: &'a mut Listings,
}

impl Walk<'_> {
    fn begin(&mut self, path: &Path) {
        match Stamp::of(path) {
            Ok((stamp, facts)) if facts.is_dir() => self.folder(path, stamp, 0),
            Ok(_) => {
                let why = format!("{} is no folder", path.display());
                let error = Error::new(Code::NotAPlugin, why).remedy("name the folder that the plugins are in");
                self.meet(path, What::Broken(error));
            }
            Err(error) => self.meet(path, What::Broken(unreadable(path, &error))),
        }
    }

    fn folder(&mut self, path: &Path, stamp: Stamp, depth: usize) {
        if !self.visited.insert(identity(path, stamp)) {
            return;
        }
        let listing = match self.before.remove(path).filter(|listing| listing.stamp == stamp) {
            Some(listing) => listing,
            None => match list(path, stamp) {
                Ok(inside) => Listing { stamp, inside },
                Err(error) => return self.meet(path, What::Broken(error)),
            },
        };
        match &listing.inside {
            Inside::Manifests(manifests) => match manifests.as_slice() {
                [manifest] => self.meet(path, What::Folder { manifest: manifest.clone(), stamp }),
                several => self.meet(path, What::Broken(folder::several(path, several))),
            },
            Inside::Others(_) if depth >= DEPTH => {
                self.meet(path, What::Broken(too_much(path, "it is more than 16 folders deep")));
            }
            Inside::Others(others) => others.iter().for_each(|path| self.entry(path, depth)),
        }
        self.after.0.insert(path.to_path_buf(), listing);
    }

    fn entry(&mut self, path: &Path, depth: usize) {
        if self.entries == 0 {
            return;
        }
        self.entries -= 1;
        if self.entries == 0 {
            let why = "more than 200,000 files and folders were looked at";
            return self.meet(path, What::Broken(too_much(path, why)));
        }
        // A link to nothing is as good as absent, unless it looks like a plugin.
        match Stamp::of(path) {
            Ok((stamp, facts)) if facts.is_dir() => self.folder(path, stamp, depth + 1),
            Ok(_) if is_library(path) => self.meet(path, What::File),
            Err(error) if is_library(path) => self.meet(path, What::Broken(unreadable(path, &error))),
            _ => {}
        }
    }

    fn meet(&mut self, path: &Path, what: What) {
        self.met.push(Met { root: self.root, path: path.to_path_buf(), what });
    }
}

/// What makes two paths the same folder.
fn identity(path: &Path, stamp: Stamp) -> (u64, u64, PathBuf) {
    if cfg!(unix) {
        return (stamp.device, stamp.inode, PathBuf::new());
    }
    (0, 0, path.canonicalize().unwrap_or_else(|_| path.to_path_buf()))
}

fn list(path: &Path, stamp: Stamp) -> Result<Inside, Error> {
    stamp.settle();
    let listing = match std::fs::read_dir(path) {
        Ok(listing) => listing,
        // A folder may be one that can be entered and not listed.
        Err(error) => {
            return folder::manifest_of(path)?
                .map(|manifest| Inside::Manifests(vec![manifest]))
                .ok_or_else(|| unreadable(path, &error));
        }
    };
    let (mut manifests, mut others) = (Vec::new(), Vec::new());
    for entry in listing.flatten().take(ENTRIES) {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if FILE_NAMES.contains(&name.as_ref()) {
            manifests.push(entry.path());
        } else if !name.starts_with('.') && entry.file_type().is_ok_and(|kind| !kind.is_file() || is_code(&name)) {
            others.push(entry.path());
        }
    }
    if manifests.is_empty() {
        others.sort();
        return Ok(Inside::Others(others));
    }
    // In the order in which they are asked for.
    manifests.sort_by_key(|path| FILE_NAMES.iter().position(|name| path.ends_with(name)));
    Ok(Inside::Manifests(manifests))
}

fn is_library(path: &Path) -> bool {
    path.file_name().is_some_and(|name| is_code(&name.to_string_lossy()))
}

/// Scripts count only where they are named: not every `.js` file in a tree is a plugin.
fn is_code(name: &str) -> bool {
    bare::runtime(name).is_some_and(|runtime| runtime != midplane_contract::RuntimeKind::Js)
}

fn too_much(path: &Path, why: &str) -> Error {
    Error::new(Code::LimitExceeded, format!("the scan stopped at {}: {why}", path.display()))
        .remedy("name folders that hold plugins and little else")
        .with("which", "scan")
}
