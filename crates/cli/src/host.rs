//! A kernel with the plugins that were named, and what the operator decided about them.

use std::future::Future;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use midplane::contract::Settings;
use midplane::settings::Sources;
use midplane::{Action, Address, Code, Error, Kernel, PluginId, Status, Stores};

use crate::args::{Calling, Listening, Policies};
use crate::door::Door;
use crate::exit::{Exit, Outcome, Stop};
use crate::nearest::did_you_mean;
use crate::{policies, stale};

/// What plugins get to stop after a call that was given up.
const GIVEN_UP: Duration = Duration::from_secs(1);

/// The kernel of one command.
pub(crate) struct Host {
    kernel: Kernel,
    door: OnceLock<Door>,
    settings: Settings,
    /// Whether anybody gave them.
    given: bool,
}

impl Host {
    /// Starts a kernel, lets the work use it, and shuts it down however the work ends: no plugin and no worker is left.
    ///
    /// After a call that was given up there is nothing to wait for: plugins get a second to stop. Whatever goes on then,
    /// native code in this process for example, ends with the process.
    ///
    /// # Errors
    /// `config_invalid` for settings with faults, and the work's own.
    pub(crate) async fn with<T>(from: &Sources, work: impl AsyncFnOnce(&Host) -> Outcome<T>) -> Outcome<T> {
        let mut settings = policies::settings(from)?;
        // Nothing that is kept is looked at, and nothing made to keep it in.
        settings.store = None;
        Self::begin(settings, None, is_given(from), work).await
    }

    /// The same, keeping what is to last: in these stores, and where the settings say.
    ///
    /// # Errors
    /// Those of opening the store of the settings as well.
    pub(crate) async fn over<T>(
        from: &Sources,
        stores: Option<Stores>,
        work: impl AsyncFnOnce(&Host) -> Outcome<T>,
    ) -> Outcome<T> {
        Self::begin(policies::settings(from)?, stores, is_given(from), work).await
    }

    async fn begin<T>(
        settings: Settings,
        stores: Option<Stores>,
        given: bool,
        work: impl AsyncFnOnce(&Host) -> Outcome<T>,
    ) -> Outcome<T> {
        let interfaces = midplane::settings::interfaces(&settings).map_err(defined)?;
        let kernel = midplane::settings::kernel(&settings, stores)?.build();
        let host = Self { kernel, door: OnceLock::new(), settings, given };
        for (id, policy) in midplane::settings::policies(&host.settings) {
            host.kernel.set_policy(&id, policy);
        }
        for interface in interfaces {
            host.kernel.define(interface).await.map_err(defined)?;
        }
        let done = work(&host).await;
        let given_up = match &done {
            Err(Stop::Failed(error, _)) => error.code() == Code::DeadlineExceeded,
            Err(Stop::Interrupted | Stop::ReaderGone) => true,
            Ok(_) => false,
        };
        if let Some(door) = host.door.get() {
            door.shut(matches!(done, Err(Stop::Interrupted)));
        }
        let most = if given_up { GIVEN_UP } else { Duration::MAX };
        // What has not stopped by then is left to the end of the process.
        let _ = tokio::time::timeout(most, host.kernel.shutdown()).await;
        // Plugins that are elsewhere hear it from the kernel; whoever does not listen is cut off.
        let door = host.door.into_inner();
        let _ = tokio::task::spawn_blocking(move || drop(door)).await;
        done
    }

    /// The settings that hold.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The settings that hold, where any were given as files or on the command line.
    pub(crate) fn given_settings(&self) -> Option<&Settings> {
        self.given.then_some(&self.settings)
    }

    /// The kernel itself.
    pub(crate) fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Opens the door for plugins that connect, if that is wanted, after everything that is loaded was registered.
    ///
    /// # Errors
    /// As [`Door::open`].
    pub(crate) fn open(&self, listening: &Listening) -> Outcome<Option<&Door>> {
        let opened = Door::open(&self.kernel, listening)?;
        Ok(opened.map(|door| self.door.get_or_init(|| door)))
    }

