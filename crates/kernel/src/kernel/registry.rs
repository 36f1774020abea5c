//! The part of the kernel's face that is about what is registered: by which names, in which states, able to do what.

use std::cmp::Reverse;
use std::path::Path;
use std::sync::Arc;

use midplane_contract::{Code, Error, PluginId, Result, State};

use super::Kernel;
use super::inner::registered;
use crate::plugin::Plugin;

impl Kernel {
    /// The id of a registered plugin that is named by it, or by a path: of its folder, its manifest or its code.
    ///
    /// # Errors
    /// `plugin_not_found`, naming what is registered.
    pub fn id_of(&self, name: impl AsRef<Path>) -> Result<PluginId> {
        let name = name.as_ref();
        if let Some(plugin) = name.to_str().and_then(|id| self.inner.plugin(&PluginId::new(id).ok()?).ok()) {
            return Ok(plugin.id.clone());
        }
        let real = name.canonicalize().ok();
        let stands_at = |plugin: &Arc<Plugin>| {
            let life = plugin.life();
            let found = &life.found;
            // A manifest stands in the folder itself, and names one plugin.
            real.as_ref().is_some_and(|real| {
                *real == found.main
                    || (!found.bare
                        && (*real == found.folder || is_manifest(real) && real.parent() == Some(&found.folder)))
            })
        };
        let found = self.inner.plugins().into_iter().find(stands_at);
        found.map(|plugin| plugin.id.clone()).ok_or_else(|| {
            let plugins = self.inner.plugins();
            Error::new(Code::PluginNotFound, format!("there is no plugin with the id or path {}", name.display()))
                .remedy(registered(plugins.iter().map(|plugin| &plugin.id)))
        })
    }

    /// Brings a plugin into a state: `registered` unloads it, `loaded` loads it without starting it, `running` loads or
    /// starts it, `stopped` stops it. One that is in that state already stays as it is.
    ///
    /// # Errors
    /// `invalid_input` for a state that no operation ends in; a `state` error where it cannot be reached from the one
    /// that it is in; those of the operation.
    pub async fn set_state(&self, id: &PluginId, state: State) -> Result<()> {
        let is = self.inner.plugin(id)?.state();
        match (is, state) {
            (is, state) if is == state => Ok(()),
            (_, State::Registered) => self.unload(id).await,
            (_, State::Loaded) => self.load_stopped(id).await,
            (State::Loaded | State::Stopped, State::Running) => self.start(id).await,
            (_, State::Running) => self.load(id).await,
            (_, State::Stopped) => self.stop(id).await,
            (_, state) => Err(Error::new(Code::InvalidInput, format!("a plugin cannot be brought to be {state}"))
                .remedy("set it to registered, loaded, running or stopped; the other states come by themselves")
                .plugin(id)),
        }
    }

    /// The plugins that run and declare a capability, in their manifests or their code, the highest priority first.
    #[must_use]
    pub fn capable(&self, capability: &str) -> Vec<PluginId> {
        let can = |plugin: &Arc<Plugin>| {
            let generation =
                plugin.slot.core.generation().filter(|_| matches!(plugin.state(), State::Running | State::Updating));
            generation.is_some_and(|generation| generation.capabilities().any(|known| known == capability))
        };
        let mut capable: Vec<PluginId> =
            self.inner.plugins().into_iter().filter(can).map(|plugin| plugin.id.clone()).collect();
        capable.sort_by_key(|id| Reverse(self.inner.priority(id)));
        capable
    }
}

fn is_manifest(path: &Path) -> bool {
    path.file_name().is_some_and(|name| midplane_contract::manifest::FILE_NAMES.iter().any(|known| name == *known))
}
