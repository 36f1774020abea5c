//! The kernel's side of the host API, bound to one plugin.

mod bus;
mod fetch;
mod fetching;
mod given;
mod metrics;
mod nested;
mod secret;
mod services;
mod state;

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use midplane_contract::permission::required;
use midplane_contract::{ActionName, Address, Code, Error, HostFunction, PluginId, Result};
use serde_json::Value;

use crate::action::CallOptions;
use crate::call::{Caller, Deadline};
use crate::kernel::Inner;
use crate::log::Log;
pub(crate) use fetching::Fetching;
pub(crate) use given::Given;
pub(crate) use nested::Nested;

use crate::runtime::{Host, HostRequest, Within};

/// Most random bytes in one request.
const RANDOM: u64 = 65_536;

/// What one plugin's generation reaches the kernel through.
pub(crate) struct Binding {
    pub(crate) kernel: Weak<Inner>,
    pub(crate) plugin: PluginId,
    pub(crate) generation: u64,
    pub(crate) log: Log,
    /// How deep in a chain of calls it may call.
    pub(crate) depth: usize,
    pub(crate) fetching: Arc<Fetching>,
    pub(crate) given: Arc<Given>,
    /// Whose fetches these are, within the generation.
    pub(crate) seat: u64,
    pub(crate) nested: Nested,
}

impl Host for Binding {
    fn request(&self, within: &Within<'_>, request: &HostRequest<'_>) -> Result<Vec<u8>> {
        self.serve(within, request).map_err(|error| {
            let error = error.plugin(&self.plugin).generation(self.generation);
            self.given.keep(&error);
            error
        })
    }

    fn interrupted(&self) {
        self.fetching.interrupt(self.seat);
        self.nested.interrupt();
    }

    fn lost(&self, cause: Error) {
        if let Some(kernel) = self.kernel.upgrade() {
            kernel.lost(&self.plugin, self.generation, cause);
        }
    }
}

impl Drop for Binding {
    /// The generation has ended: what is left to say about its lines is said while somebody listens.
    fn drop(&mut self) {
        self.log.settle();
    }
}

impl Binding {
    fn serve(&self, within: &Within<'_>, request: &HostRequest<'_>) -> Result<Vec<u8>> {
        let kernel = self.kernel.upgrade().ok_or_else(|| Error::new(Code::NotRunning, "the host is shutting down"))?;
        let args = arguments(request)?;
        let function = request.function;
        // What is fetched passes the gate as it will be asked for, and again with every redirect.
        if let Some(permission) = required(function).filter(|_| function != HostFunction::HttpFetch) {
            let asked =
                target(function, &args).map_or(permission.to_owned(), |target| format!("{permission}:{target}"));
            kernel.check(&self.plugin, within.scope, &asked)?;
        }
        match function {
            HostFunction::Log => self.log(&args),
            HostFunction::ConfigGet => self.config(&kernel, &args),
            HostFunction::Call => self.call(&kernel, within, &args, request.payload),
            HostFunction::ServiceFind => services::find(&kernel, &args),
            HostFunction::ServiceCall => services::call(self, &kernel, within, &args, request.payload),
            HostFunction::BusPublish => self.publish(&kernel, within, &args, request.payload),
            HostFunction::BusRequest => self.request_topic(&kernel, within, &args, request.payload),
            HostFunction::BusSubscribe => self.subscribe(&kernel, &args),
            HostFunction::BusUnsubscribe => self.unsubscribe(&kernel, &args),
            HostFunction::TimeNow => json(&Value::from(jiff::Timestamp::now().to_string())),
            HostFunction::TimeMonotonic => json(&Value::from(monotonic_nanos())),
            HostFunction::Random => random(&args),
            HostFunction::SecretGet => self.secret(&kernel, &args),
            HostFunction::HttpFetch => fetch::fetch(self, &kernel, within, &args, request.payload),
            HostFunction::StateGet
            | HostFunction::StateSet
            | HostFunction::StateCompareAndSet
            | HostFunction::StateDelete
            | HostFunction::StateList => self.state(&kernel, function, &args, request.payload),
            HostFunction::MetricsCount | HostFunction::MetricsGauge | HostFunction::MetricsObserve => {
                self.measure(&kernel, function, &args)
            }
        }
    }

    fn log(&self, args: &Value) -> Result<Vec<u8>> {
        let text = |key: &str| args.get(key).and_then(Value::as_str);
        let (level, message) = (text("level").unwrap_or("info"), text("message").unwrap_or_default());
        self.log.write(level, message, args.get("fields"));
        Ok(Vec::new())
    }

