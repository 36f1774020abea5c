//! The runtime: reads a file, compiles it or takes it from the cache, and loads what it holds.

use std::sync::Arc;

use midplane_contract::{Code as ErrorCode, Error, Limit, Limits, Placement, Result, RuntimeKind};
use midplane_kernel::{Code, CodeFacts, LoadRequest, Runtime};
use serde_json::{Map, Value, json};
use wasmtime::{Engine, Linker, component};

use crate::cache::{Cache, Origin, hex};
use crate::code::Terms;
use crate::compiled::Compiled;
use crate::component::guest::Entries;
use crate::config::WasmConfig;
use crate::core::abi::Abi;
use crate::source::{Identity, Source, Sources};
use crate::state::GuestState;
use crate::ticker::Ticker;

/// Runs WebAssembly components and core modules in this process. One per process is enough for any number of plugins:
/// they share engine, pool and compiled code, and nothing else.
pub struct WasmRuntime {
    engine: Engine,
    ticker: Arc<Ticker>,
    sources: Sources,
    cache: Cache,
    core: Linker<GuestState>,
    components: component::Linker<GuestState>,
    config: WasmConfig,
}

impl WasmRuntime {
    /// Starts the engine and its clock. Reserves address space, uses next to no memory.
    ///
    /// # Errors
    /// `internal` when the settings contradict each other, `io` when the system gives no thread.
    pub fn new(config: WasmConfig) -> Result<Self> {
        let engine = crate::engine::make(&config)?;
        let ticker = Ticker::start(&engine)?;
        let (mut core, mut components) = (Linker::new(&engine), component::Linker::new(&engine));
        crate::core::imports::link(&mut core)
            .and_then(|()| crate::component::imports::link(&mut components))
            .map_err(|error| Error::new(ErrorCode::Internal, format!("the host functions do not link: {error:#}")))?;
        Ok(Self { sources: Sources::default(), cache: Cache::new(&engine), engine, ticker, core, components, config })
    }
}

impl std::fmt::Debug for WasmRuntime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WasmRuntime").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Runtime for WasmRuntime {
    fn serves(&self) -> (RuntimeKind, Placement) {
        (RuntimeKind::Wasm, Placement::InProcess)
    }

    /// Memory, tables, time and payloads are held. Guests have no threads, files or sockets of their own.
    fn unenforceable(&self, limits: &Limits) -> Vec<&'static str> {
        limits.set_among(&[Limit::Cpu, Limit::NetworkIo, Limit::Connections])
    }

    fn load(&self, request: &LoadRequest) -> Result<Arc<dyn Code>> {
        let mut source = Source::open(&request.main, self.config.file)?;
        let identity = self.sources.identify(&mut source)?;
        let (compiled, origin) = self.cache.get(identity, &mut source, &request.cache)?;
        let details = details(identity, origin, &compiled);
        let facts = CodeFacts { build_id: hex(&identity.hash), details, ..CodeFacts::default() };
        let terms = |imports| Terms::new(&self.engine, &self.ticker, &self.config, request, imports, &compiled);
        match &*compiled {
            Compiled::Core(module) => {
                let imports = crate::core::imports::check(module, &self.config.allowed_imports, &request.manifest)?;
                let abi = Abi::read(module)?;
                let pre = crate::core::code::link(&self.core, module)?;
                crate::core::code::load(pre, abi, terms(imports), request, facts)
            }
            Compiled::Component(component) => {
                let imports = crate::component::imports::check(component)?;
                let entries = Entries::find(component)?;
                let mut linker = self.components.clone();
                crate::component::wasi::link(&mut linker, component)?;
                let pre = crate::component::code::link(&linker, component)?;
                crate::component::code::load(pre, entries, terms(imports), request, facts)
            }
        }
    }
}

fn details(identity: Identity, origin: Origin, compiled: &Compiled) -> Map<String, Value> {
    let (imports, exports): (Vec<String>, Vec<String>) = match compiled {
        Compiled::Core(module) => (
            module.imports().map(|import| format!("{}.{}", import.module(), import.name())).collect(),
            module.exports().map(|export| export.name().to_owned()).collect(),
        ),
        Compiled::Component(component) => {
            let (ty, engine) = (component.component_type(), component.engine());
            (
                ty.imports(engine).map(|(name, _)| name.to_owned()).collect(),
                ty.exports(engine).map(|(name, _)| name.to_owned()).collect(),
            )
        }
    };
    let all = json!({
        "format": identity.format.as_str(), "size": identity.size, "compiled_by": origin.as_str(), "imports": imports, "exports": exports,
    });
    match all {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
