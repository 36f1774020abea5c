//! One line of the catalog.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use midplane_contract::{Error, Manifest, PluginId, RuntimeKind};
use serde::{Deserialize, Serialize, Serializer};

use crate::discover::Stamp;

/// What a scan found at one path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The plugin's folder, or its file. Shown as text, as well as can be.
    #[serde(serialize_with = "shown")]
    pub path: PathBuf,
    /// What executes it, as far as it can be told.
    #[serde(rename = "type")]
    pub kind: Option<RuntimeKind>,
    /// Its manifest, where that can be read; of a bare file, one made up from its name.
    pub manifest: Option<Manifest>,
    /// Whether it is a file without a manifest: its id is its name's until it is registered and asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bare: bool,
    /// SHA-256 of its code, or of its manifest where the code is no file; 64 hexadecimal digits. Empty where neither can
    /// be read.
    pub checksum: String,
    /// Bytes of the same file.
    pub size: u64,
    /// When that file or the manifest was changed last, whichever is later.
    pub mod_time: Timestamp,
    /// Whether it can be registered, as far as this tells.
    pub is_valid: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_error: Option<Error>,
    /// The plugin of the same id that is taken instead: one in an earlier folder, or the same version before it in this.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "shown_where_it_is")]
    pub shadowed_by: Option<PathBuf>,
}

/// A name that is no text is no reason to show nothing at all.
fn shown<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&path.display())
}

fn shown_where_it_is<S: Serializer>(path: &Option<PathBuf>, to: S) -> Result<S::Ok, S::Error> {
    match path {
        Some(path) => shown(path, to),
        None => to.serialize_none(),
    }
}

impl Entry {
    /// The plugin's id, where it can be told.
    #[must_use]
    pub fn id(&self) -> Option<&PluginId> {
        self.manifest.as_ref().map(|manifest| &manifest.id)
    }

    /// Whether it is a valid plugin that no other takes the place of.
    #[must_use]
    pub fn is_in_effect(&self) -> bool {
        self.is_valid && self.shadowed_by.is_none()
    }

    /// Something that cannot be looked into.
    pub(super) fn broken(path: PathBuf, error: Error) -> Self {
        Self {
            path,
            kind: None,
            manifest: None,
            bare: false,
            checksum: String::new(),
            size: 0,
            mod_time: Timestamp::UNIX_EPOCH,
            is_valid: false,
            validation_error: Some(error),
            shadowed_by: None,
        }
    }

    /// Whether it says the same as another. Errors are the same whenever they happened.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let error =
            |entry: &Self| entry.validation_error.as_ref().map(|error| (error.code(), error.record().message.clone()));
        self.checksum == other.checksum
            && self.manifest == other.manifest
            && (self.kind, self.size, self.mod_time, self.is_valid)
                == (other.kind, other.size, other.mod_time, other.is_valid)
            && self.shadowed_by == other.shadowed_by
            && error(self) == error(other)
    }
}

/// An entry with what tells that it is still as it was. Kept as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) entry: Arc<Entry>,
    /// The folder's stamp, where the plugin is one.
    pub(super) folder: Option<Stamp>,
    /// The files that it hangs on; `None` for one that is not there.
    pub(super) files: Vec<(PathBuf, Option<Stamp>)>,
}

impl Kept {
    /// Whether writing the other down would say nothing else.
    pub(super) fn is_as_good_as(&self, other: &Self) -> bool {
        let entries = || Arc::ptr_eq(&self.entry, &other.entry) || self.entry.says_the_same(&other.entry);
        self.folder == other.folder && self.files == other.files && entries()
    }

    /// Whether it could not be looked into, and still cannot be for the same reason.
    pub(super) fn is_broken_by(&self, error: &Error) -> bool {
        let told = |error: &Error| (error.code(), error.record().message.clone());
        self.files.is_empty() && self.entry.validation_error.as_ref().map(told) == Some(told(error))
    }

    /// Whether nothing that it hangs on has changed.
    pub(super) fn still_holds(&self, folder: Option<Stamp>) -> bool {
        self.folder == folder
            && !self.files.is_empty()
            && self.files.iter().all(|(path, stamp)| Stamp::of(path).ok().map(|(stamp, _)| stamp) == *stamp)
    }
}
