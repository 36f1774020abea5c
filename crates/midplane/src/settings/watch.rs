//! Settings that take effect while the host runs.

mod handing;
mod host;
mod secrets;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use midplane_contract::{Code, Error, PluginId, Result, Settings, State};
use midplane_kernel::{Kernel, Policy};

use super::{Sources, policies, read};
use handing::Handing;

/// Time between two looks at the files.
const PAUSE: Duration = Duration::from_secs(1);

/// Looks at the files of settings, and at those of secrets, once a second and puts into effect what changes about plugins:
/// permissions at once, configurations and secrets by asking the plugin, everything else with its next load. What of the host
/// as a whole counts from its next start only is logged as such. What else follows from changed settings is told them after
/// that. Ends when it is dropped.
///
/// Settings with faults change nothing and are logged. A configuration that its plugin refuses leaves the old one, and so does
/// a secret that cannot be read. One that cannot be kept since its store is away is handed over when that is back.
#[derive(Debug)]
pub struct Watch {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Begins to watch. `settings` are those in effect; what has changed in the files since these were read is taken over as
    /// well. `follow` gets those that were taken over.
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
        // Nothing is taken for seen: files may have changed since they were read, while plugins were loaded.
        let mut seen = Vec::new();
        let (kernel, mut settings) = (kernel.clone(), settings);
        let (mut secrets, mut handing) = (secrets::Seen::nothing(&kernel, &settings), Handing::default());
        let look = move || {
            while ended.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                let stamps = stamps(&sources.files);
                if stamps != seen {
                    seen = stamps;
                    if take_over(&kernel, &sources, &mut settings, &mut handing) {
                        follow(&settings);
                    }
                }
                handing.again(&kernel);
                secrets.look(&kernel, &settings);
            }
        };
        let thread = std::thread::Builder::new()
            .name("midplane-settings".to_owned())
            .spawn(look)
            .map_err(|error| Error::new(Code::Io, "no thread to watch the settings with").caused_by(&error))?;
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

/// Reads again, and applies what has changed; says whether there was anything.
fn take_over(kernel: &Kernel, sources: &Sources, settings: &mut Settings, handing: &mut Handing) -> bool {
    let (next, _) = match read(sources).and_then(midplane_contract::settings::Settled::into_result) {
        Ok(next) => next,
        Err(error) => {
            tracing::error!(%error, "the changed settings are not taken over");
            return false;
        }
    };
    if next == *settings {
        return false;
    }
    host::change(kernel, settings, &next);
    let (before, mut after) = (policies(settings), policies(&next));
    let ids: BTreeSet<&PluginId> = settings.plugins.keys().chain(next.plugins.keys()).collect();
    for id in ids.into_iter().filter(|id| settings.plugins.get(*id) != next.plugins.get(*id)) {
        let old = before.get(id).cloned().unwrap_or_default();
        change(kernel, id, &old, after.remove(id).unwrap_or_default(), handing);
    }
    if settings.secrets != next.secrets {
        secrets::renew_named(kernel);
    }
    *settings = next;
    true
}

fn change(kernel: &Kernel, id: &PluginId, old: &Policy, new: Policy, handing: &mut Handing) {
    let state = kernel.status(id).map(|status| status.state);
    // One that is being loaded may have been given the old one already.
    let loaded = !matches!(state, Err(_) | Ok(State::Registered | State::Failed | State::Quarantined));
    // The plugin decides about its configuration first; until then it has the one in effect, which may have been changed
    // by somebody else since the settings were read.
    let config = if loaded { kernel.policy(id).config } else { new.config.clone() };
    kernel.set_policy(id, Policy { config, ..new.clone() });
    handing.forget(id);
    if loaded && new.config != old.config {
        handing.hand(kernel, id, new);
    }
}
