//! Folders full of plugins, read once.

use std::path::PathBuf;

use midplane_contract::{Error, Result};

use super::walk::{Listings, What, walk};
use super::{Found, read};

/// Finds the plugins in folders, those of each folder in the order of their names.
///
/// A folder with a manifest is one plugin, whatever else it holds. Others are searched in depth for such folders and
/// for bare `.so`, `.dll`, `.dylib` and `.wasm` files, in any letter case. Names that begin with a dot are passed over,
/// and no folder is visited twice. What cannot be read or is broken stands in the list with its error, and the scan
/// goes on; at 16 levels or 200,000 entries it stops there and says so.
#[must_use]
pub fn scan(folders: &[PathBuf]) -> Vec<Result<Found, (PathBuf, Error)>> {
    let met = walk(folders, &mut Listings::default()).into_iter();
    met.map(|met| match met.what {
        What::Folder { .. } | What::File => read(&met.path).map_err(|error| (met.path, error)),
        What::Broken(error) => Err((met.path, error)),
    })
    .collect()
}
