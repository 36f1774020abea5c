//! What a plugin needs: everything below it is loaded and started first, what does not need each other at once. Every
//! plugin is loaded by itself, with no other plugin's lock held, so that loads that go on at once cannot wait for each
//! other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_lock::OnceCell;
use midplane_contract::manifest::{Dependency, DependencyKind};
use midplane_contract::{CONTRACT_VERSION, Code, Error, Manifest, PluginId, Result, State, VersionRange, defaults};

use super::load::load_alone;
use super::start;
use crate::discover::Found;
use crate::kernel::Inner;
use crate::plugin::Plugin;
use crate::resolve::{self, Available, Plan, Release, Request, Requirement, Selection, Standing, Step};
use crate::runtime::BoxFuture;
use crate::together::together;

/// Dependencies that code may name beside its manifest.
const DECLARED: usize = 100;

/// What was loaded or started for the sake of something else, in the order in which that ended, well or badly; each with
/// the state it had before.
pub(super) struct Brought {
    touched: Mutex<Vec<(PluginId, State)>>,
    /// Shutdowns that had begun when this began.
    pub(super) after: usize,
}

impl Brought {
    pub(super) fn new(kernel: &Inner) -> Self {
        Self { touched: Mutex::default(), after: kernel.ending.begun() }
    }

    fn note(&self, id: &PluginId, before: State) {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner).push((id.clone(), before));
    }

    /// The latest first: whatever is needed comes after what needs it.
    pub(super) fn backwards(&self) -> Vec<(PluginId, State)> {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }
}

/// Loads and starts everything that a plugin with this manifest needs, directly or not, and notes what it touched.
///
/// # Errors
/// Why its dependencies cannot be had, as [`resolve::resolve`] says it, or what is wrong with the first thing that it
/// needs itself.
pub(super) async fn make_ready(kernel: &Arc<Inner>, root: &Manifest, brought: &Brought) -> Result<()> {
    if needs(root).all(is_host) {
        return Ok(());
    }
    let plan = below(kernel, root)?;
    let steps = before(&plan, &root.id);
    let outcomes: BTreeMap<PluginId, Outcome> =
        steps.iter().map(|step| (step.id.clone(), Outcome::default())).collect();
    together(steps.iter().map(|step| Box::pin(make(kernel, &plan, step, &outcomes, brought)) as _)).await;
    let mut needed = needs(root).filter(|needed| !needed.optional);
    needed.find_map(|needed| outcomes.get(&needed.id)?.get()?.clone()).map_or(Ok(()), Err)
}

/// The same for a plugin whose code has said what it needs beside its manifest. A load may begin others, and so on: the
/// type of that has to end somewhere.
pub(super) fn make_ready_boxed<'a>(
    kernel: &'a Arc<Inner>,
    plugin: &'a Arc<Plugin>,
    brought: &'a Brought,
) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        let manifest = plugin.life().found.manifest.clone();
        make_ready(kernel, &manifest, brought).await
    })
}

/// Notes what a plugin's code says that it needs; from here on it counts like what its manifest says.
///
/// # Errors
/// `plugin_error`: the code says something else each time, so that nobody could ever make it ready.
pub(super) fn declare(found: &mut Found, declared: &mut Vec<Dependency>, more: Vec<Dependency>) -> Result<()> {
    if declared.len() + more.len() > DECLARED {
        return Err(Error::new(Code::PluginError, format!("its code names more than {DECLARED} dependencies"))
            .remedy("let its `info` name the same few plugins each time")
            .with("dependencies", DECLARED));
    }
    found.manifest.dependencies.extend(more.iter().cloned());
    declared.extend(more);
    Ok(())
}

/// What became of one plugin: nothing yet, or ready, or an error.
type Outcome = OnceCell<Option<Error>>;

/// Loads and starts one plugin once everything before it has ended well, or ended where that is only used.
async fn make(
    kernel: &Arc<Inner>,
    plan: &Plan,
    step: &Step,
    outcomes: &BTreeMap<PluginId, Outcome>,
    brought: &Brought,
) {
    let mut trouble = None;
    for id in &step.needs {
        let Some(outcome) = outcomes.get(id) else { continue };
        trouble = trouble.or(outcome.wait().await.clone());
    }
    // Of those that use each other in a circle one goes on without the other: it would wait for ever.
    let earlier = |used: &&PluginId| plan.step(used).is_some_and(|used| used.wave < step.wave);
    for id in step.uses.iter().filter(earlier) {
        if let Some(outcome) = outcomes.get(id) {
            outcome.wait().await;
        }
    }
    let done = match kernel.plugin(&step.id) {
        Ok(plugin) => ensure(kernel, &plugin, trouble.map_or(Ok(()), Err), brought).await,
        Err(error) => Err(error),
    };
    if let Some(outcome) = outcomes.get(&step.id) {
        let _ = outcome.set(done.err()).await;
    }
}

async fn ensure(kernel: &Arc<Inner>, plugin: &Arc<Plugin>, ready: Result<()>, brought: &Brought) -> Result<()> {
    let before = plugin.state();
    let done = match before {
        State::Running | State::Updating => return Ok(()),
        State::Loaded | State::Stopped => start(kernel, &plugin.id).await,
        _ => load_alone(kernel, plugin, true, ready, brought).await,
    };
    if done.is_ok() || plugin.state() == State::Failed {
        brought.note(&plugin.id, before);
    }
    // Somebody else may have been quicker.
    done.or_else(|error| if plugin.state() == State::Running { Ok(()) } else { Err(error) })
}

