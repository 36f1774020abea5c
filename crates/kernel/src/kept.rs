//! Configurations that outlive the host: kept when they change, found again at a load, followed where others change them.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures_lite::future::block_on;
use midplane_contract::{Code, PluginId, Result};
use serde_json::{Map, Value};

use crate::config::{ConfigStore, News};
use crate::kernel::Inner;
use crate::probe::{self, Keep};
use crate::tasks;

const REFUSED: &str = "a configuration that was changed elsewhere is not taken over";

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
        if !policy.config.is_empty() && policy.config != config {
            tracing::warn!(plugin = %id, "the configuration that was kept stands in place of the one that it is given");
        }
        policy.config = config;
        kernel.set_policy(id, policy);
    }
    Ok(())
}

/// Sees whether a store that was away can be reached again, before a plugin is told what it would have to take back.
///
/// # Errors
/// The store's, where it is still away.
pub(crate) async fn is_there(kernel: &Arc<Inner>, id: &PluginId) -> Result<()> {
    let Some(store) = kernel.store.clone().filter(|_| kernel.store_away.load(Ordering::Relaxed)) else { return Ok(()) };
    let plugin = id.clone();
    match blocking::unblock(move || store.load(&plugin)).await {
        Err(error) if error.record().recoverable => Err(error.plugin(id)),
        // What else is wrong with it may be set right by what is written.
        _ => Ok(()),
    }
}

/// Keeps a configuration.
///
/// # Errors
/// The store's.
pub(crate) async fn keep(kernel: &Arc<Inner>, id: &PluginId, config: &Map<String, Value>) -> Result<()> {
    let Some(store) = kernel.store.clone() else { return Ok(()) };
    let (plugin, config) = (id.clone(), config.clone());
    let kept = blocking::unblock(move || store.save(&plugin, &config)).await;
    let away = kept.as_ref().is_err_and(|error| error.record().recoverable);
    kernel.store_away.store(away, Ordering::Relaxed);
    kept.map_err(|error| error.plugin(id))
}

/// Puts into effect what others change in the store, as long as the kernel lives.
pub(crate) fn follow(kernel: &Arc<Inner>) {
    let Some(store) = kernel.store.clone() else { return };
    let following = Arc::new(Following {
        kernel: Arc::downgrade(kernel),
        store: Arc::downgrade(&store),
        waiting: Mutex::default(),
    });
    match store.watch(Box::new(move |news| following.hear(news))) {
        Err(error) if error.code() != Code::NotSupported => {
            tracing::warn!(%error, "changes of configurations by others are not followed");
        }
        _ => {}
    }
}

struct Following {
    kernel: Weak<Inner>,
    store: Weak<dyn ConfigStore>,
    /// Plugins that somebody is about to look at: more news of them adds nothing.
    waiting: Mutex<BTreeSet<PluginId>>,
}

impl Following {
    fn hear(self: &Arc<Self>, news: News<'_>) {
        match news {
            News::Of(id) => self.look(id),
            News::Any => {
                let following = Arc::clone(self);
                blocking::unblock(move || following.compare()).detach();
            }
        }
    }

    /// Looks at every plugin that has another configuration than the store.
    fn compare(self: &Arc<Self>) {
        let (Some(kernel), Some(store)) = (self.kernel.upgrade(), self.store.upgrade()) else { return };
        for plugin in kernel.plugins() {
            match store.load(&plugin.id) {
                Ok(Some(config)) if config != kernel.policy(&plugin.id).config => self.look(&plugin.id),
                Ok(_) => {}
                // Not to wait for it once for each plugin: there are more news when it is back.
                Err(error) if error.record().recoverable => return tracing::warn!(%error, "{REFUSED}"),
                Err(error) => tracing::error!(plugin = %plugin.id, %error, "{REFUSED}"),
            }
        }
    }

    /// Takes over one plugin's configuration, on a thread of its own: the plugin decides how long that takes.
    fn look(self: &Arc<Self>, id: &PluginId) {
        let here = self.kernel.upgrade().is_some_and(|kernel| kernel.plugin(id).is_ok());
        if !here || !self.waiting().insert(id.clone()) {
            return;
        }
        let (following, id) = (Arc::clone(self), id.clone());
        let work = move || {
            if let Err(error) = block_on(following.take_over(&id)) {
                tracing::error!(plugin = %id, %error, "{REFUSED}");
            }
        };
        tasks::apart(work);
    }

    /// CONCURRENCY: read while no other operation is under way on the plugin. Read before, it could be older than what
    /// an operator changes meanwhile, and would take its place.
    async fn take_over(&self, id: &PluginId) -> Result<()> {
        let known = self.kernel.upgrade().and_then(|kernel| Some((kernel.plugin(id).ok()?, kernel)));
        let Some((plugin, kernel)) = known else {
            self.waiting().remove(id);
            return Ok(());
        };
        let _one_at_a_time = plugin.operations.lock().await;
        self.waiting().remove(id);
        let Some(store) = self.store.upgrade() else { return Ok(()) };
        // One that is not loaded finds it at its next load.
        if plugin.slot.core.generation().is_none() {
            return Ok(());
        }
        // Nothing kept, by a server that was emptied for example, is no reason to lose what is in effect.
        match store.load(id)? {
            Some(config) if config != kernel.policy(id).config => {
                probe::take_config(&kernel, &plugin, config, Keep::No).await
            }
            _ => Ok(()),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeSet<PluginId>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
