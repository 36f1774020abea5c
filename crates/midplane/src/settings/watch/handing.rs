//! Changed configurations to their plugins, once more where their store was away.

use std::collections::BTreeMap;

use midplane_contract::{Code, Error, PluginId};
use midplane_kernel::{Kernel, Policy, block_on};

/// Policies whose configurations could not be kept so far.
#[derive(Default)]
pub(super) struct Handing(BTreeMap<PluginId, Policy>);

impl Handing {
    /// Hands the configuration of a policy over.
    pub(super) fn hand(&mut self, kernel: &Kernel, id: &PluginId, wanted: Policy) {
        if let Some(error) = self.tried(kernel, id, wanted) {
            tracing::warn!(plugin = %id, %error, "the changed configuration is not in effect yet, and is tried again");
        }
    }

    /// Hands over once more what could not be kept before.
    pub(super) fn again(&mut self, kernel: &Kernel) {
        for (id, wanted) in std::mem::take(&mut self.0) {
            self.tried(kernel, &id, wanted);
        }
    }

    /// Another configuration has taken the place of what waits.
    pub(super) fn forget(&mut self, id: &PluginId) {
        self.0.remove(id);
    }

    /// Why it waits, if it does.
    fn tried(&mut self, kernel: &Kernel, id: &PluginId, wanted: Policy) -> Option<Error> {
        match block_on(kernel.update_config(id, wanted.config.clone())) {
            Ok(()) => tracing::info!(plugin = %id, "the changed configuration is in effect"),
            // It counts from the next load.
            Err(error) if error.code() == Code::NotLoaded => {
                kernel.set_policy(id, Policy { config: wanted.config, ..kernel.policy(id) });
            }
            Err(error) if error.code() == Code::Storage && error.record().recoverable => {
                self.0.insert(id.clone(), wanted);
                return Some(error);
            }
            Err(error) => tracing::error!(plugin = %id, %error, "the changed configuration is refused"),
        }
        None
    }
}
