//! Plugin folders that live as long as a test.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, fs, io, process};

use serde_json::{Map, Value, json};

/// A folder of its own below the temporary one; goes with the value.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// A fresh folder whose name begins with `name`.
    ///
    /// # Errors
    /// What the file system says.
    pub fn new(name: &str) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("midplane-{name}-{}-{number}", process::id()));
        // What an earlier process with the same number left behind is nobody's any longer.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path)?;
        Ok(Self { path: path.canonicalize()? })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A plugin's folder in the making: a manifest and the code's file.
///
/// ```
/// use midplane_testkit::{PluginFolder, Scratch};
/// # fn main() -> std::io::Result<()> {
/// let scratch = Scratch::new("example")?;
/// let folder = PluginFolder::fake("echo", "echo-program").with("limits", serde_json::json!({"queue": 3}));
/// let path = folder.write(scratch.path())?;
/// assert!(path.join("plugin.json").exists());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct PluginFolder {
    id: String,
    manifest: Map<String, Value>,
    main: String,
    code: Vec<u8>,
    executable: bool,
}

impl PluginFolder {
    /// A plugin with this id, version 1.0.0, run by `runtime`, whose code is `code` in the file `main`.
    #[must_use]
    pub fn new(id: &str, runtime: &str, main: &str, code: impl Into<Vec<u8>>) -> Self {
        let mut manifest = Map::new();
        manifest.insert("id".into(), id.into());
        manifest.insert("name".into(), id.into());
        manifest.insert("version".into(), "1.0.0".into());
        manifest.insert("entry".into(), json!({ "runtime": runtime, "main": main }));
        Self { id: id.into(), manifest, main: main.into(), code: code.into(), executable: false }
    }

    /// A plugin of the [`crate::Fake`] runtime that runs a program by name.
    #[must_use]
    pub fn fake(id: &str, program: &str) -> Self {
        Self::new(id, "wasm", "plugin.fake", program)
    }

    /// The plugin's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Adds or replaces a field of the manifest.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.manifest.insert(field.into(), value.into());
        self
    }

    /// Replaces the code.
    #[must_use]
    pub fn code(mut self, code: impl Into<Vec<u8>>) -> Self {
        self.code = code.into();
        self
    }

    /// Marks the code as executable, which native libraries have to be.
    #[must_use]
    pub fn executable(mut self) -> Self {
        self.executable = true;
        self
    }

    /// Writes the folder, named for the plugin, into `parent`, over what is there. The code's file is replaced by
    /// renaming, as installers do.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, parent: &Path) -> io::Result<PathBuf> {
        let folder = parent.join(&self.id);
        fs::create_dir_all(&folder)?;
        replace(&folder.join(&self.main), &self.code, self.executable)?;
        let manifest = serde_json::to_vec_pretty(&self.manifest)?;
        replace(&folder.join("plugin.json"), &manifest, false)?;
        Ok(folder)
    }
}

/// Every file below a folder: their paths in it, with `/` between the parts, in order.
///
/// # Errors
/// What the file system says.
pub fn files_below(folder: &Path) -> io::Result<Vec<String>> {
    fn collect(folder: &Path, below: &str, into: &mut Vec<String>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = format!("{below}{}", path.file_name().unwrap_or_default().to_string_lossy());
            if path.is_dir() {
                collect(&path, &format!("{name}/"), into)?;
            } else {
                into.push(name);
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    collect(folder, "", &mut found)?;
    found.sort();
    Ok(found)
}

fn replace(path: &Path, content: &[u8], executable: bool) -> io::Result<()> {
    let beside = path.with_extension("being-written");
    fs::write(&beside, content)?;
    #[cfg(unix)]
    if executable {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o755))?;
    }
    fs::rename(beside, path)
}
