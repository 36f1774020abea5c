//! Events reach the `event` hook.

use midplane_kernel::bus::Message;
use midplane_kernel::{EventCounts, block_on};
use serde_json::{Value, json};

use super::site::{Site, told};
use super::{Outcome, ensure};

const EVENTS: u64 = 20;

pub(super) fn events(site: &Site<'_>) -> Outcome {
    let id = site.load("listening")?;
    let send = |number: u64| -> Outcome {
        let sent = site.kernel.broadcast(Message::new("conformance.event", json!({ "n": number }))).map_err(told)?;
        ensure!((sent.delivered, sent.dropped) == (1, 0), "a plugin that takes events gave {sent:?}");
        Ok(())
    };
    let counts = || site.kernel.status(&id).map_or_else(|_| EventCounts::default(), |status| status.events);
    (0..EVENTS).try_for_each(send)?;
    ensure!(site.eventually(|| counts().processed == EVENTS), "of {EVENTS} events it got {:?}", counts());
    let seen: Value =
        serde_json::from_slice(&site.call(&id, "events", "").map_err(told)?).map_err(|error| error.to_string())?;
    let expected: Value = (0..EVENTS).map(|number| json!({ "n": number })).collect();
    ensure!(seen == expected, "it says that it got {seen}");
    let failing = json!({ "fail_in": ["event"] }).as_object().cloned().unwrap_or_default();
    block_on(site.kernel.update_config(&id, failing)).map_err(told)?;
    send(EVENTS)?;
    ensure!(site.eventually(|| counts().errors == 1), "a failing hook is counted as {:?}", counts());
    site.echoes(&id, b"after a failed event")
}
