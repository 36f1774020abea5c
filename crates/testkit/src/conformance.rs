//! The one list of behaviours that every runtime and placement is held to.
//!
//! [`midplane_testkit::behaviours!`](crate::behaviours) is that list: a row for each behaviour, a column for each
//! [`Cell`]. Leaving a column out of a row does not compile. A place in it is `yes`, or `(no "reason")`: then the test is
//! there, ignored, with its reason in the runner's output. A [`Subject`] says how a cell is reached; [`check`] drives the
//! conformance plugin (`guests/probe`, or its likeness for the fake) through one behaviour, or the one without hooks
//! (`guests/bare`).

mod bare;
mod calls;
mod events;
mod faults;
mod fetching;
mod life;
mod list;
mod services;
mod site;
mod stress;
mod together;
mod transcript;
mod version;

use std::path::Path;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use midplane_contract::PluginId;
use midplane_kernel::{Builder, Policy};

use serde_json::{Map, Value};

use crate::{PATIENCE, PluginFolder};

pub use list::{Behaviour, NOT_APPLICABLE};
pub use site::Site;
pub use version::of_version;

/// A runtime in a placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// A native library in the host's process.
    NativeInProcess,
    /// A native library in a worker.
    NativeWorker,
    /// A WebAssembly component in the host's process.
    ComponentInProcess,
    /// A WebAssembly component in a worker.
    ComponentWorker,
    /// A core WebAssembly module in the host's process.
    CoreInProcess,
    /// A core WebAssembly module in a worker.
    CoreWorker,
    /// The fake runtime, which proves that the list itself is right.
    Fake,
    /// JavaScript in the embedded engine, in the host's process.
    JsInProcess,
    /// JavaScript in the embedded engine, in a worker.
    JsWorker,
    /// JavaScript on Node, in its own process.
    Node,
    /// A Python program.
    Python,
    /// A Go program over the wire protocol.
    Go,
    /// The same Go source as a WebAssembly module.
    GoWasip1,
    /// The same Go source as a native library, in a worker.
    GoCShared,
    /// A shell script over the text protocol.
    Text,
    /// A gRPC service.
    RemoteGrpc,
    /// A plugin that dialled the host over WebSocket.
    WebSocket,
}

impl Cell {
    /// What it is called: the kind of code and, where there are several, the placement.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NativeInProcess => "native/in-process",
            Self::NativeWorker => "native/worker",
            Self::ComponentInProcess => "component/in-process",
            Self::ComponentWorker => "component/worker",
            Self::CoreInProcess => "core/in-process",
            Self::CoreWorker => "core/worker",
            Self::Fake => "fake",
            Self::JsInProcess => "js/in-process",
            Self::JsWorker => "js/worker",
            Self::Node => "node",
            Self::Python => "python",
            Self::Go => "go",
            Self::GoWasip1 => "go-wasip1",
            Self::GoCShared => "go-c-shared",
            Self::Text => "text",
            Self::RemoteGrpc => "remote-grpc",
            Self::WebSocket => "websocket",
        }
    }

    /// Every cell, in the order of the list's columns.
    pub const ALL: [Self; 17] = [
        Self::NativeInProcess,
        Self::NativeWorker,
        Self::ComponentInProcess,
        Self::ComponentWorker,
        Self::CoreInProcess,
        Self::CoreWorker,
        Self::Fake,
        Self::JsInProcess,
        Self::JsWorker,
        Self::Node,
        Self::Python,
        Self::Go,
        Self::GoWasip1,
        Self::GoCShared,
        Self::Text,
        Self::RemoteGrpc,
        Self::WebSocket,
    ];

    /// Whether nothing can end what its code does.
    #[must_use]
    pub fn runs_to_its_end(self) -> bool {
        self == Self::NativeInProcess
    }

    /// Whether its code lives in a process of its own.
    #[must_use]
    pub fn is_worker(self) -> bool {
        match self {
            Self::NativeInProcess | Self::ComponentInProcess | Self::CoreInProcess | Self::JsInProcess => false,
            Self::Fake | Self::GoWasip1 | Self::RemoteGrpc | Self::WebSocket => false,
            Self::NativeWorker | Self::ComponentWorker | Self::CoreWorker | Self::JsWorker | Self::Node => true,
            Self::Python | Self::Go | Self::GoCShared | Self::Text => true,
        }
    }

    /// Whether its code can be killed without the host.
    #[must_use]
    pub fn has_its_own_process(self) -> bool {
        self.is_worker() || matches!(self, Self::RemoteGrpc | Self::WebSocket)
    }

    /// Whether its code is WebAssembly.
    #[must_use]
    pub fn is_wasm(self) -> bool {
        let components = matches!(self, Self::ComponentInProcess | Self::ComponentWorker);
        components || matches!(self, Self::CoreInProcess | Self::CoreWorker | Self::GoWasip1)
    }
}

/// What every subject's manifest asks for; the checks grant of it what they need.
pub const PERMISSIONS: &[&str] = &[
    "plugin.call",
    "state.read",
    "state.write",
    "bus.publish",
    "bus.subscribe",
    "service.find",
    "service.call",
    "network.http",
    "metrics.write",
    "secret.read",
];