/// The plan for what is registered below a plugin.
fn below(kernel: &Arc<Inner>, root: &Manifest) -> Result<Plan> {
    let late = Instant::now() + defaults::RESOLVE_DEADLINE;
    let stop = move || if Instant::now() < late { Ok(()) } else { Err(too_long()) };
    let exactly = VersionRange::parse(&format!("={}", root.version)).unwrap_or_else(|_| VersionRange::any());
    let request = Request {
        platform: Some(&kernel.platform),
        stop: &stop,
        selection: kernel.selection,
        ..Request::new(vec![Requirement { id: root.id.clone(), range: exactly }])
    };
    Ok(resolve::resolve(&reachable(kernel, root), &request)?)
}

pub(crate) fn too_long() -> Error {
    let time = defaults::RESOLVE_DEADLINE;
    Error::new(Code::DeadlineExceeded, format!("versions that go together were not found within {time:?}"))
        .remedy("ask for narrower ranges, or for less at once")
}

/// What is registered and can be reached from a plugin. The plugin itself counts as loaded: whether it can run here is found
/// out when it is, and said better there.
fn reachable(kernel: &Inner, root: &Manifest) -> Available {
    let mut available = Available::new();
    let mut seen = BTreeSet::from([root.id.clone()]);
    let mut left: Vec<PluginId> = needs(root).map(|needed| needed.id.clone()).collect();
    available.add(root.id.clone(), Release::of(root, Standing::Loaded));
    while let Some(id) = left.pop() {
        let Ok(plugin) = kernel.plugin(&id) else { continue };
        if !seen.insert(id.clone()) {
            continue;
        }
        let release = release(&plugin);
        left.extend(release.dependencies.iter().map(|needed| needed.id.clone()));
        available.add(id, release);
    }
    available
}

/// A registered plugin as something to choose.
pub(crate) fn release(plugin: &Plugin) -> Release {
    let loaded = plugin.slot.core.generation().is_some();
    Release::of(&plugin.life().found.manifest, if loaded { Standing::Loaded } else { Standing::Installed })
}

/// The steps that come before a plugin: all but itself and what must have it.
fn before<'p>(plan: &'p Plan, root: &PluginId) -> Vec<&'p Step> {
    let mut after = BTreeSet::from([root]);
    // In the plan's order whatever is needed has been seen.
    let is_before = |step: &&Step| {
        let is_after = after.contains(&step.id) || step.needs.iter().any(|needed| after.contains(needed));
        if is_after {
            after.insert(plan.step(&step.id).map_or(root, |step| &step.id));
        }
        !is_after
    };
    plan.steps.iter().filter(is_before).collect()
}

/// Whether everything is there and runs that a plugin must have.
///
/// # Errors
/// `dependency_not_found {dependency}`, `version_mismatch {module, required, found}`, `not_running`.
pub(super) fn check(kernel: &Inner, manifest: &Manifest) -> Result<()> {
    for needed in needs(manifest).filter(|needed| !needed.optional) {
        let Some(state) = met(kernel, needed)? else { continue };
        if !matches!(state, State::Running | State::Updating) {
            return Err(Error::new(Code::NotRunning, format!("it needs `{}`, which is {state}", needed.id))
                .remedy(format!("start `{}` first", needed.id))
                .with("dependency", needed.id.as_str()));
        }
    }
    Ok(())
}

/// The state of what is needed, if it is registered in a version that fits; `None` for the host.
///
/// # Errors
/// `dependency_not_found {dependency}`, `version_mismatch {module, required, found}`.
pub(crate) fn met(kernel: &Inner, needed: &Dependency) -> Result<Option<State>> {
    if is_host(needed) {
        return matching(kernel.selection, needed, &CONTRACT_VERSION).map(|()| None);
    }
    let plugin = kernel.plugin(&needed.id).map_err(|_| missing(needed))?;
    let life = plugin.life();
    matching(kernel.selection, needed, &life.found.manifest.version).map(|()| Some(life.state))
}

fn matching(selection: Selection, needed: &Dependency, version: &midplane_contract::Version) -> Result<()> {
    let Dependency { id, version: range, .. } = needed;
    if selection.takes(range, version) {
        return Ok(());
    }
    Err(Error::new(Code::VersionMismatch, format!("it needs `{id}` {range}, found {version}"))
        .remedy(format!("install a version of `{id}` that fits {range}"))
        .with("module", id.as_str())
        .with("required", range.to_string())
        .with("found", version.to_string()))
}

fn missing(needed: &Dependency) -> Error {
    Error::new(Code::DependencyNotFound, format!("it needs `{}`, which is not there", needed.id))
        .remedy(format!("register `{}` {} first", needed.id, needed.version))
        .with("dependency", needed.id.as_str())
}

/// What counts for those who use a plugin.
pub(crate) fn needs(manifest: &Manifest) -> impl Iterator<Item = &Dependency> {
    manifest.dependencies.iter().filter(|needed| needed.kind != DependencyKind::Dev)
}

fn is_host(needed: &Dependency) -> bool {
    needed.id.as_str() == "core"
}
