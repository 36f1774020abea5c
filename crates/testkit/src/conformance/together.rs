//! Plugins that cooperate: configuration that changes, dependencies that come and go, state and measurements, and
//! questions on the bus.

use midplane_contract::{Code, Permission, PluginId};
use midplane_kernel::{Policy, block_on};
use serde_json::{Map, Value, json};

use super::site::{Site, told};
use super::{Outcome, ensure};

pub(super) fn fields(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// The subject's policy with permissions granted.
pub(super) fn granted(site: &Site<'_>, permissions: &[&str]) -> Result<Policy, String> {
    let grants = permissions.iter().copied().map(Permission::parse).collect::<Result<_, _>>();
    Ok(Policy { grants: grants.map_err(|error| error.to_string())?, ..site.subject.policy() })
}

pub(super) fn host(
    site: &Site<'_>,
    id: &PluginId,
    function: &str,
    args: &Value,
    payload: &str,
) -> Result<Vec<u8>, String> {
    let ask = json!({ "function": function, "args": args, "payload": payload });
    site.call(id, "host", ask.to_string()).map_err(told)
}

/// What an action without input answers, as JSON.
fn answer(site: &Site<'_>, id: &PluginId, action: &str) -> Result<Value, String> {
    let reply = site.call(id, action, "").map_err(told)?;
    serde_json::from_slice(&reply).map_err(|error| format!("{action} answers no JSON: {error}"))
}

fn history(site: &Site<'_>, id: &PluginId) -> Result<Vec<String>, String> {
    serde_json::from_value(answer(site, id, "history")?).map_err(|error| error.to_string())
}

/// A configuration that changes while the plugin runs: the hook has the whole of it, the host gives out the same, and one
/// that is refused leaves the one before in both places.
pub(super) fn config_changed(site: &Site<'_>) -> Outcome {
    let color = |color: &str| fields(json!({ "color": color, "depth": 3 }));
    let id = site.load_with("reconfigured", Policy { config: color("blue"), ..site.subject.policy() })?;
    let before = history(site, &id)?;
    ensure!(!before.iter().any(|hook| hook == "config_changed"), "before any change it has run {before:?}");
    let generation = site.kernel.status(&id).map_err(told)?.generation.map(|generation| generation.number);
    let is = |wanted: &str| -> Outcome {
        let (own, told) =
            (answer(site, &id, "config")?, host(site, &id, "config.get", &json!({ "key": "color" }), "")?);
        ensure!(own == Value::from(color(wanted)), "the plugin has {own}");
        ensure!(told == json!(wanted).to_string().as_bytes(), "the host gives out {}", String::from_utf8_lossy(&told));
        Ok(())
    };
    is("blue")?;
    block_on(site.kernel.update_config(&id, color("green"))).map_err(told)?;
    is("green")?;
    let refused = fields(json!({ "color": "red", "reject": true }));
    ensure!(block_on(site.kernel.update_config(&id, refused)).is_err(), "a refused change is accepted");
    is("green")?;
    let after = history(site, &id)?;
    let changes = after.iter().filter(|hook| *hook == "config_changed").count();
    // One whose endpoints are several is told again what holds, where one of them refuses.
    ensure!(changes >= 2 && after.starts_with(&before), "two changes later it has run {after:?}, before {before:?}");
    let now = site.kernel.status(&id).map_err(told)?.generation.map(|generation| generation.number);
    ensure!(now == generation, "a change of the configuration made another generation of it");
    Ok(())
}

/// An optional dependency that comes, goes and comes again.
pub(super) fn dependency_changed(site: &Site<'_>) -> Outcome {
    let wish = json!([{ "id": "helping", "version": "*", "optional": true }]);
    let folder = site.subject.plugin("wishing", 1).with("dependencies", wish);
    let id = site.load_folder(&folder, site.subject.policy())?;
    let told_of = || -> Result<Vec<String>, String> {
        Ok(history(site, &id)?.into_iter().filter(|hook| hook.starts_with("dependency_changed ")).collect())
    };
    let mut expected = Vec::new();
    let mut becomes = |there: bool| -> Outcome {
        expected.push(format!("dependency_changed helping {there}"));
        let is_so = site.eventually(|| told_of().is_ok_and(|told| told == expected));
        ensure!(is_so, "it was told {:?}, and should have been {expected:?}", told_of()?);
        Ok(())
    };
    let helping = site.load("helping")?;
    becomes(true)?;
    block_on(site.kernel.stop(&helping)).map_err(told)?;
    becomes(false)?;
    block_on(site.kernel.start(&helping)).map_err(told)?;
    becomes(true)
}

/// State outlives a generation, ends with its time and is nobody else's; measurements add up.
pub(super) fn state_and_metrics(site: &Site<'_>) -> Outcome {
    let permissions = ["state.read", "state.write", "metrics.write"];
    let id = site.load_with("keeping", granted(site, &permissions)?)?;
    let other = site.load_with("beside", granted(site, &permissions)?)?;
    let get = |id: &PluginId, key: &str| host(site, id, "state.get", &json!({ "key": key }), "");
    let count = || host(site, &id, "metrics.count", &json!({ "name": "rounds", "labels": { "kind": "test" } }), "");
    host(site, &id, "state.set", &json!({ "key": "kept" }), "for good")?;
    host(site, &id, "state.set", &json!({ "key": "brief", "ttl_ms": 1 }), "not for long")?;
    count()?;
    site.write("keeping", 2)?;
    block_on(site.kernel.reload(&id)).map_err(told)?;
    count()?;
    ensure!(get(&id, "kept")? == b"for good", "the next generation finds {:?}", get(&id, "kept"));
    ensure!(site.eventually(|| get(&id, "brief").is_err()), "what had a millisecond to live is still there");
    let foreign = get(&other, "kept");
    ensure!(foreign.is_err(), "the state of one plugin is another's: {foreign:?}");
    let series = site.kernel.metrics(&id).map_err(told)?;
    let series = serde_json::to_value(series).map_err(|error| error.to_string())?;
    let expected = json!([{ "name": "rounds", "labels": { "kind": "test" }, "kind": "counter", "value": 2.0 }]);
    ensure!(series == expected, "two rounds are measured as {series}");
    Ok(())
}

/// What the `event` hook returns answers who asks: the program around, and another plugin. Its error comes back too.
pub(super) fn bus_request(site: &Site<'_>) -> Outcome {
    let policy = granted(site, &["bus.subscribe", "bus.publish"])?;
    let answers = fields(json!({ "answer": { "total": 7 } }));
    let id = site.load_with("informed", Policy { config: answers.clone(), ..policy.clone() })?;
    let other = site.load_with("curious", policy)?;
    let topic = json!({ "topic": "conformance.total" });
    host(site, &id, "bus.subscribe", &topic, "")?;
    let asked = |data: Value| block_on(site.kernel.bus().request("conformance.total", data, site.subject.patience()));
    let expected = json!({ "total": 7 });
    let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).map_err(|error| format!("no JSON: {error}"));
    let reply = read(&asked(json!({ "of": "program" })).map_err(told)?)?;
    ensure!(reply == expected, "the program was answered {reply}");
    let reply = read(&host(site, &other, "bus.request", &topic, "{\"of\":\"plugin\"}")?)?;
    ensure!(reply == expected, "the plugin was answered {reply}");
    let questions = answer(site, &id, "events")?;
    ensure!(questions == json!([{ "of": "program" }, { "of": "plugin" }]), "it was asked {questions}");
    let mut fails = answers;
    fails.insert("fail_in".to_owned(), json!(["event"]));
    block_on(site.kernel.update_config(&id, fails)).map_err(told)?;
    let failed = asked(Value::Null).err().map(|error| (error.code(), error.record().data.get("code").cloned()));
    ensure!(failed == Some((Code::PluginError, Some(json!("hook_failed")))), "a hook that fails answers {failed:?}");
    block_on(site.kernel.update_config(&id, Map::new())).map_err(told)?;
    let silence = asked(Value::Null);
    ensure!(silence.as_ref().is_ok_and(Vec::is_empty), "a hook that returns nothing answers {silence:?}");
    Ok(())
}
