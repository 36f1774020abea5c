//! A guest: a plugin that comes to the host by itself. No folder holds it, and what executes it came with it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use midplane_contract::{Code, Error, Manifest, PluginId, Result};

use crate::discover::Found;
use crate::kernel::Inner;
use crate::plugin::{Plugin, Source, Stay};
use crate::runtime::Runtime;

/// The runtime that a plugin brought.
#[derive(Clone)]
pub(crate) struct Own(pub(crate) Arc<dyn Runtime>);

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Own")
    }
}

/// Registers a guest; of one that has been here before, notes with what it came this time. See
/// [`crate::Kernel::adopt`].
pub(crate) fn adopt(kernel: &Arc<Inner>, manifest: Manifest, runtime: Arc<dyn Runtime>) -> Result<PluginId> {
    let id = manifest.id.clone();
    let (folder, main) = (PathBuf::new(), PathBuf::new());
    let found = Found { manifest, folder, main, faults: Vec::new(), bare: false, own: Some(Own(runtime)) };
    let Ok(known) = kernel.plugin(&id) else {
        return kernel.register(Source::Guest(Box::new(found.clone())), found, Stay::Here);
    };
    let mut life = known.life();
    match &mut life.source {
        Source::Guest(latest) => **latest = found,
        Source::Path(path) => {
            let message = format!("`{id}` is registered already, from {}", path.display());
            return Err(Error::new(Code::AlreadyRegistered, message)
                .remedy("unregister it first, or give the one that connects another id")
                .plugin(&id));
        }
    }
    Ok(id)
}

/// A guest is loaded as it came last.
pub(crate) fn arrive(kernel: &Inner, plugin: &Plugin) {
    let mut life = plugin.life();
    let mut latest = match &life.source {
        Source::Guest(latest) => Found::clone(latest),
        Source::Path(_) => return,
    };
    latest.manifest.dependencies.extend(life.added.iter().chain(&life.declared).cloned());
    life.found = latest;
    drop(life);
    kernel.renew_grants(&plugin.id);
}
