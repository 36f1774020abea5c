//! What is done to plugins: loading, starting, stopping, replacing, configuring, asking how they are.

use std::path::Path;
use std::sync::Arc;

use midplane_contract::{Code, Health, PluginId, Result, State};
use serde_json::{Map, Value};

use super::Kernel;
use crate::lasting::to_its_end;
use crate::{operate, probe};

impl Kernel {
    /// Loads and starts a registered plugin, with the plugins it depends on.
    ///
    /// # Errors
    /// `already_loaded`, and everything that can go wrong on the way; the plugin is then `failed` with that cause.
    /// As with every operation of a kernel: dropping the future lets it go on to its end, unwatched.
    pub async fn load(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::load(&kernel, &id, true).await }).await
    }

    /// Loads a registered plugin without starting it.
    ///
    /// # Errors
    /// As [`Kernel::load`].
    pub async fn load_stopped(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::load(&kernel, &id, false).await }).await
    }

    /// [`Kernel::load`] unless the plugin runs already.
    ///
    /// # Errors
    /// As [`Kernel::load`], but never `already_loaded`.
    pub async fn ensure_loaded(&self, id: &PluginId) -> Result<()> {
        match self.load(id).await {
            Err(error) if error.code() == Code::AlreadyLoaded => self.ensure_started(id).await,
            done => done,
        }
    }

    async fn ensure_started(&self, id: &PluginId) -> Result<()> {
        match self.inner.plugin(id)?.state() {
            State::Loaded | State::Stopped => self.start(id).await,
            _ => Ok(()),
        }
    }

    /// Registers and loads in one step, and returns the id. When loading fails the plugin is not registered either.
    ///
    /// # Errors
    /// As [`Kernel::register`] and [`Kernel::load`].
    pub async fn load_path(&self, path: impl AsRef<Path>) -> Result<PluginId> {
        let id = self.register(path).await?;
        match self.load(&id).await {
            Ok(()) => Ok(id),
            Err(error) => {
                // The load has already undone itself; what is left is the record.
                let _ = self.unload(&id).await;
                let _ = self.unregister(&id).await;
                Err(error)
            }
        }
    }

    /// Starts a plugin that is loaded or stopped, after what it needs and has gone meanwhile.
    ///
    /// # Errors
    /// `state` errors, and why what it needs cannot be had; what its `start` hook says, and the plugin is then `failed`.
    pub async fn start(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::start(&kernel, &id).await }).await
    }

    /// Stops a running plugin: calls in flight end first (10 s at most, or [`Builder::drain`](super::Builder::drain)), new ones
    /// get `not_running`.
    ///
    /// # Errors
    /// `state` errors. What the `stop` hook says is logged and kept as the last error.
    pub async fn stop(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::stop(&kernel, &id).await }).await
    }

    /// Stops if needed, and starts. A failed plugin is loaded anew.
    ///
    /// # Errors
    /// As [`Kernel::stop`], [`Kernel::start`] and [`Kernel::load`].
    pub async fn restart(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::restart(&kernel, &id).await }).await
    }

    /// Stops if needed, cleans up and unloads. The plugin stays registered.
    ///
    /// # Errors
    /// `not_loaded`, `has_dependents {dependents}`. What hooks say is logged and unloading goes on.
    pub async fn unload(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::unload(&kernel, &id).await }).await
    }

    /// Reads the plugin's folder again and replaces the running generation by what is there now. The old one serves
    /// until the new one is started; its calls in flight end on it. A plugin that does not run is loaded.
    ///
    /// # Errors
    /// Whatever is wrong with the new one; the old one then goes on serving.
    pub async fn reload(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::reload(&kernel, &id).await }).await
    }

    /// Stops a plugin and keeps it from being started until it is enabled.
    ///
    /// # Errors
    /// `plugin_not_found`, and those of [`Kernel::stop`].
    pub async fn disable(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::disable(&kernel, &id).await }).await
    }

    /// Undoes [`Kernel::disable`], and starts the plugin if it is loaded.
    ///
    /// # Errors
    /// As [`Kernel::start`].
    pub async fn enable(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::enable(&kernel, &id).await }).await
    }

    /// Changes the configuration of a plugin while it runs: checked against its schema and by itself, then handed to
    /// every instance, one change after the other. Missing hooks mean accepted. A value `{secret: env:NAME}`, `file:PATH` or
    /// the name of a secret of [`Builder::secrets`](super::Builder::secrets) stands for that secret.
    ///
    /// # Errors
    /// `config_invalid` with every fault and its path; the old configuration then stays.
    pub async fn update_config(&self, id: &PluginId, config: Map<String, Value>) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { probe::update_config(&kernel, &id, config).await }).await
    }

    /// Reads the secrets in a plugin's configuration anew and, where one has changed, hands it over as
    /// [`Kernel::update_config`] does. Nothing is kept: it is the configuration that it has. Says whether one had changed.
    ///
    /// # Errors
    /// Those of [`Kernel::update_config`]; the secrets that it had then stay.
    pub async fn renew_secrets(&self, id: &PluginId) -> Result<bool> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { probe::renew_secrets(&kernel, &id).await }).await
    }

    /// The configuration in effect, asked of the plugin where it has a `get_config` hook. Stars stand for secrets.
    ///
    /// # Errors
    /// `not_loaded`, `plugin_not_found`.
    pub async fn config(&self, id: &PluginId) -> Result<Value> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { probe::config(&kernel, &id).await }).await
    }

    /// Asks a plugin how it is. Without a `health` hook a plugin that answers is healthy.
    ///
    /// # Errors
    /// `not_running`, `deadline_exceeded` after 5 s, and the hook's own.
    pub async fn health(&self, id: &PluginId) -> Result<Health> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { probe::health(&kernel, &id).await }).await
    }

    /// Whether a plugin lives. Without a `ping` hook it does while its carrier does.
    ///
    /// # Errors
    /// As [`Kernel::health`].
    pub async fn ping(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { probe::ping(&kernel, &id).await }).await
    }

    /// Stops and unloads everything: what needs or uses something before that, all else at once. What is being loaded goes
    /// as soon as it is there; until all has gone, loading is refused with `not_running`.
    pub async fn shutdown(&self) {
        let kernel = Arc::clone(&self.inner);
        to_its_end(async move { operate::shutdown(&kernel).await }).await;
    }
}
