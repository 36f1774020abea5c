//! Loading, configuration, health, unloading, reloading.

use midplane_contract::{Code, HealthStatus, Kind, State};
use midplane_kernel::{Policy, block_on};
use serde_json::{Map, Value, json};

use super::site::{Site, told};
use super::{Outcome, ensure};

fn policy(site: &Site<'_>, config: &Value) -> Policy {
    let config = config.as_object().cloned().unwrap_or_else(Map::new);
    Policy { config, ..site.subject.policy() }
}

pub(super) fn load(site: &Site<'_>) -> Outcome {
    let id = site.load("loaded")?;
    ensure!(site.state(&id)? == State::Running, "it is {} after a load", site.state(&id)?);
    let status = site.kernel.status(&id).map_err(told)?;
    let generation = status.generation.ok_or("a running plugin without a generation")?;
    ensure!(generation.actions.iter().any(|action| action == "echo"), "its actions are {:?}", generation.actions);
    let worker = generation.runtime.ends_with("/worker");
    ensure!(worker == site.subject.cell().is_worker(), "it runs in {}", generation.runtime);
    let again = block_on(site.kernel.load(&id)).err().map(|error| error.code());
    ensure!(again == Some(Code::AlreadyLoaded), "a second load gives {again:?}");
    block_on(site.kernel.ensure_loaded(&id)).map_err(told)?;
    block_on(site.kernel.stop(&id)).map_err(told)?;
    let refused = site.call(&id, "echo", "x").err().map(|error| error.code());
    ensure!(refused == Some(Code::NotRunning), "a call of a stopped plugin gives {refused:?}");
    block_on(site.kernel.start(&id)).map_err(told)?;
    site.echoes(&id, b"started again")
}

pub(super) fn bad_config(site: &Site<'_>) -> Outcome {
    let refused = policy(site, &json!({ "reject": true, "message": "not like this" }));
    let id = site.register("configured", refused)?;
    let Err(error) = block_on(site.kernel.load(&id)) else { return Err("a refused configuration loads".into()) };
    ensure!(error.record().kind == Kind::Initialize, "the kind is not `initialize`: {}", told(error));
    ensure!(site.state(&id)? == State::Failed, "it is {}, not failed", site.state(&id)?);
    site.kernel.set_policy(&id, policy(site, &json!({ "invalid": true })));
    let invalid = block_on(site.kernel.load(&id)).err().map(|error| error.code());
    ensure!(invalid == Some(Code::ConfigInvalid), "an invalid configuration gives {invalid:?}");
    site.kernel.set_policy(&id, policy(site, &json!({ "color": "blue" })));
    block_on(site.kernel.load(&id)).map_err(told)?;
    let given = site.call(&id, "config", "").map_err(told)?;
    ensure!(contains(&given, "blue"), "the plugin got {}", String::from_utf8_lossy(&given));
    let worse = json!({ "reject": true }).as_object().cloned().unwrap_or_default();
    ensure!(block_on(site.kernel.update_config(&id, worse)).is_err(), "a refused live change is accepted");
    let better = json!({ "color": "green" }).as_object().cloned().unwrap_or_default();
    block_on(site.kernel.update_config(&id, better)).map_err(told)?;
    let given = site.call(&id, "config", "").map_err(told)?;
    ensure!(contains(&given, "green"), "after a live change the plugin has {}", String::from_utf8_lossy(&given));
    Ok(())
}

fn contains(bytes: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(text)
}

pub(super) fn health(site: &Site<'_>) -> Outcome {
    let id = site.load_with("well", policy(site, &json!({ "health": "degraded" })))?;
    let health = block_on(site.kernel.health(&id)).map_err(told)?;
    ensure!(health.status == HealthStatus::Degraded, "a degraded plugin says {health:?}");
    block_on(site.kernel.update_config(&id, Map::new())).map_err(told)?;
    let health = block_on(site.kernel.health(&id)).map_err(told)?;
    ensure!(health.status == HealthStatus::Healthy, "a healthy plugin says {health:?}");
    ensure!(health.details.contains_key("counter"), "the details are {:?}", health.details);
    block_on(site.kernel.ping(&id)).map_err(told)
}

pub(super) fn unload(site: &Site<'_>) -> Outcome {
    let id = site.load("unloaded")?;
    site.echoes(&id, b"before")?;
    let details = site.kernel.status(&id).map_err(told)?.generation.map(|loaded| loaded.details).unwrap_or_default();
    block_on(site.kernel.unload(&id)).map_err(told)?;
    ensure!(site.state(&id)? == State::Registered, "it is {} after unloading", site.state(&id)?);
    let refused = site.call(&id, "echo", "x").err().map(|error| error.code());
    ensure!(refused == Some(Code::NotLoaded), "a call after unloading gives {refused:?}");
    let again = block_on(site.kernel.unload(&id)).err().map(|error| error.code());
    ensure!(again == Some(Code::NotLoaded), "a second unload gives {again:?}");
    let gone = site.eventually(|| site.subject.remains(site, &details).is_none());
    ensure!(gone, "after unloading there is left: {:?}", site.subject.remains(site, &details));
    block_on(site.kernel.load(&id)).map_err(told)?;
    site.echoes(&id, b"loaded again")
}

pub(super) fn reload(site: &Site<'_>) -> Outcome {
    let id = site.load("changing")?;
    for (round, version) in [(1, 2), (2, 1), (3, 2)] {
        let before = site.call(&id, "version", "").map_err(told)?;
        site.write("changing", version)?;
        block_on(site.kernel.reload(&id)).map_err(told)?;
        let after = site.call(&id, "version", "").map_err(told)?;
        let expected = format!("probe-version-0{version}");
        ensure!(after == expected.as_bytes(), "round {round}: {} after {}", show(&after), show(&before));
    }
    // What does not load leaves what runs.
    let broken = site.subject.plugin("changing", 1).code(&b"no code at all"[..]);
    broken.write(&site.folder()).map_err(|error| error.to_string())?;
    ensure!(block_on(site.kernel.reload(&id)).is_err(), "what is no code was loaded");
    let after = site.call(&id, "version", "").map_err(told)?;
    ensure!(after == b"probe-version-02", "after a failed reload it answers {}", show(&after));
    Ok(())
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
