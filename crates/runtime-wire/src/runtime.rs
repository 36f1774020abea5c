//! The runtime that the kernel knows: one kind of code, in workers.

use std::sync::Arc;
use std::time::Duration;

use midplane_contract::{Limit, Limits, Placement, Result, RuntimeKind, defaults};
use midplane_kernel::{Code, LoadRequest, Runtime};

use crate::code::WireCode;
use crate::confinement::{Confinement, Unconfined};
use crate::program::Programs;

/// Longest time a worker may take to load a plugin: compiling a large WebAssembly module takes its time.
const LOAD_DEADLINE: Duration = Duration::from_secs(60);

/// How many instances one process hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hosting {
    /// One; each instance is a process. For code that can break its process.
    One,
    /// The plugin's whole pool.
    Pool,
}

/// Runs one kind of code in child processes.
///
/// A worker inherits path, locale, time zone, `entry.env` and one descriptor; what it prints goes to the log; it ends
/// with the host. A call whose deadline passed, whose future was dropped or that was interrupted is cancelled, and
/// the process is killed if the call has not ended 500 ms later.
pub struct WireRuntime(Arc<Setup>);

pub(crate) struct Setup {
    pub(crate) kind: RuntimeKind,
    pub(crate) programs: Arc<dyn Programs>,
    pub(crate) hosting: Hosting,
    pub(crate) confinement: Arc<dyn Confinement>,
    pub(crate) patience: Duration,
    pub(crate) load_deadline: Duration,
}

impl Setup {
    /// How many instances one process of this plugin hosts.
    pub(crate) fn hosting_of(&self, request: &LoadRequest) -> Hosting {
        self.programs.hosting(request).unwrap_or(self.hosting)
    }

    pub(crate) fn hook_deadline(&self, request: &LoadRequest) -> Duration {
        request.limits.hook_deadline_ms.map_or(defaults::HOOK_DEADLINE, Duration::from_millis)
    }
}

impl WireRuntime {
    /// Runs this kind of code with these programs. Native code gets a process per instance, WebAssembly and JavaScript
    /// one for the plugin's pool, everything else a process per instance.
    #[must_use]
    pub fn new(kind: RuntimeKind, programs: impl Programs) -> Self {
        let programs: Arc<dyn Programs> = Arc::new(programs);
        let hosting = match kind {
            RuntimeKind::Wasm | RuntimeKind::Js => Hosting::Pool,
            RuntimeKind::Native
            | RuntimeKind::Python
            | RuntimeKind::Process
            | RuntimeKind::Remote
            | RuntimeKind::Script => Hosting::One,
        };
        let confinement: Arc<dyn Confinement> = Arc::new(Unconfined);
        let (patience, load_deadline) = (defaults::HOOK_DEADLINE, LOAD_DEADLINE);
        Self(Arc::new(Setup { kind, programs, hosting, confinement, patience, load_deadline }))
    }

    /// Says how many instances one process hosts.
    #[must_use]
    pub fn hosting(self, hosting: Hosting) -> Self {
        self.changed(|setup| setup.hosting = hosting)
    }

    /// Confines every process.
    #[must_use]
    pub fn confined(self, confinement: Arc<dyn Confinement>) -> Self {
        self.changed(|setup| setup.confinement = confinement)
    }

    /// Says how long a process may take to greet (10 s) and to load its plugin (60 s).
    #[must_use]
    pub fn patience(self, greeting: Duration, load: Duration) -> Self {
        self.changed(|setup| {
            setup.patience = greeting;
            setup.load_deadline = load;
        })
    }

    pub(crate) fn setup(&self) -> &Arc<Setup> {
        &self.0
    }

    fn changed(self, change: impl FnOnce(&mut Setup)) -> Self {
        let Setup { kind, ref programs, hosting, ref confinement, patience, load_deadline } = *self.0;
        let programs = Arc::clone(programs);
        let confinement = Arc::clone(confinement);
        let mut setup = Setup { kind, programs, hosting, confinement, patience, load_deadline };
        change(&mut setup);
        Self(Arc::new(setup))
    }
}

impl Runtime for WireRuntime {
    fn serves(&self) -> (RuntimeKind, Placement) {
        (self.0.kind, Placement::Worker)
    }

    fn unenforceable(&self, limits: &Limits) -> Vec<&'static str> {
        let mut unheld =
            limits.set_among(&[Limit::Cpu, Limit::DiskIo, Limit::NetworkIo, Limit::Threads, Limit::Connections]);
        if self.0.kind != RuntimeKind::Wasm {
            unheld.extend(limits.set_among(&[Limit::TableElements]));
        }
        unheld
    }

    fn load(&self, request: &LoadRequest) -> Result<Arc<dyn Code>> {
        Ok(Arc::new(WireCode::load(&self.0, request)?))
    }
}
