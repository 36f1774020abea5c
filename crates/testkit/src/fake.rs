//! A runtime without an engine: plugins are Rust closures inside the test, and code is a small text file.
//!
//! The file that a manifest names holds the name of a [`Program`] in its first line; whatever follows is given to the
//! program as [`Desk::code`], so that replacing the file is "changed code". [`Sabotage`] breaks the runtime on purpose,
//! to prove that the conformance list notices.

mod brake;
mod code;
mod desk;
mod instance;
mod program;
mod sabotage;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use midplane_contract::{Code as Fault, Error, Limit, Limits, Placement, Result, RuntimeKind};
use midplane_kernel::{Code, LoadRequest, Runtime};

pub use desk::{Desk, Memory};
pub use program::Program;
pub use sabotage::Sabotage;

use crate::Gate;
use code::FakeCode;

/// The runtime. Clones are the same runtime: one goes into the kernel, one stays with the test.
#[derive(Clone)]
pub struct Fake {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    serves: (RuntimeKind, Placement),
    sabotage: Option<Sabotage>,
    pub(crate) stays_loaded: Option<String>,
    programs: Mutex<BTreeMap<String, Program>>,
    /// Code that is loaded, seen from outside the kernel.
    images: Mutex<Vec<Weak<Image>>>,
    /// What a runtime that forgets to unload keeps.
    kept: Mutex<Vec<Arc<Image>>>,
    /// What a runtime that confuses paths with content remembers.
    remembered: Mutex<HashMap<PathBuf, String>>,
    pub(crate) instances: AtomicU64,
    pub(crate) calls: AtomicU64,
    /// Ends every hang that nothing else ends.
    pub(crate) end: Gate,
}

/// The text of one loaded file.
pub(crate) struct Image {
    pub(crate) text: String,
    pub(crate) plugin: String,
}

impl Fake {
    /// A runtime that stands in for WebAssembly in this process, with no programs.
    #[must_use]
    pub fn new() -> Self {
        Self::serving(RuntimeKind::Wasm, Placement::InProcess)
    }

    /// A runtime that stands in for another one.
    #[must_use]
    pub fn serving(kind: RuntimeKind, placement: Placement) -> Self {
        Self::made(kind, placement, None, None)
    }

    /// A runtime with a fault.
    #[must_use]
    pub fn sabotaged(sabotage: Sabotage) -> Self {
        Self::made(RuntimeKind::Wasm, Placement::InProcess, Some(sabotage), None)
    }

    /// A runtime whose code says that it cannot leave memory, and why.
    #[must_use]
    pub fn staying(reason: &str) -> Self {
        Self::made(RuntimeKind::Wasm, Placement::InProcess, None, Some(reason.to_owned()))
    }

    fn made(kind: RuntimeKind, placement: Placement, sabotage: Option<Sabotage>, stays: Option<String>) -> Self {
        let shared = Shared {
            serves: (kind, placement),
            sabotage,
            stays_loaded: stays,
            programs: Mutex::default(),
            images: Mutex::default(),
            kept: Mutex::default(),
            remembered: Mutex::default(),
            instances: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            end: Gate::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Adds a program, or replaces the one of that name for what is loaded from then on.
    #[must_use]
    pub fn program(self, name: &str, program: Program) -> Self {
        lock(&self.shared.programs).insert(name.to_owned(), program);
        self
    }

    /// The plugins whose code is loaded, once for each generation.
    #[must_use]
    pub fn loaded(&self) -> Vec<String> {
        lock(&self.shared.images).iter().filter_map(Weak::upgrade).map(|image| image.plugin.clone()).collect()
    }

    /// How many instances live.
    #[must_use]
    pub fn instances(&self) -> u64 {
        self.shared.instances.load(Ordering::SeqCst)
    }

    /// Ends every hang of this runtime, those that nothing else would end included.
    pub fn release(&self) {
        self.shared.end.open();
    }
}

impl Default for Fake {
    fn default() -> Self {
        Self::new()
    }
}

impl Shared {
    pub(crate) fn is(&self, sabotage: Sabotage) -> bool {
        self.sabotage == Some(sabotage)
    }

    fn read(&self, request: &LoadRequest) -> Result<String> {
        let mut remembered = lock(&self.remembered);
        if let (true, Some(text)) = (self.is(Sabotage::StaleCode), remembered.get(&request.main)) {
            return Ok(text.clone());
        }
        let text = std::fs::read_to_string(&request.main).map_err(|error| {
            Error::new(Fault::Io, format!("{} cannot be read", request.main.display())).caused_by(&error)
        })?;
        remembered.insert(request.main.clone(), text.clone());
        Ok(text)
    }
}

impl Runtime for Fake {
    fn serves(&self) -> (RuntimeKind, Placement) {
        self.shared.serves
    }

    fn unenforceable(&self, limits: &Limits) -> Vec<&'static str> {
        limits.set_among(&[Limit::Cpu])
    }

    fn load(&self, request: &LoadRequest) -> Result<Arc<dyn Code>> {
        let text = self.shared.read(request)?;
        let name = text.lines().next().unwrap_or_default().trim().to_owned();
        let program = lock(&self.shared.programs).get(&name).cloned();
        let program = program.ok_or_else(|| {
            Error::new(Fault::NotAPlugin, format!("{} names no program: `{name}`", request.main.display()))
                .remedy("add the program to the fake runtime")
        })?;
        let image = Arc::new(Image { text, plugin: request.manifest.id.to_string() });
        let mut images = lock(&self.shared.images);
        images.retain(|image| image.strong_count() > 0);
        images.push(Arc::downgrade(&image));
        drop(images);
        if self.shared.is(Sabotage::NoUnload) {
            lock(&self.shared.kept).push(Arc::clone(&image));
        }
        Ok(Arc::new(FakeCode::new(Arc::clone(&self.shared), image, program, request.limits.clone())))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
