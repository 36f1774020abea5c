//! Plugin folders of these tests, and loading them without a kernel.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use midplane_contract::{Error, RuntimeKind};
use midplane_kernel::LoadRequest;
use midplane_runtime_wire::WireRuntime;
use midplane_runtime_wire::engine::python::Python;
use midplane_testkit::Scratch;

use crate::stage::{Loaded, load_with, request};

/// A cache, and plugins beside it.
pub(super) struct Place(Scratch);

impl Place {
    pub(super) fn new() -> Self {
        Self(Scratch::new("python").unwrap())
    }

    pub(super) fn cache(&self) -> PathBuf {
        self.0.path().join("cache")
    }

    /// A plugin's folder with these files; `plugin.py` is its code.
    pub(super) fn plugin(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let folder = self.0.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        folder
    }

    pub(super) fn load(&self, folder: &Path, env: &[(&str, &str)]) -> Result<Loaded, Error> {
        load_with(&runtime(), &request_of(folder, &self.cache(), env), 1)
    }

    /// The environments that are finished, and what is there beside them.
    pub(super) fn environments(&self) -> (usize, usize) {
        let entries = fs::read_dir(self.cache().join("python/environments")).into_iter().flatten().flatten();
        let kinds: Vec<_> = entries.map(|entry| entry.file_type().unwrap()).collect();
        (kinds.iter().filter(|kind| kind.is_symlink()).count(), kinds.iter().filter(|kind| kind.is_dir()).count())
    }
}

pub(super) fn runtime() -> WireRuntime {
    WireRuntime::new(RuntimeKind::Python, Python::new())
}

pub(super) fn request_of(folder: &Path, cache: &Path, env: &[(&str, &str)]) -> LoadRequest {
    let mut request = request(RuntimeKind::Python);
    let entry = &mut Arc::make_mut(&mut request.manifest).entry;
    entry.env.extend(env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    request.folder = folder.to_path_buf();
    request.main = folder.join("plugin.py");
    request.cache = cache.to_path_buf();
    request
}
