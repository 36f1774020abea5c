//! Compiled code, kept on disk by content and engine, and shared within the process.
//!
//! A stored file is the compiled bytes, then their SHA-256: so it can be mapped as it stands. Its name is the hash of the
//! WebAssembly file and of everything about the engine that compiled code depends on, so a stale entry cannot be found.
//! Nothing in the cache is needed: whatever is wrong with an entry, the code is compiled afresh and the entry replaced.

mod folder;

use std::collections::HashMap;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use midplane_contract::{Code, Error, Result};
use sha2::{Digest, Sha256};
use wasmtime::Engine;

use crate::compiled::Compiled;
use crate::header::Format;
use crate::source::{Identity, Source};
use crate::stamp::Stamps;
use folder::Folder;

/// SHA-256 of a file's content.
pub(crate) type Hash256 = [u8; 32];

/// The hash of a file's content.
pub(crate) fn content_hash(bytes: &[u8]) -> Hash256 {
    Sha256::digest(bytes).into()
}

/// A hash as people read it.
pub(crate) fn hex(hash: &Hash256) -> String {
    use std::fmt::Write;
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Where compiled code came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Compiled just now.
    Compiler,
    /// Read from the folder.
    Disk,
    /// In use in this process already.
    Process,
}

impl Origin {
    /// The word used in details.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Compiler => "compiler",
            Self::Disk => "cache",
            Self::Process => "process",
        }
    }
}

/// The cache of one engine.
pub(crate) struct Cache {
    engine: Engine,
    engine_hash: String,
    live: Mutex<HashMap<Hash256, Weak<Compiled>>>,
    /// Stored files that this process has found whole. Hashing takes as long as everything else about a load.
    whole: Stamps<()>,
}

impl Cache {
    pub(crate) fn new(engine: &Engine) -> Self {
        let mut hasher = StableHasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let mut engine_hash = hex(&hasher.0.finalize().into());
        engine_hash.truncate(16);
        Self { engine: engine.clone(), engine_hash, live: Mutex::default(), whole: Stamps::default() }
    }

    /// Compiled code for a WebAssembly file, from wherever it is cheapest. A folder that others may write is not used,
    /// and a warning says so.
    ///
    /// # Errors
    /// `not_a_plugin` with the compiler's words when the file is no valid WebAssembly.
    pub(crate) fn get(
        &self,
        Identity { format, hash, .. }: Identity,
        source: &mut Source<'_>,
        folder: &Path,
    ) -> Result<(Arc<Compiled>, Origin)> {
        if let Some(live) = lock(&self.live).get(&hash).and_then(Weak::upgrade) {
            return Ok((live, Origin::Process));
        }
        let name = format!("{}-{}.cwasm", hex(&hash), self.engine_hash);
        let folder =
            Folder::open(folder).inspect_err(|error| tracing::warn!(%error, "compiled WebAssembly is not cached")).ok();
        let stored = folder.as_ref().and_then(|folder| self.read(folder, &name, format));
        let (compiled, origin) = match stored {
            Some(compiled) => (compiled, Origin::Disk),
            None => (self.compile(folder.as_ref(), &name, format, source.bytes()?)?, Origin::Compiler),
        };
        let compiled = Arc::new(compiled);
        let mut live = lock(&self.live);
        live.retain(|_, compiled| compiled.strong_count() > 0);
        live.insert(hash, Arc::downgrade(&compiled));
        Ok((compiled, origin))
    }

    fn read(&self, folder: &Folder, name: &str, format: Format) -> Option<Compiled> {
        let unused = |error: &dyn std::fmt::Display| tracing::warn!(%error, name, "a compiled file was not used");
        let (file, stamp) = folder.file(name).inspect_err(|error| unused(error)).ok()??;
        if self.whole.get(&stamp).is_none() {
            if !is_whole(&file).inspect_err(|error| unused(error)).ok()? {
                tracing::warn!(name, "a compiled file is damaged and is compiled afresh");
                return None;
            }
            self.whole.remember(stamp, ());
        }
        Compiled::map(&self.engine, format, &file).inspect_err(|error| unused(error)).ok()
    }

    fn compile(&self, folder: Option<&Folder>, name: &str, format: Format, wasm: &[u8]) -> Result<Compiled> {
        let compiled = Compiled::compile(&self.engine, format, wasm).map_err(|error| invalid(format, &error))?;
        if let Some(folder) = folder {
            let kept = compiled.serialize().map_err(std::io::Error::other).and_then(|bytes| {
                let sum = content_hash(&bytes);
                folder.write(name, &[&bytes, &sum])
            });
            if let Err(error) = kept {
                tracing::warn!(%error, name, "compiled WebAssembly could not be cached");
            }
        }
        Ok(compiled)
    }
}

/// Whether a stored file ends with the hash of the rest.
fn is_whole(mut file: &File) -> std::io::Result<bool> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes.split_last_chunk::<32>().is_some_and(|(stored, sum)| content_hash(stored) == *sum))
}

fn invalid(format: Format, error: &wasmtime::Error) -> Error {
    let text = format!("{error:#}");
    // wasmtime has no type for this one: more tables or memories, or larger ones, than any plugin may have.
    if text.contains("pooling allocator requirements") {
        return Error::new(Code::LimitExceeded, format!("the {} wants too much: {text}", format.as_str()))
            .remedy("build it with smaller or fewer tables and memories")
            .with("which", "tables or memories");
    }
    Error::new(Code::NotAPlugin, format!("not a valid WebAssembly {}: {text}", format.as_str()))
        .remedy("build it again; threads, 64-bit memories and garbage collection are not available to plugins")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A hasher whose result is the same in every process.
struct StableHasher(Sha256);

impl Hasher for StableHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let sum: Hash256 = self.0.clone().finalize().into();
        sum.first_chunk::<8>().map_or(0, |head| u64::from_le_bytes(*head))
    }
}
