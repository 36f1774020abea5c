//! Where a check happens: a kernel, a folder, and the subject.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use midplane_contract::{Error, PluginId, Result, SecretRef, State};
use midplane_kernel::{Action, CallOptions, Kernel, Policy, block_on};

use super::Subject;
use crate::waiting::eventually_within;
use crate::{PluginFolder, Scratch, log};

/// A kernel with the subject's runtime and a folder for its plugins.
pub struct Site<'s> {
    /// The kernel.
    pub kernel: Kernel,
    /// What is checked.
    pub subject: &'s dyn Subject,
    scratch: Scratch,
    number: u64,
}

impl<'s> Site<'s> {
    pub(super) fn new(subject: &'s dyn Subject) -> std::io::Result<Self> {
        static SITES: AtomicU64 = AtomicU64::new(0);
        if !log::listen() {
            return Err(std::io::Error::other("another listener has the log of this process"));
        }
        let number = SITES.fetch_add(1, Ordering::Relaxed);
        let scratch = Scratch::new("conformance")?;
        let place = scratch.path().join("secret");
        std::fs::write(&place, "an open secret")?;
        let secrets = [("transcript".to_owned(), SecretRef::File(place))].into();
        let kernel = subject.kernel(&scratch.path().join("cache")).secrets(secrets).build();
        Ok(Self { kernel, subject, scratch, number })
    }

    /// The folder that plugins and the cache lie in.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.scratch.path().to_path_buf()
    }

    /// Writes the plugin's folder; over an older version, as an author's build does.
    pub(super) fn write(&self, id: &str, version: u8) -> Result<PathBuf, String> {
        self.subject.plugin(id, version).write(self.scratch.path()).map_err(|error| format!("writing {id}: {error}"))
    }

    /// Registers the plugin under a policy.
    pub(super) fn register(&self, id: &str, policy: Policy) -> Result<PluginId, String> {
        self.register_folder(&self.subject.plugin(id, 1), policy)
    }

    fn register_folder(&self, folder: &PluginFolder, policy: Policy) -> Result<PluginId, String> {
        let path = folder.write(self.scratch.path()).map_err(|error| format!("writing {}: {error}", folder.id()))?;
        let id = PluginId::new(folder.id()).map_err(|error| error.to_string())?;
        self.kernel.set_policy(&id, policy);
        block_on(self.kernel.register(path)).map_err(told)
    }

    /// Registers, loads and starts it.
    pub(super) fn load(&self, id: &str) -> Result<PluginId, String> {
        self.load_with(id, self.subject.policy())
    }

    /// The same under another policy.
    pub(super) fn load_with(&self, id: &str, policy: Policy) -> Result<PluginId, String> {
        let id = self.register(id, policy)?;
        block_on(self.kernel.load(&id)).map_err(told)?;
        Ok(id)
    }

    /// Registers, loads and starts a plugin whose manifest says more than the subject's.
    pub(super) fn load_folder(&self, folder: &PluginFolder, policy: Policy) -> Result<PluginId, String> {
        let id = self.register_folder(folder, policy)?;
        block_on(self.kernel.load(&id)).map_err(told)?;
        Ok(id)
    }

    /// A handle for an action.
    pub(super) fn action(&self, id: &PluginId, action: &str) -> Result<Action, String> {
        self.kernel.action(&format!("{id}/{action}")).map_err(told)
    }

    /// Calls as a future.
    pub(super) fn call(&self, id: &PluginId, action: &str, input: impl Into<Vec<u8>>) -> Result<Vec<u8>, Error> {
        block_on(self.kernel.call(&format!("{id}/{action}"), input))
    }

    /// That an echo comes back, through a future and on this thread.
    pub(super) fn echoes(&self, id: &PluginId, input: &[u8]) -> Result<(), String> {
        let reply = self.call(id, "echo", input).map_err(told)?;
        super::ensure!(reply == input, "a call brought back {} bytes instead of the {} sent", reply.len(), input.len());
        let mut reply = Vec::new();
        self.action(id, "echo")?.call_inline(input, &mut reply).map_err(told)?;
        super::ensure!(reply == input, "call_inline brought back {} bytes, not the {} sent", reply.len(), input.len());
        Ok(())
    }

    /// Time for what should happen at once.
    pub(super) fn patient(&self) -> CallOptions {
        CallOptions::within(self.subject.patience())
    }

    /// Whether something comes to be.
    pub(super) fn eventually(&self, holds: impl FnMut() -> bool) -> bool {
        eventually_within(self.subject.patience(), holds)
    }

    /// An id that no other site of this process has.
    pub(super) fn unique(&self, id: &str) -> String {
        format!("{id}-{}", self.number)
    }

    /// Whether a plugin has written this line to its log.
    pub(super) fn hears(&self, id: &PluginId, line: &str) -> bool {
        log::heard(id.as_str(), line)
    }

    /// The plugin's state.
    pub(super) fn state(&self, id: &PluginId) -> Result<State, String> {
        self.kernel.status(id).map(|status| status.state).map_err(told)
    }

    /// That it answers again: by itself, or after a restart where it has failed or gone away.
    pub(super) fn comes_back(&self, id: &PluginId) -> Result<(), String> {
        let echo = self.action(id, "echo")?;
        let answers = || block_on(echo.call_with("again", self.patient())).is_ok_and(|reply| reply == b"again");
        // What broke has failed; what has gone away is stopped. A service may be on its way back.
        let down = || self.state(id).is_ok_and(|state| matches!(state, State::Failed | State::Stopped));
        let mut again = false;
        let settled = self.eventually(|| {
            again = answers();
            again || down()
        });
        super::ensure!(settled, "it neither answers nor has failed or gone: {:?}", self.state(id));
        if again {
            return Ok(());
        }
        block_on(self.kernel.restart(id)).map_err(told)?;
        self.echoes(id, b"again")
    }
}

/// An error as text, with everything that a reader of a failed test needs.
pub(super) fn told(error: Error) -> String {
    let record = error.record();
    let causes = if record.cause.is_empty() { String::new() } else { format!(" because {}", record.cause.join(", ")) };
    format!("{error} ({}, {:?}){causes}", record.kind, record.data)
}
