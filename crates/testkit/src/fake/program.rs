//! What a fake plugin does: closures by action and hook.

use std::sync::Arc;

use midplane_contract::{ActionName, Hook, PluginInfo, Result};
use midplane_kernel::Reply;

use super::desk::Desk;
use crate::gate::Gate;

pub(crate) type ActionFn = dyn Fn(&mut Desk<'_>, &[u8], &mut Reply<'_>) -> Result<()> + Send + Sync;
pub(crate) type HookFn = dyn Fn(&mut Desk<'_>, &[u8]) -> Result<Vec<u8>> + Send + Sync;

/// The actions and hooks of a fake plugin. Cheap to clone.
#[derive(Clone, Default)]
pub struct Program {
    pub(crate) names: Vec<ActionName>,
    pub(crate) actions: Vec<Deed>,
    pub(crate) hooks: Vec<(Hook, Arc<HookFn>)>,
    pub(crate) futures: bool,
    pub(crate) info: PluginInfo,
}

/// What an action does.
#[derive(Clone)]
pub(crate) enum Deed {
    /// Runs to its end without waiting for anybody.
    Quick(Arc<ActionFn>),
    /// May wait; never polled as a future.
    Waiting(Arc<ActionFn>),
    /// Never ends by itself.
    Hang,
}

impl Program {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers `echo` with what it is given.
    #[must_use]
    pub fn echoing() -> Self {
        Self::new().action("echo", |_, input, reply| reply.write(input))
    }

    /// An action that waits for nobody.
    #[must_use]
    pub fn action(
        self,
        name: &str,
        run: impl Fn(&mut Desk<'_>, &[u8], &mut Reply<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.deed(name, Deed::Quick(Arc::new(run)))
    }

    /// An action that may wait: at a gate, for another plugin, for whoever reads its chunks.
    #[must_use]
    pub fn waiting(
        self,
        name: &str,
        run: impl Fn(&mut Desk<'_>, &[u8], &mut Reply<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.deed(name, Deed::Waiting(Arc::new(run)))
    }

    /// An action that never ends by itself.
    #[must_use]
    pub fn hang(self, name: &str) -> Self {
        self.deed(name, Deed::Hang)
    }

    /// A hook; its answer is what it returns.
    #[must_use]
    pub fn hook(
        mut self,
        hook: Hook,
        run: impl Fn(&mut Desk<'_>, &[u8]) -> Result<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.retain(|(known, _)| *known != hook);
        self.hooks.push((hook, Arc::new(run)));
        self
    }

    /// A hook that waits at a gate and has nothing to say.
    #[must_use]
    pub fn waits_in(self, hook: Hook, gate: &Gate) -> Self {
        let gate = gate.clone();
        self.hook(hook, move |desk, _| desk.wait_at(&gate).map(|()| Vec::new()))
    }

    /// What the code says of itself.
    #[must_use]
    pub fn info(mut self, info: PluginInfo) -> Self {
        self.info = info;
        self
    }

    /// Calls of quick and hanging actions are futures, as WebAssembly's are, instead of blocking a thread.
    #[must_use]
    pub fn with_futures(mut self) -> Self {
        self.futures = true;
        self
    }

    /// Names that cannot be an action's are left out.
    fn deed(mut self, name: &str, deed: Deed) -> Self {
        if let Ok(name) = ActionName::new(name) {
            self.names.push(name);
            self.actions.push(deed);
        }
        self
    }
}
