//! From a manifest to initialized instances: everything a load decides and does before anybody is served.

mod fallback;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use midplane_contract::manifest::Dependency;
use midplane_contract::{
    Code as Fault, Error, Hook, Kind, Limits, Manifest, Placement, PluginId, Result, RuntimeKind, defaults,
};

use crate::availability::Told;
use crate::bounds::Bounds;
use crate::discover::Found;
use crate::generation::{Generation, Times};
use crate::hooks::{Hooks, on_a_thread_before};
use crate::host::{Fetching, Given};
use crate::platform::Platform;
use crate::policy::Policy;
use crate::runtime::{Code, CodeFacts, Host, Instance, LoadRequest, Runtime};
use crate::secret::Secrets;
use crate::{build, config, placement, platform};

/// The runtimes of a kernel, by what they serve.
pub(crate) type Runtimes = BTreeMap<(&'static str, &'static str), Arc<dyn Runtime>>;

/// What a load works with.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) plugin: PluginId,
    pub(crate) number: u64,
    /// When its code has to be open and its hooks done.
    pub(crate) late: Option<Instant>,
    pub(crate) found: Found,
    pub(crate) policy: Policy,
    /// Those that hold.
    pub(crate) limits: Limits,
    /// Those as well.
    pub(crate) bounds: Bounds,
    /// What calls in flight get at the end.
    pub(crate) drain: Duration,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) cache: PathBuf,
    pub(crate) runtimes: Arc<Runtimes>,
    pub(crate) platform: Arc<Platform>,
    pub(crate) host: Arc<dyn Fn() -> Arc<dyn Host> + Send + Sync>,
    pub(crate) fetching: Arc<Fetching>,
    pub(crate) given: Arc<Given>,
}

/// A generation with its first instances, initialized and not started.
pub(crate) struct Assembled {
    pub(crate) generation: Arc<Generation>,
    pub(crate) instances: Vec<Box<dyn Instance>>,
}

/// What came of a load.
pub(crate) enum Assembly {
    /// A generation.
    Whole(Assembled),
    /// Nothing yet: the code says that it needs these, of which the manifest says nothing.
    Needs(Vec<Dependency>),
}

/// Loads code and initializes instances. On error everything that was loaded is gone again. A plugin that is made for other
/// systems, or whose own code fails, is loaded by one of its fallbacks.
pub(crate) async fn assemble(plan: Plan) -> Result<Assembly> {
    plan.policy.expects(&plan.found.manifest)?;
    let mut errors = Vec::new();
    let mut ways = fallback::ways(&plan.found, &plan.platform)?.into_iter().peekable();
    while let Some(way) = ways.next() {
        match assemble_one(Plan { found: way, ..plan.clone() }).await {
            Ok(assembly) => return Ok(assembly),
            Err(error) => errors.push(error),
        }
        if plan.late.is_some_and(|late| late <= Instant::now()) {
            break;
        }
        if let (Some(next), Some(error)) = (ways.peek(), errors.last()) {
            let next = next.main.display();
            tracing::warn!(plugin = %plan.plugin, %error, %next, "it cannot be loaded like this; a fallback is tried");
        }
    }
    Err(fallback::none_worked(errors))
}

async fn assemble_one(plan: Plan) -> Result<Assembly> {
    let id = plan.plugin.clone();
    let decided = decide(&plan).map_err(|error| error.plugin(&id))?;
    let (label, number, time) = (decided.label(), plan.number, left(decided.times.hook, plan.late));
    let sign = |error: Error| error.plugin(&id).runtime(&label).generation(number);
    let late = plan.late;
    on_a_thread_before(late, time, move |hooks| put_together(plan, decided, hooks)).await.map_err(sign)?.map_err(sign)
}

/// What a hook may take: its own time, or what is left of the load's.
pub(crate) fn left(hook: Duration, late: Option<Instant>) -> Duration {
    late.map_or(hook, |late| hook.min(late.saturating_duration_since(Instant::now())))
}

/// The part of it that blocks.
fn put_together(plan: Plan, decided: Decided, hooks: &Hooks) -> Result<Assembly> {
    let started = Instant::now();
    let code = hooks.open(|| decided.runtime.load(&decided.request))?;
    verify(&decided.request, code.facts())?;
    let more = undeclared(&decided.request.manifest, code.facts());
    if !more.is_empty() {
        return Ok(Assembly::Needs(more));
    }
    let mut generation = Arc::new(generation(plan, decided, code));
    let mut instances = Vec::new();
    for _ in 0..generation.instances.min.max(1) {
        match build::make(&generation, hooks) {
            Ok(instance) => instances.push(instance),
            Err(error) => {
                build::give_back(&generation, hooks, &mut instances, 0);
                return Err(error);
            }
        }
    }
    // Nobody else holds the generation but the instances' hosts, which do not keep it.
    if let Some(generation) = Arc::get_mut(&mut generation) {
        generation.load_time = started.elapsed();
    }
    Ok(Assembly::Whole(Assembled { generation, instances }))
}

/// What was decided before any code was touched.
struct Decided {
    request: LoadRequest,
    runtime: Arc<dyn Runtime>,
    config: Vec<u8>,
    times: Times,
}

impl Decided {
    /// `native/worker` and the like.
    fn label(&self) -> String {
        format!("{}/{}", self.request.manifest.entry.runtime, self.request.placement)
    }
}