/// How a cell is reached.
pub trait Subject: Send + Sync {
    /// Which cell this is.
    fn cell(&self) -> Cell;

    /// The conformance plugin with this id; `version` 1 or 2 makes code that answers `version` differently
    /// (`probe-version-01`, `probe-version-02`).
    fn plugin(&self, id: &str, version: u8) -> PluginFolder;

    /// A plugin without any hook (`guests/bare`). Its one action, `color`, answers with the value of `color` in its
    /// configuration.
    fn bare(&self, id: &str) -> PluginFolder;

    /// Trust and placement of the plugins.
    fn policy(&self) -> Policy;

    /// A kernel with the runtime, and with a client for the web.
    fn kernel(&self, cache: &Path) -> Builder;

    /// What is left of a plugin that is unloaded, seen from outside the kernel; `None` when nothing is. `details` are
    /// those that the status showed while it was loaded.
    fn remains(&self, site: &Site<'_>, details: &Map<String, Value>) -> Option<String>;

    /// Kills the process of a loaded plugin from outside, for good. `details` are those that its status shows.
    ///
    /// # Errors
    /// Why it lives on; it may have no process of its own.
    fn kill(&self, id: &PluginId, details: &Map<String, Value>) -> Result<(), String>;

    /// Ends what nothing else ends, after a check that failed.
    fn release(&self) {}

    /// Whether the numbers are requirement 003's own, 100 tasks with 1,000 calls each and 1,000 cycles; otherwise they
    /// are a fraction of that.
    fn full(&self) -> bool {
        full_is_asked_for()
    }

    /// How long a check waits for what should come at once. Shorter only where a failure is what is expected.
    fn patience(&self) -> Duration {
        PATIENCE
    }
}

/// Whether the full numbers are wanted in all cells: `MIDPLANE_FULL=1`, which `cargo xtask test --full` sets.
#[must_use]
pub fn full_is_asked_for() -> bool {
    std::env::var_os("MIDPLANE_FULL").is_some_and(|value| value == "1")
}

/// Held by every check: shared by most, alone by those that look at the memory of the whole process, in which other
/// checks would show as well.
static QUIET: RwLock<()> = RwLock::new(());

/// Why a behaviour is not as it should be.
pub type Outcome = Result<(), String>;

/// Drives a subject through one behaviour.
///
/// # Errors
/// What was seen, and what should have been.
pub fn check(behaviour: Behaviour, subject: &dyn Subject) -> Outcome {
    let (_alone, _among_others);
    if behaviour.weighs_the_process() {
        _alone = QUIET.write().unwrap_or_else(PoisonError::into_inner);
    } else {
        _among_others = QUIET.read().unwrap_or_else(PoisonError::into_inner);
    }
    let site = Site::new(subject).map_err(|error| format!("no site for the check: {error}"))?;
    let outcome = match behaviour {
        Behaviour::Load => life::load(&site),
        Behaviour::Call => calls::call(&site),
        Behaviour::EmptyAndLargePayloads => calls::empty_and_large(&site),
        Behaviour::ChunkedReply => calls::chunked(&site),
        Behaviour::ConcurrentCalls => stress::concurrent(&site),
        Behaviour::TypedError => faults::typed(&site),
        Behaviour::HostCallError => faults::host_call(&site),
        Behaviour::Panic => faults::panic(&site),
        Behaviour::Abort => faults::abort(&site),
        Behaviour::Hang => faults::hang(&site),
        Behaviour::CancelByDrop => faults::cancel(&site),
        Behaviour::MemoryLimit => faults::memory_limit(&site),
        Behaviour::BadConfig => life::bad_config(&site),
        Behaviour::WithoutHooks => bare::without_hooks(&site),
        Behaviour::Health => life::health(&site),
        Behaviour::Events => events::events(&site),
        Behaviour::BusRequest => together::bus_request(&site),
        Behaviour::ConfigChanged => together::config_changed(&site),
        Behaviour::DependencyChanged => together::dependency_changed(&site),
        Behaviour::StateAndMetrics => together::state_and_metrics(&site),
        Behaviour::Services => services::services(&site),
        Behaviour::FetchGivenUp => fetching::given_up(&site),
        Behaviour::HostTranscript => transcript::transcript(&site),
        Behaviour::Unload => life::unload(&site),
        Behaviour::ReloadWithChangedCode => life::reload(&site),
        Behaviour::SiblingsSurvive => faults::siblings(&site),
        Behaviour::ManyTasksManyCalls => stress::many_calls(&site),
        Behaviour::ManyCycles => stress::cycles(&site),
    };
    if outcome.is_err() {
        subject.release();
    }
    outcome
}

/// Ends a check with a text when something does not hold.
macro_rules! ensure {
    ($holds:expr, $($text:tt)+) => {
        if !$holds {
            return Err(format!($($text)+));
        }
    };
}
pub(crate) use ensure;
