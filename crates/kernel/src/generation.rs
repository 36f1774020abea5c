//! One loaded version of a plugin: its code and everything that was decided for it at load.

use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use midplane_contract::{
    ActionName, Code, Error, Hook, InstanceMode, Instances, Manifest, Placement, PluginId, Result, RuntimeKind, Trust,
};

use crate::availability::Told;
use crate::call::Caller;
use crate::host::{Fetching, Given};
use crate::runtime::{Code as LoadedCode, Host};
use crate::secret::mask_error;

/// One loaded version of a plugin.
pub(crate) struct Generation {
    pub(crate) number: u64,
    pub(crate) plugin: PluginId,
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) folder: PathBuf,
    pub(crate) code: Arc<dyn LoadedCode>,
    pub(crate) runtime: RuntimeKind,
    pub(crate) placement: Placement,
    pub(crate) trust: Trust,
    /// The effective configuration as JSON, as `init` gets it. Changes live.
    pub(crate) config: RwLock<Arc<[u8]>>,
    /// Makes the kernel's side of the host API for one instance.
    pub(crate) host: Arc<dyn Fn() -> Arc<dyn Host> + Send + Sync>,
    /// What its instances fetch just now.
    pub(crate) fetching: Arc<Fetching>,
    /// The host's errors that its plugin was given.
    pub(crate) given: Arc<Given>,
    /// Instances made so far; the next one's number.
    pub(crate) made: AtomicU32,
    pub(crate) instances: Instances,
    pub(crate) times: Times,
    /// Calls that may wait.
    pub(crate) queue: usize,
    /// Largest payload, request or reply.
    pub(crate) payload: usize,
    pub(crate) load_time: Duration,
    /// What its instances know of their optional dependencies.
    pub(crate) told: Told,
}

/// The time limits of a generation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) call: Duration,
    pub(crate) hook: Duration,
    pub(crate) probe: Duration,
    /// What calls in flight get when it ends.
    pub(crate) drain: Duration,
}

impl Generation {
    /// The effective configuration as JSON.
    pub(crate) fn config(&self) -> Arc<[u8]> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// `native/worker` and the like, for error records and status.
    pub(crate) fn runtime_label(&self) -> String {
        format!("{}/{}", self.runtime, self.placement)
    }

    /// Adds what an instance cannot know to its error, and takes out what nobody else is to know.
    #[cold]
    pub(crate) fn sign(&self, error: Error) -> Error {
        mask_error(self.given.passed_on(error))
            .plugin(&self.plugin)
            .runtime(self.runtime_label())
            .generation(self.number)
    }

    /// Whether its code has this hook.
    pub(crate) fn has(&self, hook: Hook) -> bool {
        self.code.facts().hooks.contains(&hook)
    }

    /// The longest that a call of this action may take.
    pub(crate) fn call_time(&self, action: &ActionName) -> Duration {
        let own = self.manifest.actions.iter().find(|spec| &spec.name == action).and_then(|spec| spec.deadline_ms);
        own.map_or(self.times.call, Duration::from_millis)
    }

    /// Whether its code may ever wait for other plugins, or for the network: nothing undeclared can be granted.
    pub(crate) fn may_wait_for_others(&self) -> bool {
        let waits = |name: &str| ["plugin.", "service.", "bus.", "network."].iter().any(|area| name.starts_with(area));
        self.manifest.permissions.iter().any(|declared| !declared.denies() && waits(&declared.name()))
    }

    /// A plugin all of whose instances wait for somebody cannot answer it: say so instead of waiting for the deadline.
    ///
    /// # Errors
    /// `call_cycle {chain}` when this is an actor, or a pool with no more instances than wait in that chain.
    pub(crate) fn refuse_cycle(&self, caller: &Arc<Caller>) -> Result<()> {
        let able = match self.instances.mode {
            InstanceMode::Actor => 1,
            InstanceMode::Pool => self.instances.max as usize,
        };
        if caller.chain().filter(|link| link.plugin == self.plugin).count() < able {
            return Ok(());
        }
        let mut chain: Vec<String> = caller.chain().map(|link| link.plugin.to_string()).collect();
        chain.reverse();
        chain.push(self.plugin.to_string());
        let message = format!("the call comes back to a plugin that waits for it: {}", chain.join(" → "));
        Err(Error::new(Code::CallCycle, message)
            .remedy("break the cycle, or make the plugin a pool with more instances")
            .with("chain", chain))
    }

    /// Whether callers may use an action: the manifest's list rules where it has one.
    pub(crate) fn offers(&self, action: &ActionName) -> bool {
        let declared = &self.manifest.actions;
        declared.is_empty() || declared.iter().any(|spec| &spec.name == action)
    }

    /// What it can do, in an application's own words: what its manifest says, and its code beside that.
    pub(crate) fn capabilities(&self) -> impl Iterator<Item = &str> {
        let declared = &self.manifest.capabilities;
        let own = self.code.facts().info.capabilities.iter().filter(|own| !declared.contains(own));
        declared.iter().chain(own).map(String::as_str)
    }

    /// The actions that callers may use, in the code's order.
    pub(crate) fn actions(&self) -> impl Iterator<Item = (u32, &ActionName)> {
        (0u32..).zip(&self.code.facts().actions).filter(|(_, name)| self.offers(name))
    }
}
