//! The hooks of a definition, each in its own types.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Definition, Handler};
use crate::event::{Dependency, Event};
use crate::hook::Hook;
use crate::payload::{Input, Json, Output};
use crate::{Context, Error, Health, Result};

/// First line of a migration's input.
#[derive(Deserialize)]
struct Origin {
    from: String,
}

impl<P: 'static> Definition<P> {
    /// Checks a configuration before it is accepted; an error refuses it.
    #[must_use]
    pub fn on_validate_config<C: DeserializeOwned>(
        self,
        run: impl Fn(&mut P, Json<C>, &Context<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.config(Hook::ValidateConfig, run)
    }

    /// Once per instance, before anything else.
    #[must_use]
    pub fn on_init<C: DeserializeOwned>(
        self,
        run: impl Fn(&mut P, Json<C>, &Context<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.config(Hook::Init, run)
    }

    /// A live change of configuration: the whole one, already validated.
    #[must_use]
    pub fn on_config_changed<C: DeserializeOwned>(
        self,
        run: impl Fn(&mut P, Json<C>, &Context<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.config(Hook::ConfigChanged, run)
    }

    /// Calls begin.
    #[must_use]
    pub fn on_start(self, run: impl Fn(&mut P, &Context<'_>) -> Result<()> + Send + Sync + 'static) -> Self {
        self.plain(Hook::Start, run)
    }

    /// Calls have ended.
    #[must_use]
    pub fn on_stop(self, run: impl Fn(&mut P, &Context<'_>) -> Result<()> + Send + Sync + 'static) -> Self {
        self.plain(Hook::Stop, run)
    }

    /// Before unload: the last thing that runs.
    #[must_use]
    pub fn on_cleanup(self, run: impl Fn(&mut P, &Context<'_>) -> Result<()> + Send + Sync + 'static) -> Self {
        self.plain(Hook::Cleanup, run)
    }

    /// How the plugin is. An error counts as unhealthy.
    #[must_use]
    pub fn on_health_check(self, run: impl Fn(&mut P, &Context<'_>) -> Result<Health> + Send + Sync + 'static) -> Self {
        self.plain(Hook::Health, move |plugin, context| run(plugin, context).map(Json))
    }

    /// Whether the plugin lives; an error says no.
    #[must_use]
    pub fn on_ping(self, run: impl Fn(&mut P, &Context<'_>) -> Result<()> + Send + Sync + 'static) -> Self {
        self.plain(Hook::Ping, run)
    }

    /// The configuration in effect.
    #[must_use]
    pub fn on_get_config<C: serde::Serialize>(
        self,
        run: impl Fn(&mut P, &Context<'_>) -> Result<Json<C>> + Send + Sync + 'static,
    ) -> Self {
        self.plain(Hook::GetConfig, run)
    }

    /// An event of a subscribed topic. Where it is a question, what is returned is the answer, in the same forms as an
    /// action's reply; `()`, or nothing in it, is none, and another subscriber may answer.
    #[must_use]
    pub fn on_event<O: Output>(
        self,
        run: impl Fn(&mut P, Event, &Context<'_>) -> Result<O> + Send + Sync + 'static,
    ) -> Self {
        self.told(Hook::Event, run)
    }

    /// An optional dependency came or went.
    #[must_use]
    pub fn on_dependency_changed(
        self,
        run: impl Fn(&mut P, Dependency, &Context<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.told(Hook::DependencyChanged, run)
    }

    /// The state to hand to the next generation.
    #[must_use]
    pub fn on_export_state(
        self,
        run: impl Fn(&mut P, &Context<'_>) -> Result<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        self.plain(Hook::ExportState, run)
    }

    /// The state of the generation before.
    #[must_use]
    pub fn on_import_state(
        self,
        run: impl Fn(&mut P, &[u8], &Context<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.hook(Hook::ImportState, Box::new(move |plugin, state, _, context| run(plugin, state, context)))
    }

    /// Translates the state of an older version, named in `from`.
    #[must_use]
    pub fn on_migrate(
        self,
        run: impl Fn(&mut P, &str, &[u8], &Context<'_>) -> Result<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        self.migration(Hook::Migrate, run)
    }

    /// Translates a state back to the layout of an older version.
    #[must_use]
    pub fn on_migrate_back(
        self,
        run: impl Fn(&mut P, &str, &[u8], &Context<'_>) -> Result<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        self.migration(Hook::MigrateBack, run)
    }

    fn hook(mut self, hook: Hook, run: Handler<P>) -> Self {
        if let Some(place) = self.hooks.get_mut(hook as usize) {
            *place = Some(run);
        }
        self
    }

    fn plain<O: Output>(
        self,
        hook: Hook,
        run: impl Fn(&mut P, &Context<'_>) -> Result<O> + Send + Sync + 'static,
    ) -> Self {
        self.hook(hook, Box::new(move |plugin, _, reply, context| run(plugin, context)?.write(reply)))
    }

    fn config<C: DeserializeOwned>(
        self,
        hook: Hook,
        run: impl Fn(&mut P, Json<C>, &Context<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.hook(
            hook,
            Box::new(move |plugin, config, _, context| {
                let config = if config.is_empty() { b"{}" } else { config };
                let config = Json::read(config)
                    .map_err(|error| Error::new("config_invalid", error.message.replace("input", "configuration")))?;
                run(plugin, config, context)
            }),
        )
    }

    fn told<T: DeserializeOwned, O: Output>(
        self,
        hook: Hook,
        run: impl Fn(&mut P, T, &Context<'_>) -> Result<O> + Send + Sync + 'static,
    ) -> Self {
        self.hook(
            hook,
            Box::new(move |plugin, input, reply, context| run(plugin, Json::read(input)?.0, context)?.write(reply)),
        )
    }

    fn migration(
        self,
        hook: Hook,
        run: impl Fn(&mut P, &str, &[u8], &Context<'_>) -> Result<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        self.hook(
            hook,
            Box::new(move |plugin, input, reply, context| {
                let mut parts = input.splitn(2, |byte| *byte == b'\n');
                let Json(Origin { from }) = Json::read(parts.next().unwrap_or_default())?;
                reply.write(&run(plugin, &from, parts.next().unwrap_or_default(), context)?)
            }),
        )
    }
}
