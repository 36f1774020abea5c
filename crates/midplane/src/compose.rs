//! The one list of runtimes and stores, and of what plugins reach the world through. Cargo features choose among them;
//! nothing else in Midplane asks for a feature.

use std::sync::Arc;

#[cfg(any(feature = "native", feature = "wasm", feature = "js", feature = "grpc"))]
use midplane_contract::Placement;
use midplane_contract::Result;
#[cfg(any(feature = "native", feature = "wasm", feature = "js", feature = "grpc", feature = "worker"))]
use midplane_contract::RuntimeKind;
use midplane_contract::settings::ConfigStore as Wanted;
use midplane_kernel::config::ConfigStore;
use midplane_kernel::{Builder, Kernel, Runtime};

#[cfg(any(feature = "native", feature = "wasm", feature = "js", feature = "grpc"))]
use crate::on_demand::OnDemand;

/// Begins a kernel with every runtime of this build. Engines start with the first plugin that needs them.
#[must_use]
pub fn kernel() -> Builder {
    let with_all = |builder: Builder, runtime| builder.runtime(runtime);
    let builder = in_process(Host::ForMany).into_iter().fold(Kernel::builder(), with_all);
    let builder = processes().into_iter().fold(builder, with_all);
    web(services().into_iter().fold(builder, with_all))
}

/// Opens what outlives the process in a data folder, for [`Builder::stores`]: `state.db` and `catalog.db`. The folder is
/// made where it is not there. Several hosts may share one.
///
/// # Errors
/// `storage`: the folder cannot be written, its disk is full, or `state.db` is damaged. A broken `catalog.db` is set
/// aside and begun anew.
#[cfg(feature = "store")]
pub fn data(folder: impl AsRef<std::path::Path>) -> Result<midplane_kernel::Stores> {
    midplane_store::open(folder.as_ref())
}

/// The store of configurations in Redis that settings name.
///
/// # Errors
/// `config_invalid` without an address.
#[cfg(feature = "redis")]
pub(crate) fn redis(wanted: &Wanted) -> Result<Arc<dyn ConfigStore>> {
    use midplane_store_redis::{RedisStore, Settings};
    let address = wanted.address.clone();
    Ok(Arc::new(RedisStore::new(Settings {
        address: address.ok_or_else(|| crate::settings::missing("address", "where its server is"))?,
        database: wanted.database,
        user: wanted.user.clone(),
        password: wanted.password.clone(),
        prefix: wanted.prefix.clone(),
        timeout: wanted.timeout,
    })))
}

#[cfg(not(feature = "redis"))]
pub(crate) fn redis(_: &Wanted) -> Result<Arc<dyn ConfigStore>> {
    use midplane_contract::{Code, Error};
    Err(Error::new(Code::NotSupported, "this build has no Redis").remedy("build it with the feature `redis`"))
}

/// How many plugins a process hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    /// Any number: a host.
    ForMany,
    /// One: a worker, whose engines need less room.
    #[cfg_attr(not(any(feature = "wasm", feature = "worker")), expect(dead_code, reason = "there are no workers"))]
    ForOne,
}

/// The runtimes that execute code in the process they are in: what a worker has as well.
#[cfg_attr(not(feature = "wasm"), expect(unused_variables, reason = "only WebAssembly's engine asks"))]
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
        #[cfg(feature = "js")]
        OnDemand::of(RuntimeKind::Js, Placement::InProcess, || {
            use midplane_runtime_js::{JsConfig, JsRuntime};
            Ok(Arc::new(JsRuntime::new(JsConfig::default())))
        }),
    ]
}

/// The runtimes that put one plugin into a process of its own: a worker for each kind that a worker can execute, and
/// the programs that run the others.
#[cfg(feature = "worker")]
fn processes() -> Vec<Arc<dyn Runtime>> {
    use midplane_runtime_wire::engine::{executable::Executable, node::JavaScript, python::Python, script::Script};
    use midplane_runtime_wire::{Programs, WireRuntime};

    fn of(kind: RuntimeKind, programs: impl Programs) -> Arc<dyn Runtime> {
        Arc::new(WireRuntime::new(kind, programs))
    }
    let worker = crate::worker::Worker;
    vec![
        #[cfg(feature = "native")]
        of(RuntimeKind::Native, worker),
        #[cfg(feature = "wasm")]
        of(RuntimeKind::Wasm, worker),
        #[cfg(feature = "js")]
        of(RuntimeKind::Js, JavaScript::beside(worker)),
        #[cfg(not(feature = "js"))]
        of(RuntimeKind::Js, JavaScript::engines()),
        of(RuntimeKind::Python, Python::new()),
        of(RuntimeKind::Process, Executable),
        of(RuntimeKind::Script, Script),
    ]
}

#[cfg(not(feature = "worker"))]
fn processes() -> Vec<Arc<dyn Runtime>> {
    Vec::new()
}

/// Adds what fetches for plugins.
#[cfg(feature = "fetch")]
fn web(builder: Builder) -> Builder {
    use midplane_fetch::{Client, Settings};
    builder.fetch(Arc::new(Client::new(Settings::default())))
}

#[cfg(not(feature = "fetch"))]
fn web(builder: Builder) -> Builder {
    builder
}

/// The runtimes whose code is a service that was started by somebody else.
fn services() -> Vec<Arc<dyn Runtime>> {
    vec![
        #[cfg(feature = "grpc")]
        OnDemand::of(RuntimeKind::Remote, Placement::Remote, || {
            use midplane_runtime_grpc::{GrpcRuntime, Settings};
            Ok(Arc::new(GrpcRuntime::new(Settings::default())))
        }),
    ]
}
