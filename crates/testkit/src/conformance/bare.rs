//! A plugin without hooks: whatever the host has to tell it is accepted, and what the host itself watches over is watched.

use std::collections::BTreeSet;

use midplane_contract::{Code, HealthStatus, PluginId, State};
use midplane_kernel::bus::Message;
use midplane_kernel::{Policy, block_on};
use serde_json::{Value, json};

use super::site::{Site, told};
use super::together::fields;
use super::{Outcome, ensure};

/// The optional dependency that comes and goes.
const HELPING: &str = "bare-helping";

pub(super) fn without_hooks(site: &Site<'_>) -> Outcome {
    let id = load(site)?;
    configuration(site, &id)?;
    probes_and_events(site, &id)?;
    stations(site, &id)
}

fn load(site: &Site<'_>) -> Result<PluginId, String> {
    let schema = json!({
        "type": "object",
        "properties": { "color": { "type": "string" }, "depth": { "type": "integer", "maximum": 9, "default": 3 } },
        "required": ["color"],
        "additionalProperties": false,
    });
    let wish = json!([{ "id": HELPING, "version": "*", "optional": true }]);
    let folder = site.subject.bare("bare").with("config_schema", schema).with("dependencies", wish);
    let config = fields(json!({ "color": "blue" }));
    site.load_folder(&folder, Policy { config, ..site.subject.policy() })
}

/// That the host and the plugin have this configuration.
fn has(site: &Site<'_>, id: &PluginId, color: &str) -> Outcome {
    let config = block_on(site.kernel.config(id)).map_err(told)?;
    ensure!(config == json!({ "color": color, "depth": 3 }), "the host says that it has {config}");
    let reply = site.call(id, "color", "").map_err(told)?;
    let own: Value = serde_json::from_slice(&reply).map_err(|error| format!("its color is no JSON: {error}"))?;
    ensure!(own == color, "the plugin has {own}, not {color}");
    Ok(())
}

/// A change is accepted, one against the schema is refused with every place, and nothing else comes of either.
fn configuration(site: &Site<'_>, id: &PluginId) -> Outcome {
    let generation =
        || site.kernel.status(id).map_err(told).map(|status| status.generation.map(|generation| generation.number));
    let before = generation()?;
    has(site, id, "blue")?;
    block_on(site.kernel.update_config(id, fields(json!({ "color": "green" })))).map_err(told)?;
    has(site, id, "green")?;
    let faulty = fields(json!({ "color": 7, "depth": 12, "shape": "round" }));
    let Err(refused) = block_on(site.kernel.update_config(id, faulty)) else {
        return Err("what the schema forbids is accepted".into());
    };
    ensure!(refused.code() == Code::ConfigInvalid, "what the schema forbids is {}", told(refused));
    let faults = refused.record().data.get("faults").and_then(Value::as_array).cloned().unwrap_or_default();
    let places: BTreeSet<&str> = faults.iter().filter_map(|fault| fault.get("path")?.as_str()).collect();
    ensure!(places == ["", "/color", "/depth"].into(), "faults are told of {places:?}");
    has(site, id, "green")?;
    ensure!(generation()? == before, "a change of the configuration made another generation of it");
    Ok(())
}

fn probes_and_events(site: &Site<'_>, id: &PluginId) -> Outcome {
    let health = block_on(site.kernel.health(id)).map_err(told)?;
    ensure!(health.status == HealthStatus::Healthy, "without a hook it says {health:?}");
    block_on(site.kernel.ping(id)).map_err(told)?;
    let sent = site.kernel.broadcast(Message::new("conformance.event", json!({ "n": 1 }))).map_err(told)?;
    ensure!((sent.delivered, sent.dropped) == (0, 0), "an event for everybody gave {sent:?}");
    let helping = PluginId::new(HELPING).map_err(|error| error.to_string())?;
    site.load_folder(&site.subject.bare(HELPING), site.subject.policy())?;
    block_on(site.kernel.stop(&helping)).map_err(told)?;
    let status = site.kernel.status(id).map_err(told)?;
    ensure!(status.events.errors == 0, "it is said to have failed at {} events", status.events.errors);
    ensure!(status.last_error.is_none(), "it has the error {:?}", status.last_error);
    has(site, id, "green")
}

/// Everything that a plugin goes through in its life.
fn stations(site: &Site<'_>, id: &PluginId) -> Outcome {
    block_on(site.kernel.stop(id)).map_err(told)?;
    ensure!(site.state(id)? == State::Stopped, "it is {} after stopping", site.state(id)?);
    block_on(site.kernel.start(id)).map_err(told)?;
    has(site, id, "green")?;
    block_on(site.kernel.reload(id)).map_err(told)?;
    has(site, id, "green")?;
    block_on(site.kernel.unload(id)).map_err(told)?;
    ensure!(site.state(id)? == State::Registered, "it is {} after unloading", site.state(id)?);
    block_on(site.kernel.load(id)).map_err(told)?;
    has(site, id, "green")
}
