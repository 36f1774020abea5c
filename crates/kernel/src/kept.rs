//! Configurations that outlive the host: kept when they change, found again at a load, followed where others change them.

use std::sync::{Arc, Weak};

use futures_lite::future::block_on;
use midplane_contract::{Code, PluginId, Result};
use serde_json::{Map, Value};

use crate::config::ConfigStore;
use crate::kernel::Inner;
use crate::probe;

/// Puts what is kept for a plugin in place of its policy's configuration.
///
/// # Errors
/// The store's: a plugin is not loaded with a configuration that may be an old one.
pub(crate) async fn recall(kernel: &Arc<Inner>, id: &PluginId) -> Result<()> {
    let Some(store) = kernel.store.clone() else { return Ok(()) };
    let plugin = id.clone();
    let kept = blocking::unblock(move || store.load(&plugin)).await.map_err(|error| error.plugin(id))?;
    if let Some(config) = kept {
        let mut policy = kernel.policy(id);
        policy.config = config;
        kernel.set_policy(id, policy);
    }
    Ok(())
}

/// Keeps a configuration.
///
/// # Errors
/// The store's.
pub(crate) async fn keep(kernel: &Arc<Inner>, id: &PluginId, config: &Map<String, Value>) -> Result<()> {
    let Some(store) = kernel.store.clone() else { return Ok(()) };
    let (plugin, config) = (id.clone(), config.clone());
    blocking::unblock(move || store.save(&plugin, &config)).await.map_err(|error| error.plugin(id))
}

/// Puts into effect what others change in the store, as long as the kernel lives.
pub(crate) fn follow(kernel: &Arc<Inner>) {
    let Some(store) = kernel.store.clone() else { return };
    let (kernel, theirs) = (Arc::downgrade(kernel), Arc::downgrade(&store));
    let changed = move |id: &PluginId| take_over(&kernel, &theirs, id);
    match store.watch(Box::new(changed)) {
        Err(error) if error.code() != Code::NotSupported => {
            tracing::warn!(%error, "changes of configurations by others are not followed");
        }
        _ => {}
    }
}

fn take_over(kernel: &Weak<Inner>, store: &Weak<dyn ConfigStore>, id: &PluginId) {
    let (Some(kernel), Some(store)) = (kernel.upgrade(), store.upgrade()) else { return };
    // One that is not loaded finds it at its next load.
    let loaded = kernel.plugin(id).is_ok_and(|plugin| plugin.slot.core.generation().is_some());
    if !loaded {
        return;
    }
    let done = store.load(id).map(Option::unwrap_or_default).and_then(|config| {
        let same = kernel.policy(id).config == config;
        if same { Ok(()) } else { block_on(probe::change_config(&kernel, id, config, probe::Keep::No)) }
    });
    if let Err(error) = done {
        tracing::error!(plugin = %id, %error, "a configuration that was changed elsewhere is not taken over");
    }
}
