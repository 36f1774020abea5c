//! The one list of runtimes. Cargo features choose among them; nothing else in Midplane asks for a feature.

use std::sync::Arc;

use midplane_contract::{Placement, RuntimeKind};
use midplane_kernel::{Builder, Kernel, Runtime};

use crate::on_demand::OnDemand;

/// Begins a kernel with every runtime of this build. Engines start with the first plugin that needs them.
#[must_use]
pub fn kernel() -> Builder {
    let with_all = |builder: Builder, runtime| builder.runtime(runtime);
    let builder = in_process(Host::ForMany).into_iter().fold(Kernel::builder(), with_all);
    workers().into_iter().fold(builder, with_all)
}

/// How many plugins a process hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    /// Any number: a host.
    ForMany,
    /// One: a worker, whose engines need less room.
    ForOne,
}

/// The runtimes that execute code in the process they are in: what a worker has as well.
pub(crate) fn in_process(host: Host) -> Vec<Arc<dyn Runtime>> {
    vec![
        #[cfg(feature = "native")]
        OnDemand::of(RuntimeKind::Native, Placement::InProcess, || {
            Ok(Arc::new(midplane_runtime_native::NativeRuntime::new()))
        }),
        #[cfg(feature = "wasm")]
        OnDemand::of(RuntimeKind::Wasm, Placement::InProcess, move || {
            use midplane_runtime_wasm::WasmConfig;
            let config = if host == Host::ForOne { WasmConfig::for_one_plugin() } else { WasmConfig::default() };
            Ok(Arc::new(midplane_runtime_wasm::WasmRuntime::new(config)?))
        }),
    ]
}

/// The runtimes that put one plugin into a child process, one for each kind that a worker can execute.
#[cfg(feature = "worker")]
fn workers() -> Vec<Arc<dyn Runtime>> {
    let kinds: Vec<RuntimeKind> = in_process(Host::ForMany).iter().map(|runtime| runtime.serves().0).collect();
    kinds.into_iter().map(|kind| OnDemand::of(kind, Placement::Worker, move || crate::worker::runtime(kind))).collect()
}

#[cfg(not(feature = "worker"))]
fn workers() -> Vec<Arc<dyn Runtime>> {
    Vec::new()
}
