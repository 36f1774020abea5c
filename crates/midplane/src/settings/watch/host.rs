//! What changed settings say of the host as a whole.

use midplane_contract::Settings;
use midplane_kernel::Kernel;

use crate::settings::bounds;

/// Puts into effect what can be while the host runs, and says what counts from its next start only.
pub(super) fn change(kernel: &Kernel, before: &Settings, after: &Settings) {
    if before.secrets != after.secrets {
        kernel.set_secrets(after.secrets.clone());
    }
    if before.limits != after.limits {
        kernel.set_limits(after.limits.limits(), bounds(&after.limits));
    }
    let later = later(before, after).join(", ");
    if !later.is_empty() {
        tracing::warn!(settings = later, "these changed settings count when the host is started again");
    }
}

/// The settings that a kernel and its store are made with.
fn later(before: &Settings, after: &Settings) -> Vec<&'static str> {
    let changed = [
        ("load.concurrent", before.load.concurrent != after.load.concurrent),
        ("load.timeout", before.load.timeout != after.load.timeout),
        ("shutdown", before.shutdown != after.shutdown),
        ("versions", before.versions != after.versions),
        ("compatibility", before.compatibility != after.compatibility),
        ("interfaces", before.interfaces != after.interfaces),
        ("store", before.store != after.store),
    ];
    changed.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect()
}
