//! Configuration: what breaks the schema, and changes while it runs.

use midplane_contract::{Code, Manifest};
use midplane_kernel::{block_on, config};
use serde_json::{Map, Value, json};

use super::{ASK, Done, Ground, failed, skip};
use crate::suite::excerpt;
use crate::suite::verdict::FailureKind;

/// Fields of the schema that are tried.
const FIELDS: usize = 50;
/// Configurations of cases that are tried.
const CONFIGS: usize = 5;

pub(super) fn bad(ground: &mut Ground<'_>) -> Done {
    if ground.manifest.config_schema.is_none() {
        return Err(skip("the manifest has no config_schema"));
    }
    let operator = ground.stage.policy(&ground.config).config;
    let Some(broken) = violation(ground.manifest, &operator) else {
        return Err(skip("the schema accepts everything that was tried"));
    };
    ground.fresh()?;
    let shown = excerpt::json(&Value::Object(broken.clone()));
    let before = effective(ground)?;
    let mut whole = operator.clone();
    whole.extend(broken.clone());
    let changed = ground.stage.operate("a change", ASK, move |kernel, id| block_on(kernel.update_config(&id, whole)));
    match changed {
        Err(error) if error.code() == Code::ConfigInvalid => {}
        Err(error) => return Err(error.into()),
        Ok(()) => return Err(failed(FailureKind::WrongAnswer, format!("{shown} is accepted while it runs"))),
    }
    ground.alive()?;
    let after = effective(ground)?;
    if before != after {
        let reason = "a configuration that was refused is in effect";
        return Err(failed(FailureKind::WrongAnswer, format!("{reason}: {}", excerpt::json(&after))));
    }
    let mut config = ground.config.clone();
    config.extend(broken);
    match ground.stage.fresh(&config) {
        Err(error) if error.code() == Code::ConfigInvalid => Ok(vec![format!("tried with {shown}")]),
        Err(error) => Err(error.into()),
        Ok(()) => Err(failed(FailureKind::WrongAnswer, format!("it loads with {shown}"))),
    }
}

fn effective(ground: &mut Ground<'_>) -> Result<Value, super::Outcome> {
    Ok(ground.stage.operate("its configuration", ASK, |kernel, id| block_on(kernel.config(&id)))?)
}

/// A configuration that the schema refuses, found by trying.
fn violation(manifest: &Manifest, operator: &Map<String, Value>) -> Option<Map<String, Value>> {
    let schema = manifest.config_schema.as_ref()?;
    let named = schema.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys);
    let fields = named.take(FIELDS).map(String::as_str).chain(["midplane test: no such field"]);
    let values = [json!("midplane test"), json!({ "midplane": [] }), json!(-1.5e300), json!([[]])];
    let tries = fields.flat_map(|field| values.iter().map(move |value| (field, value)));
    let mut tries = tries.map(|(field, value)| Map::from_iter([(field.to_owned(), value.clone())]));
    tries.find(|broken| {
        let mut config = operator.clone();
        config.extend(broken.clone());
        config::effective(Some(schema), &manifest.config, &config)
            .is_err_and(|error| error.code() == Code::ConfigInvalid)
    })
}

pub(super) fn live(ground: &mut Ground<'_>) -> Done {
    ground.fresh()?;
    let operator = ground.stage.policy(&ground.config).config;
    change(ground, operator.clone())?;
    let mut notes = Vec::new();
    let others: Vec<_> = ground.configs.iter().take(CONFIGS).cloned().collect();
    for config in others {
        let shown = excerpt::json(&Value::Object(config.clone()));
        let mut whole = operator.clone();
        whole.extend(config);
        let changed =
            ground.stage.operate("a change", ASK, move |kernel, id| block_on(kernel.update_config(&id, whole)));
        match changed {
            Ok(()) => {}
            // A plugin may want to be loaded anew for some changes; it has to say so and go on.
            Err(error) if matches!(error.code(), Code::ConfigInvalid | Code::NotSupported) => {
                notes.push(format!("it refuses {shown} while it runs: {}", excerpt::text(&error.record().message)));
            }
            Err(error) => return Err(error.into()),
        }
        ground.alive()?;
    }
    change(ground, operator)?;
    Ok(notes)
}

fn change(ground: &mut Ground<'_>, config: Map<String, Value>) -> Result<(), super::Outcome> {
    ground.stage.operate("a change", ASK, move |kernel, id| block_on(kernel.update_config(&id, config)))?;
    ground.alive()
}
