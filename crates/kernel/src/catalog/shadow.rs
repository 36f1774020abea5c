//! Which of several plugins with one id is taken. Pure.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use midplane_contract::{PluginId, Version};

use super::entry::Entry;

/// For each entry, in the order of the folders: the one that is taken instead. An id in an earlier folder takes the
/// place of those in later ones; in one folder versions stand side by side, and of the same version the first is taken.
/// What is not valid takes nobody's place. Bare files take each other's place by their names alone, from folder to folder:
/// who they are is not known before they are asked.
pub(super) fn shadows<'a>(entries: impl Iterator<Item = (usize, &'a Entry)>) -> Vec<Option<PathBuf>> {
    let mut first: HashMap<(bool, PluginId), (usize, PathBuf)> = HashMap::new();
    let mut versions: HashMap<PluginId, HashSet<Version>> = HashMap::new();
    entries
        .map(|(root, entry)| {
            let manifest = entry.manifest.as_ref().filter(|_| entry.is_valid)?;
            let (id, version) = (&manifest.id, &manifest.version);
            let (taken, path) = first.entry((entry.bare, id.clone())).or_insert_with(|| (root, entry.path.clone()));
            if *taken < root {
                return Some(path.clone());
            }
            let is_new = entry.bare || versions.entry(id.clone()).or_default().insert(version.clone());
            (!is_new).then(|| path.clone())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use midplane_contract::RuntimeKind;
    use midplane_contract::manifest::{Entry as Code, Manifest};

    use super::*;

    fn entry(path: &str, id: &str, version: &str) -> Entry {
        let id = PluginId::new(id).unwrap();
        let manifest = Manifest::minimal(id, version.parse().unwrap(), Code::new("a.wasm", RuntimeKind::Wasm));
        Entry { manifest: Some(manifest), is_valid: true, validation_error: None, ..blank(path) }
    }

    fn blank(path: &str) -> Entry {
        Entry::broken(path.into(), midplane_contract::Error::new(midplane_contract::Code::Io, "x"))
    }

    #[test]
    fn earlier_folders_go_first_and_versions_of_one_folder_stand_side_by_side() {
        let list = [
            (0, entry("0/a", "a", "1.0.0")),
            (0, entry("0/a2", "a", "2.0.0")),
            (0, entry("0/b", "a", "1.0.0")),
            (1, entry("1/a", "a", "3.0.0")),
            (1, entry("1/c", "c", "1.0.0")),
            (1, blank("1/broken")),
            (2, entry("2/c", "c", "1.0.0")),
        ];
        let shadows = shadows(list.iter().map(|(root, entry)| (*root, entry)));
        let shown: Vec<&str> = shadows.iter().map(|by| by.as_ref().map_or("", |by| by.to_str().unwrap())).collect();
        assert_eq!(shown, ["", "", "0/a", "0/a", "", "", "1/c"]);
    }

    #[test]
    fn bare_files_of_one_name_stand_side_by_side_in_a_folder_and_for_those_of_later_ones() {
        let bare = |path: &str| Entry { bare: true, ..entry(path, "main", "0.0.0") };
        let list = [
            (0, bare("0/a/main.wasm")),
            (0, bare("0/b/main.wasm")),
            (1, bare("1/main.wasm")),
            (1, entry("1/main", "main", "0.0.0")),
        ];
        let shadows = shadows(list.iter().map(|(root, entry)| (*root, entry)));
        assert_eq!(shadows, [None, None, Some("0/a/main.wasm".into()), None]);
    }
}
