//! Settings that take effect while the host runs.

mod secrets;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use midplane_contract::{PluginId, Result, Settings, State};
use midplane_kernel::{Kernel, Policy, block_on};

use super::{Sources, policies, read};

/// Time between two looks at the files.
const PAUSE: Duration = Duration::from_secs(1);

/// Looks at the files of settings, and at those of secrets, once a second and puts into effect what changes about plugins:
/// permissions at once, configurations and secrets by asking the plugin, everything else with its next load. What else
/// follows from changed settings is told them after that. Ends when it is dropped.
///
/// Settings with faults change nothing and are logged. A configuration that its plugin refuses leaves the old one, and so does
/// a secret that cannot be read.
#[derive(Debug)]
pub struct Watch {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Begins to watch. `settings` are those in effect; `follow` gets those that were taken over.
    ///
    /// # Errors
    /// `io` when the system gives no thread.
    pub fn begin(
        kernel: &Kernel,
        sources: Sources,
        settings: Settings,
        follow: impl Fn(&Settings) + Send + 'static,
    ) -> Result<Self> {
        let (end, ended) = channel();
        let mut seen = stamps(&sources.files);
        let (kernel, mut settings) = (kernel.clone(), settings);
        let mut secrets = secrets::Seen::of(&settings);
        let look = move || {
            while ended.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                let stamps = stamps(&sources.files);
                if stamps != seen {
                    seen = stamps;
                    if take_over(&kernel, &sources, &mut settings) {
                        follow(&settings);
                    }
                }
                secrets.look(&kernel, &settings);
            }
        };
        let thread = std::thread::Builder::new().name("midplane-settings".to_owned()).spawn(look).map_err(|error| {
            midplane_contract::Error::new(midplane_contract::Code::Io, "no thread to watch the settings with")
                .caused_by(&error)
        })?;
        Ok(Self { end: Some(end), thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end.take();
        if let Some(thread) = self.thread.take() {
            // It ends with the channel; what it dies of concerns nobody any longer.
            let _ = thread.join();
        }
    }
}

/// What tells that a file is another one.
type Stamp = Option<(SystemTime, u64)>;

fn stamp(file: &Path) -> Stamp {
    std::fs::metadata(file).and_then(|facts| Ok((facts.modified()?, facts.len()))).ok()
}

fn stamps(files: &[PathBuf]) -> Vec<Stamp> {
    files.iter().map(|file| stamp(file)).collect()
}

/// Reads again, and applies what has changed; says whether it could be read.
fn take_over(kernel: &Kernel, sources: &Sources, settings: &mut Settings) -> bool {
    let (next, _) = match read(sources).and_then(midplane_contract::settings::Settled::into_result) {
        Ok(next) => next,
        Err(error) => {
            tracing::error!(%error, "the changed settings are not taken over");
            return false;
        }
    };
    let (before, mut after) = (policies(settings), policies(&next));
    let ids: BTreeSet<&PluginId> = settings.plugins.keys().chain(next.plugins.keys()).collect();
    for id in ids.into_iter().filter(|id| settings.plugins.get(*id) != next.plugins.get(*id)) {
        change(kernel, id, &before.get(id).cloned().unwrap_or_default(), after.remove(id).unwrap_or_default());
    }
    *settings = next;
    true
}

fn change(kernel: &Kernel, id: &PluginId, old: &Policy, new: Policy) {
    let config = new.config.clone();
    let state = kernel.status(id).map(|status| status.state);
    let loaded = matches!(state, Ok(State::Running | State::Loaded | State::Stopped));
    // The plugin decides about its configuration first; until then it has the one in effect, which may have been changed
    // by somebody else since the settings were read.
    let kept = if loaded { kernel.policy(id).config } else { config.clone() };
    kernel.set_policy(id, Policy { config: kept, ..new });
    if loaded && config != old.config {
        match block_on(kernel.update_config(id, config)) {
            Ok(()) => tracing::info!(plugin = %id, "the changed configuration is in effect"),
            Err(error) => tracing::error!(plugin = %id, %error, "the changed configuration is refused"),
        }
    }
}