    fn config(&self, kernel: &Arc<Inner>, args: &Value) -> Result<Vec<u8>> {
        let generation = kernel.generation_of(&self.plugin, self.generation);
        let config = generation.map(|generation| generation.config());
        let Some(key) = args.get("key").and_then(Value::as_str) else {
            return Ok(config.map_or_else(|| b"{}".to_vec(), |config| config.to_vec()));
        };
        let parsed: Value = config.and_then(|config| serde_json::from_slice(&config).ok()).unwrap_or_default();
        json(parsed.get(key).unwrap_or(&Value::Null))
    }

    fn call(&self, kernel: &Arc<Inner>, within: &Within<'_>, args: &Value, input: &[u8]) -> Result<Vec<u8>> {
        let address: Address =
            args.get("address")
                .and_then(Value::as_str)
                .ok_or_else(|| missing("address"))?
                .parse()
                .map_err(|error: midplane_contract::id::NameError| Error::new(Code::InvalidInput, error.to_string()))?;
        let caller = self.link(within)?;
        let target = kernel.slot_of(&address.plugin)?;
        if let Some(generation) = target.core.generation() {
            generation.refuse_cycle(&caller)?;
        }
        let deadline = deadline(within, args);
        let options = CallOptions { deadline: Some(deadline), caller: Some(caller), trace: within.scope.trace.clone() };
        let action = target.action(address.action.as_str())?;
        self.nested.wait(action.call_with(input, options))
    }

    /// The chain with this plugin as its newest link.
    fn link(&self, within: &Within<'_>) -> Result<Arc<Caller>> {
        let parent = within.scope.caller.clone();
        let depth = parent.as_ref().map_or(0, |parent| parent.depth) + 1;
        if depth > self.depth {
            let message = format!("calls are nested deeper than {}", self.depth);
            return Err(Error::new(Code::DepthExceeded, message)
                .remedy("look for plugins that call each other without end, or raise limits.call_depth")
                .with("depth", depth));
        }
        let action = within.action.and_then(|action| ActionName::new(action).ok());
        Ok(Arc::new(Caller { plugin: self.plugin.clone(), action, parent, depth }))
    }
}

fn arguments(request: &HostRequest<'_>) -> Result<Value> {
    request.function.check_arguments(request.args.len())?;
    if request.args.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    serde_json::from_str(request.args).map_err(|error| {
        Error::new(Code::InvalidInput, format!("the arguments of `{}` are not JSON", request.function))
            .caused_by(&error)
    })
}

/// What a function is used on, for the permission's pattern.
fn target(function: HostFunction, args: &Value) -> Option<&str> {
    let key = match function {
        HostFunction::Call => "address",
        HostFunction::BusPublish
        | HostFunction::BusRequest
        | HostFunction::BusSubscribe
        | HostFunction::BusUnsubscribe => "topic",
        HostFunction::ServiceFind | HostFunction::ServiceCall => "interface",
        HostFunction::StateGet
        | HostFunction::StateSet
        | HostFunction::StateCompareAndSet
        | HostFunction::StateDelete => "key",
        HostFunction::StateList => "prefix",
        HostFunction::SecretGet
        | HostFunction::MetricsCount
        | HostFunction::MetricsGauge
        | HostFunction::MetricsObserve => "name",
        HostFunction::Log
        | HostFunction::ConfigGet
        // It asks the gate itself.
        | HostFunction::HttpFetch
        | HostFunction::TimeNow
        | HostFunction::TimeMonotonic
        | HostFunction::Random => return None,
    };
    args.get(key).and_then(Value::as_str)
}

/// The earlier of the end of what the plugin is doing and what it asks for.
fn deadline(within: &Within<'_>, args: &Value) -> Deadline {
    match args.get("deadline_ms").and_then(Value::as_u64) {
        None => within.scope.deadline,
        Some(most) => within.scope.deadline.min(Duration::from_millis(most)).stamped(),
    }
}

fn not_offered(function: HostFunction) -> Error {
    Error::new(Code::NotSupported, format!("this host does not offer `{function}` to plugins"))
        .remedy("do without it, or use a host that has it")
}

fn missing(name: &str) -> Error {
    Error::new(Code::InvalidInput, format!("the argument `{name}` is missing or no text"))
}

fn json(value: &Value) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::new(Code::Internal, error.to_string()))
}

fn monotonic_nanos() -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}

fn random(args: &Value) -> Result<Vec<u8>> {
    let count = args.get("bytes").and_then(Value::as_u64).ok_or_else(|| missing("bytes"))?;
    if count > RANDOM {
        return Err(Error::new(Code::LimitExceeded, format!("at most {RANDOM} random bytes at once"))
            .with("which", "random")
            .with("limit", RANDOM));
    }
    let mut bytes = vec![0; usize::try_from(count).unwrap_or(0)];
    getrandom::fill(&mut bytes).map_err(|error| Error::new(Code::Io, format!("no random bytes: {error}")))?;
    Ok(bytes)
}
