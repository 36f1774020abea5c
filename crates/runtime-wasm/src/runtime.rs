//! The runtime: reads a file, compiles it or takes it from the cache, and loads what it holds.

use std::io::Read;
use std::sync::Arc;

use midplane_contract::{Code as ErrorCode, Error, Limit, Limits, Placement, Result, RuntimeKind};
use midplane_kernel::{Code, CodeFacts, LoadRequest, Runtime};
use serde_json::{Map, Value, json};
use wasmtime::{Engine, Linker, component};

use crate::cache::{Cache, Source, content_hash, hex};
use crate::code::Terms;
use crate::compiled::Compiled;
use crate::component::guest::Entries;
use crate::config::WasmConfig;
use crate::core::abi::Abi;
use crate::header::{Format, format};
use crate::state::GuestState;
use crate::ticker::Ticker;

/// Runs WebAssembly components and core modules in this process. One per process is enough for any number of plugins:
/// they share engine, pool and compiled code, and nothing else.
pub struct WasmRuntime {
    engine: Engine,
    ticker: Arc<Ticker>,
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
        Ok(Self { cache: Cache::new(&engine), engine, ticker, core, components, config })
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
        let wasm = self.read(request)?;
        let format = format(&wasm)?;
        let hash = content_hash(&wasm);
        let (compiled, source) = self.cache.get(format, &wasm, &hash, &request.cache)?;
        let details = details(format, source, wasm.len(), &compiled);
        let facts = CodeFacts { build_id: hex(&hash), details, ..CodeFacts::default() };
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

impl WasmRuntime {
    fn read(&self, request: &LoadRequest) -> Result<Vec<u8>> {
        let unreadable = |error: std::io::Error| {
            Error::new(ErrorCode::Io, format!("{} cannot be read", request.main.display()))
                .remedy("check the path in `entry.main` and who may read the file")
                .caused_by(&error)
        };
        let file = std::fs::File::open(&request.main).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.take(self.config.file + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > self.config.file {
            return Err(Error::new(
                ErrorCode::LimitExceeded,
                format!("{} has more than {} bytes", request.main.display(), self.config.file),
            )
            .remedy("build it smaller (strip it, optimize for size)")
            .with("which", "file")
            .with("limit", self.config.file));
        }
        Ok(bytes)
    }
}

fn details(format: Format, source: Source, size: usize, compiled: &Compiled) -> Map<String, Value> {
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
        "format": format.as_str(), "size": size, "compiled_by": source.as_str(), "imports": imports, "exports": exports,
    });
    match all {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
