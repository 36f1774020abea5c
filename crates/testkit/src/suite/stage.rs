//! Where a plugin is tested: a kernel that can be thrown away, and the plugin in it.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use midplane_contract::{Code, Error, PluginId, Result, State};
use midplane_kernel::{CallOptions, Kernel, Policy, Status, block_on};
use serde_json::{Map, Value};

use super::Setting;
use super::limit::within;

/// Longest time for a plugin to be loaded: time enough to compile, or to install what it depends on.
const LOAD: Duration = Duration::from_secs(180);
/// Longest time for it to be unloaded: calls in flight get 10 s, and its hooks as much each.
const UNLOAD: Duration = Duration::from_secs(40);
/// How much later than its deadline a call may come back.
const GRACE: Duration = Duration::from_secs(5);

/// A kernel with the plugin registered.
pub(super) struct Stage {
    setting: Setting,
    kernel: Kernel,
    id: PluginId,
    others: Vec<PluginId>,
    /// Something in this kernel did not come back: another one is needed before anything else is tried.
    stuck: bool,
}

impl Stage {
    /// Makes a kernel and registers the plugin, and those that are to be there beside it.
    ///
    /// # Errors
    /// What registering says; `plugin_not_found` for a policy about a plugin that is not there.
    pub(super) fn open(setting: &Setting) -> Result<Self> {
        let kernel = (setting.kernel)().build();
        let register = |path: PathBuf| {
            let kernel = kernel.clone();
            within(LOAD, move || block_on(kernel.register(path))).unwrap_or_else(|| Err(lost("registering it", LOAD)))
        };
        let others = setting.others.iter().cloned().map(register).collect::<Result<Vec<_>>>()?;
        let id = register(setting.path.clone())?;
        for (named, policy) in &setting.policies {
            if named != &id && !others.contains(named) {
                let known: Vec<&str> = std::iter::once(&id).chain(&others).map(PluginId::as_str).collect();
                return Err(Error::new(Code::PluginNotFound, format!("there is no plugin `{named}` here"))
                    .remedy(format!("the plugins here are: {}", known.join(", "))));
            }
            kernel.set_policy(named, policy.clone());
        }
        Ok(Self { setting: setting.clone(), kernel, id, others, stuck: false })
    }

    /// The plugin that is tested.
    pub(super) fn id(&self) -> &PluginId {
        &self.id
    }

    /// The kernel of the moment.
    pub(super) fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// A snapshot of the plugin.
    pub(super) fn status(&self) -> Result<Status> {
        self.kernel.status(&self.id)
    }

    /// Whether the plugin runs.
    pub(super) fn runs(&self) -> bool {
        self.status().is_ok_and(|status| status.state == State::Running)
    }

    /// The operator's word on the plugin, with a configuration laid over.
    pub(super) fn policy(&self, config: &Map<String, Value>) -> Policy {
        let mut policy = self.setting.policies.get(&self.id).cloned().unwrap_or_default();
        policy.config.extend(config.iter().map(|(key, value)| (key.clone(), value.clone())));
        policy
    }

    /// Loads the plugin anew with this configuration, whatever state it is in.
    ///
    /// # Errors
    /// What loading says; `deadline_exceeded` when it does not come back.
    pub(super) fn fresh(&mut self, config: &Map<String, Value>) -> Result<()> {
        self.clear()?;
        self.kernel.set_policy(&self.id, self.policy(config));
        for other in self.others.clone() {
            self.operate("loading a plugin beside it", LOAD, move |kernel, _| block_on(kernel.ensure_loaded(&other)))?;
        }
        self.operate("loading", LOAD, |kernel, id| match block_on(kernel.load(&id)) {
            Err(error) if error.code() == Code::AlreadyLoaded => block_on(kernel.ensure_loaded(&id)),
            done => done,
        })
    }

    /// Unloads the plugin, so that the next load is a fresh one. A kernel that cannot is replaced by another. Where a call
    /// cannot be ended this takes as long as calls in flight may take.
    ///
    /// # Errors
    /// What making another kernel says.
    pub(super) fn clear(&mut self) -> Result<()> {
        let state = self.status().map(|status| status.state);
        if !self.stuck && matches!(state, Ok(State::Registered | State::Resolved | State::Discovered)) {
            return Ok(());
        }
        if !self.stuck && self.unload().is_ok() {
            return Ok(());
        }
        let fresh = Self::open(&self.setting)?;
        let old = std::mem::replace(self, fresh);
        // Taking leave of a kernel that is held up may take for ever.
        thread::spawn(move || drop(old));
        Ok(())
    }

    /// Unloads the plugin.
    ///
    /// # Errors
    /// What unloading says; `deadline_exceeded` when it does not come back.
    pub(super) fn unload(&mut self) -> Result<()> {
        self.operate("unloading", UNLOAD, |kernel, id| block_on(kernel.unload(&id)))
    }

    /// Does something with the kernel, and gives up on it after a time.
    ///
    /// # Errors
    /// What is done says; `deadline_exceeded` when it does not come back.
    pub(super) fn operate<T: Send + 'static>(
        &mut self,
        what: &str,
        time: Duration,
        work: impl FnOnce(Kernel, PluginId) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (kernel, id) = (self.kernel.clone(), self.id.clone());
        within(time, move || work(kernel, id)).unwrap_or_else(|| {
            self.stuck = true;
            Err(lost(what, time).plugin(&self.id))
        })
    }

    /// Calls an action, of the plugin under test unless another is named.
    ///
    /// # Errors
    /// As calls have them; `deadline_exceeded` also where the runtime does not give the call back.
    pub(super) fn call(
        &mut self,
        plugin: Option<&PluginId>,
        action: &str,
        input: Vec<u8>,
        time: Duration,
    ) -> Result<Vec<u8>> {
        let address = format!("{}/{action}", plugin.unwrap_or(&self.id));
        let action = self.kernel.action(&address)?;
        self.operate("the call", time.saturating_add(GRACE), move |_, _| {
            block_on(action.call_with(input, CallOptions::within(time)))
        })
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.stuck {
            return;
        }
        let kernel = self.kernel.clone();
        // What has not ended by then ends with the process.
        let _ = within(UNLOAD, move || block_on(kernel.shutdown()));
    }
}

fn lost(what: &str, time: Duration) -> Error {
    let message = format!("{what} has not come back within {} s and was given up", time.as_secs());
    Error::new(Code::DeadlineExceeded, message).remedy("look at what the plugin waits for")
}
