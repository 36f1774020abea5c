//! What the operator decides about plugins, and what they may do by it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use midplane_contract::{Error, Limits, PluginId, Result};
use serde_json::json;

use super::Inner;
use crate::bounds::Bounds;
use crate::call::Scope;
use crate::fetch::{Place, Reach};
use crate::plugin::Plugin;
use crate::policy::{self, Policy};

impl Inner {
    pub(crate) fn policy(&self, id: &PluginId) -> Policy {
        self.policies.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned().unwrap_or_default()
    }

    pub(crate) fn policies(&self) -> BTreeMap<PluginId, Policy> {
        self.policies.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What decides among plugins that could do the same: the operator's word, without a copy of all the rest of it.
    pub(crate) fn priority(&self, id: &PluginId) -> i32 {
        let policies = self.policies.lock().unwrap_or_else(PoisonError::into_inner);
        policies.get(id).map_or(0, |policy| policy.priority)
    }

    /// The limits that hold: the policy's, below them the manifest's, below those the host's.
    pub(crate) fn limits(&self, manifest: &Limits, policy: &Limits) -> Limits {
        let own = self.limits.read().unwrap_or_else(PoisonError::into_inner);
        policy::effective(&policy::effective(&own, manifest), policy)
    }

    /// The same for those that manifests know nothing of.
    pub(super) fn bounds(&self, policy: &Policy) -> Bounds {
        policy.bounds.over(*self.bounds.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sets the host's own limits, and tells the plugins those of them that count at once.
    pub(crate) fn set_limits(&self, limits: Limits, bounds: Bounds) {
        let plugins = self.plugins();
        let of = |plugin: &Arc<Plugin>| self.bounds(&self.policy(&plugin.id));
        let before: Vec<Bounds> = plugins.iter().map(of).collect();
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
        *self.bounds.write().unwrap_or_else(PoisonError::into_inner) = bounds;
        for (plugin, before) in plugins.iter().zip(before) {
            self.heed(&plugin.id, Some(plugin), before, of(plugin));
        }
    }

    /// Puts into effect what of changed bounds counts at once.
    pub(super) fn heed(&self, id: &PluginId, plugin: Option<&Arc<Plugin>>, before: Bounds, after: Bounds) {
        plugin.iter().for_each(|plugin| plugin.heed(&after));
        // Set again, it would begin with a full burst; and a program may have set one of its own.
        if before.rate() != after.rate() {
            self.bus.limit(id.as_str(), after.rate());
        }
    }

    pub(crate) fn set_policy(&self, id: &PluginId, policy: Policy) {
        let (before, bounds) = (self.bounds(&self.policy(id)), self.bounds(&policy));
        let plugin = self.plugin(id).ok();
        plugin.iter().for_each(|plugin| plugin.life().barred = !policy.enabled);
        self.heed(id, plugin.as_ref(), before, bounds);
        self.policies.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), policy);
        self.services.changed();
        self.renew_grants(id);
    }

    /// Asks the gate, and tells everybody when it denies.
    pub(crate) fn check(&self, plugin: &PluginId, scope: &Scope, asked: &str) -> Result<()> {
        self.gate.check(plugin, scope, asked).inspect_err(|error| self.denied(plugin, error))
    }

    /// As [`Inner::check`], for a place in the web: how far its name reaches.
    pub(crate) fn check_web(&self, plugin: &PluginId, scope: &Scope, place: &Place<'_>) -> Result<Reach> {
        self.gate.check_web(plugin, scope, place).inspect_err(|error| self.denied(plugin, error))
    }

    fn denied(&self, plugin: &PluginId, error: &Error) {
        if let Ok(known) = self.plugin(plugin) {
            known.log.denied(error);
        }
        self.announce("plugin.permission_denied", json!({ "plugin_id": plugin, "error": error }));
    }

    /// Whether a plugin may have an event of that topic. Whoever may not is not told.
    pub(crate) fn may_receive(&self, plugin: &PluginId, topic: &str) -> bool {
        self.gate.check(plugin, &Scope::default(), &format!("bus.subscribe:{topic}")).is_ok()
    }
}