    /// Registers what stands at a path, and notes where its code is older than its sources.
    ///
    /// # Errors
    /// Not found when nothing does; otherwise the kernel's.
    pub(crate) async fn register(&self, path: &Path) -> Outcome<PluginId> {
        let id = self.kernel.register(path).await?;
        stale::warn(path);
        Ok(id)
    }

    /// Sets what the operator decided, before anything is loaded. Every plugin named has to be there or be expected to
    /// connect: a misspelt id is not to be overlooked. A deadline takes the place of the called plugin's own, so that it can also be longer.
    ///
    /// # Errors
    /// `plugin_not_found` with the nearest ids, `config_invalid` for a configuration that cannot be read.
    pub(crate) fn decide(&self, policies: &Policies, called: Option<&PluginId>, calling: &Calling) -> Outcome<()> {
        let mut decided = policies::by_plugin(policies, &self.settings)?;
        if let (Some(id), Some(deadline)) = (called, calling.deadline) {
            let millis = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX).max(1);
            policies::of(&mut decided, id, &self.settings).limits.call_deadline_ms = Some(millis);
        }
        for (id, policy) in decided {
            self.named(&id)?;
            self.kernel.set_policy(&id, policy);
        }
        Ok(())
    }

    /// The status of a plugin that is registered.
    ///
    /// # Errors
    /// `plugin_not_found` with the nearest ids.
    pub(crate) fn known(&self, id: &PluginId) -> Outcome<Status> {
        Ok(self.kernel.status(id).map_err(|_| self.missing(id))?)
    }

    /// Sees that a plugin is registered, or is expected to connect.
    ///
    /// # Errors
    /// As [`Host::known`].
    pub(crate) fn named(&self, id: &PluginId) -> Outcome<()> {
        if self.expected().contains(id) { Ok(()) } else { self.known(id).map(drop) }
    }

    fn expected(&self) -> &[PluginId] {
        self.door.get().map(Door::expected).unwrap_or_default()
    }

    fn missing(&self, id: &PluginId) -> Error {
        let statuses = self.kernel.statuses();
        let here = statuses.iter().map(|status| status.id.as_str());
        let ids = here.chain(self.expected().iter().map(PluginId::as_str));
        let remedy = did_you_mean(id.as_str(), ids, "plugins here");
        Error::new(Code::PluginNotFound, format!("there is no plugin `{id}` here")).remedy(remedy).plugin(id)
    }

    /// A handle for an action of a plugin that is loaded.
    ///
    /// # Errors
    /// `action_not_found` with the nearest names.
    pub(crate) fn action(&self, address: &Address) -> Outcome<Action> {
        let status = self.known(&address.plugin)?;
        let offered = status.generation.map(|generation| generation.actions).unwrap_or_default();
        let name = address.action.as_str();
        if !offered.is_empty() && !offered.iter().any(|offered| offered == name) {
            let message = format!("`{}` has no action `{name}`", address.plugin);
            let remedy = did_you_mean(name, offered.iter().map(String::as_str), "actions");
            let error = Error::new(Code::ActionNotFound, message).remedy(remedy);
            return Err(Stop::from(error.plugin(&address.plugin).action(name)));
        }
        Ok(self.kernel.action(&address.to_string())?)
    }
}

/// Definitions that cannot be used are a configuration that is invalid, whatever is wrong with them.
fn defined(error: Error) -> Stop {
    match error.code() {
        Code::InvalidInput | Code::LimitExceeded => Stop::Failed(error, Exit::Invalid),
        _ => policies::unread(error),
    }
}

/// Whether anybody wrote settings, beside the environment.
fn is_given(from: &Sources) -> bool {
    !from.files.is_empty() || !from.assignments.is_empty()
}

/// Runs a command on an executor of its own. What still blocks when the command has ended is left behind.
///
/// # Errors
/// The command's, and `io` when the system gives no threads.
pub(crate) fn block_on<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Error::new(Code::Io, "no threads to work with").caused_by(&error))?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}
