//! The text of a plugin's modules: read once, so that every instance of a generation runs the same code.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use midplane_contract::{Code, Error, Result};
use sha2::{Digest, Sha256};

use crate::config::JsConfig;
use crate::resolve::SDK;
use crate::typescript;

/// The modules of one generation of a plugin.
#[derive(Debug)]
pub(crate) struct Sources {
    folder: PathBuf,
    config: JsConfig,
    read: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    texts: HashMap<String, Arc<str>>,
    /// Why the last import was refused: the engine keeps only its text.
    refusal: Option<Error>,
}

impl Sources {
    pub(crate) fn new(folder: &Path, config: &JsConfig) -> Self {
        Self { folder: folder.to_path_buf(), config: config.clone(), read: Mutex::default() }
    }

    /// The name of the module that an import means.
    ///
    /// # Errors
    /// See [`crate::resolve::resolve`]; remembered for [`Sources::take_refusal`].
    pub(crate) fn resolve(&self, base: &str, specifier: &str) -> Result<String> {
        crate::resolve::resolve(&self.folder, base, specifier).inspect_err(|error| self.refuse(error))
    }

    /// A module as JavaScript.
    ///
    /// # Errors
    /// `io`, `limit_exceeded`, `not_a_plugin` for what cannot be stripped of its types; remembered.
    pub(crate) fn text(&self, name: &str) -> Result<Arc<str>> {
        if name.starts_with(SDK) {
            let error = Error::new(Code::NotSupported, format!("the SDK has no module `{name}`"));
            return Err(error.remedy("import from \"midplane\""));
        }
        if let Some(text) = self.lock().texts.get(name) {
            return Ok(Arc::clone(text));
        }
        let text = self.read(name).inspect_err(|error| self.refuse(error))?;
        self.lock().texts.insert(name.to_owned(), Arc::clone(&text));
        Ok(text)
    }

    /// A hash of every module that was read so far.
    pub(crate) fn hash(&self) -> String {
        let read = self.lock();
        let mut names: Vec<_> = read.texts.iter().collect();
        names.sort();
        let mut hash = Sha256::new();
        for (name, text) in names {
            for part in [name.as_bytes(), text.as_bytes()] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        use std::fmt::Write;
        hash.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
            // Writing into a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The modules that were read so far.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.lock().texts.keys().cloned().collect();
        names.sort();
        names
    }

    /// Why an import was refused, if `message`, the text of an exception, is about it.
    pub(crate) fn take_refusal(&self, message: &str) -> Option<Error> {
        self.lock().refusal.take_if(|refusal| message.contains(&refusal.record().message))
    }

    fn refuse(&self, error: &Error) {
        self.lock().refusal = Some(error.clone());
    }

    fn read(&self, name: &str) -> Result<Arc<str>> {
        let path = self.folder.join(name);
        if self.lock().texts.len() >= self.config.modules {
            let message = format!("the plugin has more than {} modules", self.config.modules);
            return Err(Error::new(Code::LimitExceeded, message)
                .remedy("bundle the plugin into fewer files")
                .with("which", "modules")
                .with("limit", self.config.modules));
        }
        let text = read_text(&path, self.config.file)?;
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let text = match ending {
            "ts" | "mts" | "cts" => typescript::strip(name, text)?,
            "json" => format!("export default JSON.parse({});", serde_json::Value::from(text)),
            _ => text,
        };
        Ok(text.into())
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_text(path: &Path, most: u64) -> Result<String> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| {
        Error::new(Code::Io, format!("{shown} cannot be read"))
            .remedy("check the path in `entry.main` and who may read the file")
            .caused_by(&error)
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > most {
        return Err(Error::new(Code::LimitExceeded, format!("{shown} has more than {most} bytes"))
            .remedy("minify it, or keep data in files of their own")
            .with("which", "file")
            .with("limit", most));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        Error::new(Code::NotAPlugin, format!("{shown} is not UTF-8")).remedy("save it as UTF-8").caused_by(&error)
    })?;
    if text.contains('\0') {
        return Err(Error::new(Code::NotAPlugin, format!("{shown} holds a zero byte, so it is no source"))
            .remedy("name the file of JavaScript or TypeScript in `entry.main`"));
    }
    Ok(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned))
}
