//! Loaded code, core or component: its facts, and new instances under its limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use midplane_contract::{ActionName, Code as ErrorCode, Error, Limits, PluginId, PluginInfo, Result, defaults};
use midplane_kernel::{Code, CodeFacts, Host, Instance, InstanceContext, LoadRequest, Scope};
use wasmtime::{Engine, Store};

use crate::compiled::Compiled;
use crate::config::WasmConfig;
use crate::core::imports::Imports;
use crate::fault::{Fault, explain};
use crate::guest::{Blueprint, Guest};
use crate::instance::{Counted, WasmInstance, begin};
use crate::limiter::Limiter;
use crate::state::{GuestState, on_tick};
use crate::ticker::Ticker;

/// What all instances of one loaded plugin share.
pub(crate) struct Terms {
    pub(crate) engine: Engine,
    pub(crate) ticker: Arc<Ticker>,
    pub(crate) plugin: PluginId,
    pub(crate) imports: Imports,
    memory: u64,
    table_elements: u32,
    payload_cap: usize,
    hook_time: Duration,
    instances: u32,
    live: Arc<AtomicU32>,
    /// Keeps the code known to the cache while it is in use.
    _compiled: Arc<Compiled>,
}

impl Terms {
    /// The terms that the limits of a request and the settings of the runtime make together.
    pub(crate) fn new(
        engine: &Engine,
        ticker: &Arc<Ticker>,
        config: &WasmConfig,
        request: &LoadRequest,
        imports: Imports,
        compiled: &Arc<Compiled>,
    ) -> Self {
        let Limits { memory, hook_deadline_ms, payload, table_elements, .. } = request.limits;
        Self {
            engine: engine.clone(),
            ticker: Arc::clone(ticker),
            plugin: request.manifest.id.clone(),
            imports,
            memory: memory.unwrap_or(config.memory),
            table_elements: table_elements.unwrap_or(config.table_elements).min(WasmConfig::TABLE_ELEMENTS_CAP),
            payload_cap: payload.map_or(defaults::PAYLOAD_CAP, |cap| usize::try_from(cap).unwrap_or(usize::MAX)),
            hook_time: hook_deadline_ms.map_or(defaults::HOOK_DEADLINE, Duration::from_millis),
            instances: config.instances_per_plugin,
            live: Arc::default(),
            _compiled: Arc::clone(compiled),
        }
    }

    /// Makes a guest in a store of its own. Its start functions have the time of a hook.
    pub(crate) fn make<B: Blueprint>(
        &self,
        blueprint: &B,
        actions: &Arc<[ActionName]>,
        host: Option<Arc<dyn Host>>,
    ) -> Result<(Store<GuestState>, B::Guest)> {
        let mut store = Store::new(
            &self.engine,
            GuestState {
                beat: self.ticker.beat(host.clone()),
                limiter: Limiter::new(self.memory, self.table_elements),
                plugin: self.plugin.clone(),
                deadline: midplane_kernel::Deadline::After(self.hook_time),
                suspends: false,
                scope: Scope::default(),
                action: None,
                actions: Arc::clone(actions),
                host,
                last_words: None,
                chunks: crate::state::Chunks::default(),
                emitted: false,
                answer: Vec::new(),
                printed: crate::core::preview1::Printed::default(),
                payload_cap: self.payload_cap,
            },
        );
        store.limiter(|state| &mut state.limiter);
        store.epoch_deadline_callback(on_tick);
        let guest = self.within_hook_time(&mut store, |store| blueprint.instantiate(store))?;
        Ok((store, guest))
    }

    /// Runs something in a store within the time of a hook.
    pub(crate) fn within_hook_time<T>(
        &self,
        store: &mut Store<GuestState>,
        run: impl FnOnce(&mut Store<GuestState>) -> Result<T, Fault>,
    ) -> Result<T> {
        begin(store, self.imports, &Scope::within(self.hook_time), None, false);
        let outcome = run(store);
        store.data().beat.leave();
        outcome.map_err(|fault| match fault {
            Fault::Clean(error) | Fault::Broken(error) => error,
            Fault::Engine(error) => explain(&error, store.data_mut()),
        })
    }

    fn count(&self) -> Result<Counted> {
        let counted = Counted(Arc::clone(&self.live));
        if self.live.fetch_add(1, Ordering::Relaxed) < self.instances {
            return Ok(counted);
        }
        let text = format!("the plugin has {} WebAssembly instances, as many as it may", self.instances);
        Err(Error::new(ErrorCode::LimitExceeded, text)
            .remedy("lower `instances.max`, or raise the runtime's instances per plugin")
            .with("which", "instances")
            .with("limit", self.instances))
    }
}

/// One loaded version of a plugin's code.
pub(crate) struct WasmCode<B> {
    pub(crate) blueprint: B,
    pub(crate) terms: Terms,
    pub(crate) actions: Arc<[ActionName]>,
    pub(crate) facts: CodeFacts,
}

impl<B: Blueprint> Code for WasmCode<B> {
    fn facts(&self) -> &CodeFacts {
        &self.facts
    }

    fn instantiate(&self, context: InstanceContext) -> Result<Box<dyn Instance>> {
        let counted = self.terms.count()?;
        let (mut store, mut guest) = self.terms.make(&self.blueprint, &self.actions, Some(context.host))?;
        let identity = serde_json::json!({
            "id": context.plugin.as_str(), "version": context.version,
            "generation": context.generation, "number": context.number,
        });
        self.terms.within_hook_time(&mut store, |store| guest.identify(store, &identity.to_string()))?;
        let imports = self.terms.imports;
        Ok(Box::new(WasmInstance { store, guest, imports, spent: None, abandoned: false, _counted: counted }))
    }
}

/// Reads what a plugin says of itself.
///
/// # Errors
/// `not_a_plugin` when it is not the JSON that it should be.
pub(crate) fn read_info(json: &[u8]) -> Result<PluginInfo> {
    if json.is_empty() {
        return Ok(PluginInfo::default());
    }
    if json.len() > defaults::MANIFEST_SIZE {
        return Err(Error::new(ErrorCode::NotAPlugin, format!("the plugin's info has {} bytes", json.len()))
            .remedy("keep it under 1 MiB"));
    }
    serde_json::from_slice(json).map_err(|error| {
        Error::new(ErrorCode::NotAPlugin, format!("the plugin's info is not what it should be: {error}"))
            .remedy("answer with the JSON object that the contract describes")
    })
}

/// All names that may be actions of a plugin, each once: those it names itself, those of the manifest, then others.
pub(crate) fn candidates(
    info: &PluginInfo,
    request: &LoadRequest,
    others: impl Iterator<Item = ActionName>,
) -> Vec<ActionName> {
    let listed = info.actions.iter().chain(&request.manifest.actions).map(|action| action.name.clone());
    let mut names: Vec<ActionName> = Vec::new();
    for name in listed.chain(others) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