/// Everything that is decided before any code is touched.
fn decide(plan: &Plan) -> Result<Decided> {
    let Found { manifest, folder, main, own, .. } = &plan.found;
    platform::check(manifest, &plan.platform)?;
    let kind = manifest.entry.runtime;
    let placement = placement::decide(&manifest.entry, plan.policy.trust, plan.policy.placement, manifest.placement)?;
    let runtime = match own {
        Some(own) => Arc::clone(&own.0),
        None => find(&plan.runtimes, kind, placement)?,
    };
    let limits = plan.limits.clone();
    enforceable(runtime.as_ref(), kind, placement, &limits)?;
    let operator = plan.secrets.resolve(&plan.policy.config)?;
    let config = config::effective(manifest.config_schema.as_ref(), &manifest.config, &operator)?;
    let config = serde_json::to_vec(&config).map_err(|error| Error::new(Fault::Internal, error.to_string()))?;
    let request = LoadRequest {
        manifest: Arc::new(manifest.clone()),
        folder: folder.clone(),
        main: main.clone(),
        generation: plan.number,
        placement,
        trust: plan.policy.trust,
        limits,
        instances: plan.bounds.instances(manifest.instances),
        cache: plan.cache.clone(),
    };
    let times = times(&request.limits, plan.drain);
    Ok(Decided { request, runtime, config, times })
}

/// The runtime for a kind of code in a placement.
pub(crate) fn find(runtimes: &Runtimes, kind: RuntimeKind, placement: Placement) -> Result<Arc<dyn Runtime>> {
    runtimes.get(&(kind.as_str(), placement.as_str())).cloned().ok_or_else(|| {
        let known: Vec<String> = runtimes.keys().map(|(kind, placement)| format!("{kind}/{placement}")).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Error::new(Fault::UnsupportedRuntime, format!("this host has no runtime for `{kind}` in `{placement}`"))
            .remedy(format!("it has: {known}"))
            .with("runtime", kind.as_str())
            .with("placement", placement.as_str())
    })
}

/// Refuses limits that would be a promise nobody keeps.
pub(crate) fn enforceable(
    runtime: &dyn Runtime,
    kind: RuntimeKind,
    placement: Placement,
    limits: &Limits,
) -> Result<()> {
    let which = runtime.unenforceable(limits);
    if which.is_empty() {
        return Ok(());
    }
    let list = which.join(", ");
    let message = format!("`{kind}` code in `{placement}` cannot be held to its limits: {list}");
    Err(Error::new(Fault::LimitNotEnforceable, message)
        .remedy("remove the limits, or choose a placement that holds them (a worker holds more)")
        .with("which", which))
}

/// Compares what the manifest says with what the code is.
fn verify(request: &LoadRequest, facts: &CodeFacts) -> Result<()> {
    let manifest = &request.manifest;
    if let Some(missing) = manifest.actions.iter().find(|spec| !facts.actions.contains(&spec.name)) {
        let message = format!("the manifest names the action `{}`, which the code does not offer", missing.name);
        let known: Vec<&str> = facts.actions.iter().map(midplane_contract::ActionName::as_str).collect();
        return Err(Error::new(Fault::ActionNotFound, message)
            .kind(Kind::Load)
            .remedy(format!("the code offers: {}", if known.is_empty() { "nothing".into() } else { known.join(", ") }))
            .action(&missing.name));
    }
    let info = &facts.info;
    for (what, own, declared) in
        [("id", &info.id, manifest.id.to_string()), ("version", &info.version, manifest.version.to_string())]
    {
        let own = own.trim_start_matches('v');
        if !own.is_empty() && own != declared {
            let message = format!("the code says that its {what} is `{own}`, the manifest says `{declared}`");
            return Err(Error::new(Fault::ManifestInvalid, message).remedy("make the two agree"));
        }
    }
    // What begins something in `start` works for itself.
    let acts = facts.hooks.contains(&Hook::Event) || facts.hooks.contains(&Hook::Start);
    if facts.actions.is_empty() && manifest.provides.is_empty() && !acts {
        return Err(Error::new(
            Fault::NotAPlugin,
            "the code offers no action, takes no event, provides no service and does nothing in `start`",
        )
        .remedy("add an action; a plugin that does nothing cannot be loaded"));
    }
    Ok(())
}

/// What the code needs and the manifest says nothing of, each once.
fn undeclared(manifest: &Manifest, facts: &CodeFacts) -> Vec<Dependency> {
    let mut more: Vec<Dependency> = Vec::new();
    for needed in &facts.info.dependencies {
        if !manifest.dependencies.contains(needed) && !more.contains(needed) {
            more.push(needed.clone());
        }
    }
    more
}

fn times(limits: &Limits, drain: Duration) -> Times {
    let millis = |limit: Option<u64>, default: Duration| limit.map_or(default, Duration::from_millis);
    Times {
        call: millis(limits.call_deadline_ms, defaults::CALL_DEADLINE),
        hook: millis(limits.hook_deadline_ms, defaults::HOOK_DEADLINE),
        probe: defaults::PROBE_DEADLINE,
        drain,
    }
}

fn generation(plan: Plan, decided: Decided, code: Arc<dyn Code>) -> Generation {
    let Decided { request, config, times, .. } = decided;
    let limits = &request.limits;
    Generation {
        number: plan.number,
        plugin: plan.plugin,
        folder: request.folder.clone(),
        runtime: request.manifest.entry.runtime,
        placement: request.placement,
        trust: request.trust,
        config: RwLock::new(config.into()),
        host: plan.host,
        fetching: plan.fetching,
        given: plan.given,
        made: AtomicU32::new(0),
        instances: request.instances,
        times,
        queue: limits.queue.map_or(defaults::QUEUE_PER_PLUGIN, |queue| queue as usize),
        payload: limits.payload.map_or(defaults::PAYLOAD_CAP, |most| usize::try_from(most).unwrap_or(usize::MAX)),
        load_time: Duration::ZERO,
        told: Told::default(),
        manifest: request.manifest,
        code,
    }
}
