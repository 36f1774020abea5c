//! The end of everything: whatever is needed goes after what needs it, and what does not need each other goes at once. One
//! that hangs holds up nobody but what it needs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_lock::OnceCell;
use midplane_contract::{Code, Error, PluginId, Result};
use serde_json::json;

use super::{needs, unload};
use crate::kernel::Inner;
use crate::plugin::Plugin;
use crate::together::together;

/// Shutdowns that have begun, and that are under way. As long as there is one nothing is loaded.
#[derive(Default)]
pub(crate) struct Ending {
    begun: AtomicUsize,
    under_way: AtomicUsize,
}

impl Ending {
    /// How many have begun by now.
    pub(super) fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    /// Refuses what would only have to go again, and what is left of loads that began before an end which is over by now.
    ///
    /// # Errors
    /// `not_running`.
    pub(super) fn refuse(&self, began_after: usize) -> Result<()> {
        if self.under_way.load(Ordering::SeqCst) == 0 && self.begun() == began_after {
            return Ok(());
        }
        Err(Error::new(Code::NotRunning, "the host is shutting down").remedy("load it in the next host"))
    }

    fn begin(&self) -> Under<'_> {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        self.begun.fetch_add(1, Ordering::SeqCst);
        Under(self)
    }
}

/// One shutdown.
struct Under<'a>(&'a Ending);

impl Drop for Under<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Stops and unloads everything. What is loaded just now goes as soon as it is.
pub(crate) async fn shutdown(kernel: &Arc<Inner>) {
    let _under = kernel.ending.begin();
    kernel.announce("host.stopping", json!({}));
    let mut before = usize::MAX;
    loop {
        let left: Vec<Arc<Plugin>> = kernel.plugins().into_iter().filter(|plugin| is_here(plugin)).collect();
        // What does not go needs each other or is stuck; it goes with the process.
        if left.is_empty() || left.len() >= before {
            return;
        }
        before = left.len();
        let after = predecessors(&nodes(&left));
        let gone: Vec<OnceCell<()>> = left.iter().map(|_| OnceCell::new()).collect();
        let places = left.iter().zip(&after).zip(&gone);
        let ends = places.map(|((plugin, after), own)| Box::pin(end(kernel, plugin, after, &gone, own)) as _);
        together(ends).await;
    }
}

/// Whether a plugin is loaded, or something is done to it just now that may load it.
fn is_here(plugin: &Plugin) -> bool {
    plugin.slot.core.generation().is_some() || plugin.operations.try_lock().is_none()
}

/// Unloads one plugin once those have gone that go before it.
async fn end(kernel: &Arc<Inner>, plugin: &Plugin, after: &[usize], gone: &[OnceCell<()>], own: &OnceCell<()>) {
    for earlier in after.iter().filter_map(|place| gone.get(*place)) {
        earlier.wait().await;
    }
    match unload(kernel, &plugin.id).await {
        Err(error) if error.code() != Code::NotLoaded => {
            tracing::warn!(plugin = %plugin.id, %error, "it is not unloaded with the rest");
        }
        _ => {}
    }
    let _ = own.set(()).await;
}

/// What one plugin needs of those that are left, by their places.
#[derive(Default)]
struct Node {
    needs: Vec<usize>,
    uses: Vec<usize>,
}

fn nodes(left: &[Arc<Plugin>]) -> Vec<Node> {
    let places: BTreeMap<&PluginId, usize> = left.iter().map(|plugin| &plugin.id).zip(0..).collect();
    let node = |plugin: &Arc<Plugin>| {
        let mut node = Node::default();
        for needed in needs(&plugin.life().found.manifest) {
            let Some(place) = places.get(&needed.id) else { continue };
            if needed.optional { &mut node.uses } else { &mut node.needs }.push(*place);
        }
        node
    };
    left.iter().map(node).collect()
}

/// For each those that need or use it and have their turn before it.
fn predecessors(nodes: &[Node]) -> Vec<Vec<usize>> {
    let ranks = ranks(nodes);
    let mut before = vec![Vec::new(); nodes.len()];
    for (place, node) in nodes.iter().enumerate() {
        for wanted in node.needs.iter().chain(&node.uses).filter(|wanted| ranks.get(place) < ranks.get(**wanted)) {
            before.get_mut(*wanted).into_iter().for_each(|before| before.push(place));
        }
    }
    before
}

/// The turn of each, what needs something before that (Kahn's topological sort). Of a circle somebody goes before one that
/// uses it, or at worst needs it, so that nobody waits for ever.
fn ranks(nodes: &[Node]) -> Vec<usize> {
    // How many need it and how many use it that have had no turn.
    let mut wanted: Vec<(usize, usize)> = vec![(0, 0); nodes.len()];
    for node in nodes {
        node.needs.iter().for_each(|place| wanted.get_mut(*place).into_iter().for_each(|by| by.0 += 1));
        node.uses.iter().for_each(|place| wanted.get_mut(*place).into_iter().for_each(|by| by.1 += 1));
    }
    let mut left: BTreeSet<((usize, usize), usize)> = wanted.iter().copied().zip(0..).collect();
    let mut ranks = vec![0; nodes.len()];
    for rank in 0..nodes.len() {
        let Some((_, next)) = left.pop_first() else { break };
        ranks.get_mut(next).into_iter().for_each(|at| *at = rank);
        let Some(Node { needs, uses }) = nodes.get(next) else { continue };
        for (place, must) in needs.iter().map(|place| (*place, true)).chain(uses.iter().map(|place| (*place, false))) {
            let Some(by) = wanted.get_mut(place) else { continue };
            let waits = left.remove(&(*by, place));
            if must {
                by.0 -= 1
            } else {
                by.1 -= 1
            }
            if waits {
                left.insert((*by, place));
            }
        }
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(edges: &[(&[usize], &[usize])]) -> Vec<usize> {
        let node = |(needs, uses): &(&[usize], &[usize])| Node { needs: needs.to_vec(), uses: uses.to_vec() };
        let ranks = ranks(&edges.iter().map(node).collect::<Vec<_>>());
        let mut order: Vec<usize> = (0..edges.len()).collect();
        order.sort_by_key(|place| ranks[*place]);
        order
    }

    #[test]
    fn what_needs_or_uses_something_has_its_turn_before_it() {
        assert_eq!(order(&[(&[], &[]), (&[0], &[]), (&[], &[1])]), [2, 1, 0]);
        assert_eq!(order(&[(&[1], &[]), (&[2], &[]), (&[], &[])]), [0, 1, 2]);
        assert!(order(&[]).is_empty());
    }

    #[test]
    fn in_a_circle_what_is_only_used_gives_way_and_nobody_is_forgotten() {
        // 0 needs 1, which uses 0.
        assert_eq!(order(&[(&[1], &[]), (&[], &[0])]), [0, 1]);
        assert_eq!(order(&[(&[], &[1]), (&[0], &[])]), [1, 0]);
        assert_eq!(order(&[(&[1], &[]), (&[0], &[])]), [0, 1]);
        assert_eq!(order(&[(&[0], &[0])]), [0]);
    }
}
