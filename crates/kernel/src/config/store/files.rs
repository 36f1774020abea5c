//! A folder with one JSON file for each plugin.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use midplane_contract::{Code, Error, PluginId, Result};
use serde_json::{Map, Value};

use super::{Changed, ConfigStore, from_json, to_json};
use crate::config::CONFIG_SIZE;
use crate::discover::open_file;

/// A folder with one JSON file for each plugin, readable by its owner alone.
#[derive(Debug)]
pub struct FileStore {
    folder: PathBuf,
}

impl FileStore {
    /// A store in this folder, which is made where it is not there.
    ///
    /// # Errors
    /// `storage`.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(|error| failed("be made", &folder, &error))?;
        Ok(Self { folder })
    }

    fn file(&self, plugin: &PluginId) -> PathBuf {
        self.folder.join(format!("{plugin}.json"))
    }

    /// Written beside it and moved over it: a reader sees the old one or the new one, whole.
    fn replace(&self, plugin: &PluginId, json: &[u8]) -> std::io::Result<()> {
        let mut beside = tempfile_in(&self.folder, plugin)?;
        let written = beside.0.write_all(json).and_then(|()| beside.0.sync_all());
        let moved = written.and_then(|()| fs::rename(&beside.1, self.file(plugin)));
        if moved.is_err() {
            // What is left of it is of no use to anybody.
            let _ = fs::remove_file(&beside.1);
        }
        moved.and_then(|()| File::open(&self.folder)?.sync_all())
    }
}

/// A file of this process's own, for its owner alone.
fn tempfile_in(folder: &Path, plugin: &PluginId) -> std::io::Result<(File, PathBuf)> {
    use std::os::unix::fs::OpenOptionsExt;
    let path = folder.join(format!(".{plugin}.{}", jiff::Timestamp::now().as_nanosecond()));
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    Ok((file, path))
}

impl ConfigStore for FileStore {
    fn load(&self, plugin: &PluginId) -> Result<Option<Map<String, Value>>> {
        let path = self.file(plugin);
        let mut json = Vec::new();
        let read = open_file(&path).and_then(|file| file.take(CONFIG_SIZE as u64 + 1).read_to_end(&mut json));
        match read {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("be read", &path, &error)),
            Ok(_) => {}
        }
        from_json(&json, &path.display().to_string()).map(Some).map_err(|error| error.plugin(plugin))
    }

    fn save(&self, plugin: &PluginId, config: &Map<String, Value>) -> Result<()> {
        let json = to_json(config)?;
        // For people, where that leaves it small enough to be read again.
        let pretty = serde_json::to_vec_pretty(config).ok().filter(|pretty| pretty.len() <= CONFIG_SIZE);
        let written = self.replace(plugin, &pretty.unwrap_or(json));
        written.map_err(|error| failed("be written", &self.file(plugin), &error).plugin(plugin))
    }

    fn watch(&self, _: Changed) -> Result<()> {
        Err(Error::new(Code::NotSupported, "a folder of configurations does not tell of changes")
            .remedy("change configurations through the host"))
    }
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::Storage, format!("{} cannot {what}", path.display()))
        .remedy("see whether the folder is there, may be written, and the disk has room")
        .caused_by(error)
}
