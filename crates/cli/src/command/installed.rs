//! The plugins that nobody names: those that are installed, those that settings name, those in the folders of settings.

use midplane::settings::{Discovery, Unusable};
use midplane::{Error, PluginId, Reinstated};
use midplane_node::Seat;

use crate::exit::Outcome;
use crate::host::Host;
use crate::{notice, report, unusable};

/// Registers what settings name by path and what stands in their folders, and returns those that are to be loaded. What
/// cannot be used is said, and the others go on.
pub(super) async fn discover(host: &Host, discovery: &Discovery) -> Vec<PluginId> {
    discovery.look().await.unusable.iter().for_each(unusable::say);
    let here = host.kernel().statuses().into_iter().map(|status| status.id);
    here.filter(|id| discovery.wants(id)).collect()
}

/// Settles what an earlier host has left half-way, and registers what is installed. Only for who has the seat.
///
/// # Errors
/// `storage`.
pub(super) async fn reinstate(host: &Host) -> Outcome<Vec<Reinstated>> {
    for half in host.kernel().settle_installed()? {
        notice::say(&format!("the installation of {} from {} was left half-way", half.id, half.path.display()));
    }
    Ok(host.kernel().reinstate().await?)
}

/// The same for a host that goes on, or for one that has no seat and settles nothing; returns those that are to be
/// loaded.
///
/// # Errors
/// As [`reinstate`].
pub(super) async fn installed(host: &Host, seat: Option<&Seat>) -> Outcome<Vec<PluginId>> {
    let all = if seat.is_some() { reinstate(host).await? } else { host.kernel().reinstate().await? };
    let mut ids = Vec::new();
    for Reinstated { record, outcome } in all {
        match outcome {
            Ok(()) => ids.push(record.id),
            Err(error) => unusable::say(&Unusable { path: record.path, error }),
        }
    }
    Ok(ids)
}

/// Loads them, the highest priority first. One that cannot be loaded is said, and the others go on.
pub(super) async fn load(host: &Host, mut ids: Vec<PluginId>) {
    ids.sort();
    ids.dedup();
    ids.retain(|id| !host.kernel().status(id).is_ok_and(|status| status.disabled));
    let done = Discovery::new(host.kernel(), host.settings()).load(ids).await;
    done.into_iter().filter_map(|(id, done)| Some((id, done.err()?))).for_each(|(id, error)| said(&id, &error));
}

fn said(id: &PluginId, error: &Error) {
    notice::say(&format!("cannot be loaded: {id}: {}", report::line(error)));
}
