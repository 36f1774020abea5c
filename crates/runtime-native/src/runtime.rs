//! The runtime: from a load request to code.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use midplane_contract::{Limit, Limits, Placement, PluginId, Result, RuntimeKind};
use midplane_kernel::{Code, LoadRequest, Runtime};

use crate::code::NativeCode;
use crate::copy::Copies;
use crate::image::Image;
use crate::library::{Library, Lingering};

/// Runs native libraries in this process. Cheap to make; one per kernel.
#[derive(Default)]
pub struct NativeRuntime {
    copies: Copies,
    open: Mutex<HashMap<Key, Weak<Library>>>,
    lingering: Lingering,
}

/// Which library: loading the same content for the same generation again shares it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    plugin: PluginId,
    generation: u64,
    identity: String,
}

impl NativeRuntime {
    /// A runtime with nothing loaded.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn library(&self, image: &Image, request: &LoadRequest) -> Result<Arc<Library>> {
        let plugin = request.manifest.id.clone();
        let key = Key { plugin: plugin.clone(), generation: request.generation, identity: image.identity.clone() };
        if let Some(library) = self.lock().get(&key).and_then(Weak::upgrade) {
            return Ok(library);
        }
        // Opening runs code of the plugin: not under the lock. Two loads at once each get a library of their own.
        let copy = self.copies.make(&request.cache, image, request.generation)?;
        let library = Arc::new(Library::open(image, copy, plugin, Arc::clone(&self.lingering))?);
        let mut open = self.lock();
        open.retain(|_, library| library.strong_count() > 0);
        open.insert(key, Arc::downgrade(&library));
        Ok(library)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Weak<Library>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runtime for NativeRuntime {
    fn serves(&self) -> (RuntimeKind, Placement) {
        (RuntimeKind::Native, Placement::InProcess)
    }

    /// Code in the host's own process shares its memory, its threads and its files: only what the kernel itself counts
    /// (payload, queue, deadlines) can be held, and of the deadlines none can end a call that runs.
    fn unenforceable(&self, limits: &Limits) -> Vec<&'static str> {
        limits.set_among(&Limit::RESOURCES)
    }

    fn load(&self, request: &LoadRequest) -> Result<Arc<dyn Code>> {
        let image = Image::read(&request.main)?;
        let library = self.library(&image, request)?;
        let lingers = self.lingering.lock().unwrap_or_else(PoisonError::into_inner).contains(&request.manifest.id);
        Ok(Arc::new(NativeCode::new(library, &image, request, lingers)?))
    }
}
