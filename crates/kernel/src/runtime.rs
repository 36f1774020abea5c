//! The seam between the kernel and whatever executes code.
//!
//! A [`Runtime`] turns a [`LoadRequest`] into [`Code`]; code makes [`Instance`]s; the kernel owns the instances,
//! decides who calls which when, and runs the hooks. Everything here may block unless it says otherwise: the kernel
//! calls it on threads that may. The one exception is [`Instance::call`], which must not block.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use midplane_contract::{
    ActionName, Error, Hook, HostFunction, Instances, Limits, Manifest, Placement, PluginId, PluginInfo, Result,
    RuntimeKind, Trust,
};

use crate::call::{Call, Reply, Scope};

/// A future that an instance hands out.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Executes one kind of code in one placement.
pub trait Runtime: Send + Sync + 'static {
    /// What it serves. One runtime per pair is registered with a kernel.
    fn serves(&self) -> (RuntimeKind, Placement);

    /// The names of those limits that are set and that this runtime cannot hold (`memory`, `cpu`, …).
    fn unenforceable(&self, limits: &Limits) -> Vec<&'static str>;

    /// Reads, verifies and loads the code: everything up to, not including, the first instance. No hook but `info` runs.
    ///
    /// # Errors
    /// What exactly is wrong with the file, by code: `not_a_plugin`, `wrong_architecture`, `missing_symbol`, …
    fn load(&self, request: &LoadRequest) -> Result<Arc<dyn Code>>;
}

/// What is to be loaded, with everything decided: placement, limits, configuration.
#[derive(Debug, Clone)]
pub struct LoadRequest {
    /// The manifest; of a bare file, one made up from its name with no actions.
    pub manifest: Arc<Manifest>,
    /// The plugin's folder, absolute.
    pub folder: PathBuf,
    /// The code, absolute and known to be inside the folder.
    pub main: PathBuf,
    /// The generation that this will be.
    pub generation: u64,
    /// Where it runs.
    pub placement: Placement,
    /// How far it is trusted.
    pub trust: Trust,
    /// The limits in effect.
    pub limits: Limits,
    /// How many instances there can be.
    pub instances: Instances,
    /// A folder that only this user may write, for copies and compiled code. May not exist yet.
    pub cache: PathBuf,
}

/// One loaded version of a plugin's code. Dropping it unloads it, as far as [`CodeFacts::stays_loaded`] says.
pub trait Code: Send + Sync {
    /// What the code is and offers.
    fn facts(&self) -> &CodeFacts;

    /// What is worth showing just now beside [`CodeFacts::details`]: connections, their states and counts.
    fn details(&self) -> serde_json::Map<String, serde_json::Value> {
        serde_json::Map::new()
    }

    /// Makes one more instance. No hook has run on it yet.
    fn instantiate(&self, context: InstanceContext) -> Result<Box<dyn Instance>>;
}

/// What a piece of code is and offers.
#[derive(Debug, Clone, Default)]
pub struct CodeFacts {
    /// What the code says of itself; empty where it has no `info` hook.
    pub info: PluginInfo,
    /// The actions that the code answers, in the code's order: [`Call::action`] is a position in this list.
    /// Manifest actions that the code resolves by name are in it.
    pub actions: Vec<ActionName>,
    /// The hooks that the code has. Of those of the lifecycle, from `validate_config` to `cleanup`, the kernel runs no
    /// others.
    pub hooks: Vec<Hook>,
    /// Identity of the code that was really loaded: a hash, or the linker's build id.
    pub build_id: String,
    /// `None` when dropping the code removes it from memory; otherwise the reason it stays. The kernel then puts the
    /// next generation into a worker of its own.
    pub stays_loaded: Option<String>,
    /// Anything worth showing under `inspect`: exports, sections, process ids.
    pub details: serde_json::Map<String, serde_json::Value>,
}

/// What an instance is told about itself.
#[derive(Clone)]
pub struct InstanceContext {
    /// The plugin.
    pub plugin: PluginId,
    /// The plugin's version, as text.
    pub version: String,
    /// The generation it belongs to.
    pub generation: u64,
    /// Its number within the generation, from 0.
    pub number: u32,
    /// Its way to the kernel.
    pub host: Arc<dyn Host>,
}

