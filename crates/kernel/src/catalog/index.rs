//! Finding entries by what they say of themselves.

use std::collections::HashMap;
use std::sync::Arc;

use super::entry::Entry;

/// What to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By<'a> {
    /// The plugin itself, by its id.
    Id(&'a str),
    /// What executes it (`wasm`), or its part in an application (`service`).
    Type(&'a str),
    /// An interface that it provides.
    Interface(&'a str),
    /// An action that its manifest names.
    Action(&'a str),
    /// An extension (`.png`) or a media type, in any letter case.
    FileType(&'a str),
    /// A permission that it asks for, as written.
    Permission(&'a str),
    /// A capability that its manifest declares.
    Capability(&'a str),
    /// A label with its value.
    Label(&'a str, &'a str),
}

impl By<'_> {
    fn key(self) -> (u8, String) {
        match self {
            Self::Id(id) => (0, id.to_owned()),
            Self::Type(word) => (1, word.to_owned()),
            Self::Interface(name) => (2, name.to_owned()),
            Self::Action(name) => (3, name.to_owned()),
            Self::FileType(kind) => (4, kind.to_lowercase()),
            Self::Permission(permission) => (5, permission.to_owned()),
            Self::Capability(word) => (7, word.to_owned()),
            Self::Label(name, value) => (6, format!("{name}={value}")),
        }
    }
}

/// Entries by everything in [`By`].
#[derive(Debug, Default)]
pub(super) struct Index(HashMap<(u8, String), Vec<Arc<Entry>>>);

impl Index {
    pub(super) fn of(entries: &[Arc<Entry>]) -> Self {
        let mut index = Self::default();
        for entry in entries {
            index.add(entry);
        }
        index
    }

    pub(super) fn find(&self, by: By<'_>) -> Vec<Arc<Entry>> {
        self.0.get(&by.key()).cloned().unwrap_or_default()
    }

    fn add(&mut self, entry: &Arc<Entry>) {
        let Some(manifest) = &entry.manifest else { return };
        let part = serde_json::to_value(manifest.plugin_type).unwrap_or_default();
        self.put(By::Id(manifest.id.as_str()), entry);
        self.put(By::Type(manifest.entry.runtime.as_str()), entry);
        self.put(By::Type(part.as_str().unwrap_or_default()), entry);
        manifest.provides.iter().for_each(|interface| self.put(By::Interface(&interface.name), entry));
        manifest.actions.iter().for_each(|action| self.put(By::Action(action.name.as_str()), entry));
        manifest.capabilities.iter().for_each(|able| self.put(By::Capability(able), entry));
        for kind in &manifest.file_types {
            self.put(By::FileType(&kind.extension), entry);
            kind.mime_type.iter().for_each(|mime| self.put(By::FileType(mime), entry));
        }
        manifest.permissions.iter().for_each(|asked| self.put(By::Permission(&asked.to_string()), entry));
        manifest.labels.iter().for_each(|(name, value)| self.put(By::Label(name, value), entry));
    }

    fn put(&mut self, by: By<'_>, entry: &Arc<Entry>) {
        let found = self.0.entry(by.key()).or_default();
        // A manifest may say the same twice.
        if found.last().is_none_or(|last| !Arc::ptr_eq(last, entry)) {
            found.push(Arc::clone(entry));
        }
    }
}