/// One live copy of a plugin's code. The kernel gives it one call or hook at a time.
pub trait Instance: Send {
    /// Runs one call on this thread and appends the reply.
    ///
    /// Where the engine can be interrupted, `call.scope.deadline` ends it with `deadline_exceeded`, and
    /// [`Interrupt::interrupt`] with `cancelled`; elsewhere it runs to its end.
    ///
    /// # Errors
    /// `plugin_error` for the plugin's own errors, `trapped`, `panicked`, `crashed`, `deadline_exceeded`, … The kernel
    /// adds plugin, runtime, action and generation.
    fn call_inline(&mut self, call: &Call<'_>, reply: &mut Reply<'_>) -> Result<()>;

    /// Runs one call as a future that never blocks and never runs longer than a few milliseconds between two yields.
    /// `None` means that this instance blocks: the kernel then runs [`Instance::call_inline`] on a thread of its own.
    ///
    /// The kernel keeps the deadline and drops the future when it passes or the caller gives up.
    fn call<'a>(&'a mut self, _call: &'a Call<'a>, _reply: &'a mut Reply<'_>) -> Option<BoxFuture<'a, Result<()>>> {
        None
    }

    /// Runs a hook. `Ok(None)` means that the plugin has no such hook.
    ///
    /// # Errors
    /// As for calls. `scope.deadline` holds as for calls; a hook that blocks beyond it is interrupted and abandoned.
    fn hook(&mut self, hook: Hook, input: &[u8], scope: &Scope) -> Result<Option<Vec<u8>>>;

    /// A way to stop what this instance is doing, from another thread. `None` where there is none.
    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        None
    }

    /// What the instance is good for after a call.
    fn condition(&self) -> Condition {
        Condition::Ready
    }

    /// Waits until the condition is no longer [`Condition::Settling`], which must not take long: who does not end a
    /// call that was given up is ended.
    fn settle(&mut self) {}

    /// Memory in use, in bytes, where it can be known.
    fn memory(&self) -> Option<u64> {
        None
    }
}

/// Stops a running call or hook of one instance. Never touches a sibling, never blocks.
pub trait Interrupt: Send + Sync {
    /// Asks for the end of whatever runs; nothing happens when nothing runs.
    fn interrupt(&self);

    /// Whether code that runs is ended, and not only what it waits for at the host.
    fn ends_code(&self) -> bool {
        true
    }
}

/// What an instance is good for.
#[derive(Debug, Clone)]
pub enum Condition {
    /// The next call.
    Ready,
    /// Soon the next call, or nothing: a call that was given up still has to end, in another process. The kernel waits
    /// with [`Instance::settle`] on a thread of its own and asks again; callers queue meanwhile.
    Settling,
    /// Nothing; the kernel drops it and makes another when one is needed (a trap left its memory in doubt).
    Spent(Error),
    /// Nothing, and the code behind it is gone as well (its process died): the plugin has failed.
    Dead(Error),
}

/// The kernel's side of the host API, bound to one instance. Blocks until answered.
pub trait Host: Send + Sync {
    /// Asks the kernel for something, within the call or hook that is running.
    ///
    /// # Errors
    /// `permission_denied`, `not_supported`, and what the function itself says.
    fn request(&self, within: &Within<'_>, request: &HostRequest<'_>) -> Result<Vec<u8>>;

    /// Says that the call or hook that runs was told to stop: what the host does for it and takes long, ends with
    /// `cancelled`. Never blocks.
    fn interrupted(&self) {}

    /// Says that the instance died while nobody was calling it.
    fn lost(&self, cause: Error);
}

/// What the plugin was doing when it asked.
#[derive(Debug, Clone, Copy)]
pub struct Within<'a> {
    /// The scope of the call or hook.
    pub scope: &'a Scope,
    /// The action, `None` in hooks and background work.
    pub action: Option<&'a str>,
}

/// One use of the host API.
#[derive(Debug, Clone, Copy)]
pub struct HostRequest<'a> {
    /// Which function.
    pub function: HostFunction,
    /// Its arguments, a JSON object (at most 64 KiB); empty means `{}`.
    pub args: &'a str,
    /// Its bytes, if it takes any.
    pub payload: &'a [u8],
}
