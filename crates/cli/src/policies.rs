//! From `--placement`, `--trust`, `--grant` and `--config` to one policy per plugin.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use midplane::contract::defaults;
use midplane::{Code, Error, PluginId, Policy};
use serde_json::{Map, Value};

use crate::args::Policies;
use crate::exit::Outcome;
use crate::input::Input;

/// One policy for each plugin that is named. Where a thing is decided twice the last word counts; grants add up.
///
/// # Errors
/// `config_invalid` for a configuration that is no JSON object; a file that cannot be read.
pub(crate) fn by_plugin(policies: &Policies) -> Outcome<BTreeMap<PluginId, Policy>> {
    let mut named: BTreeMap<PluginId, Policy> = BTreeMap::new();
    for placement in &policies.placement {
        named.entry(placement.id.clone()).or_default().placement = Some(placement.value);
    }
    for trust in &policies.trust {
        named.entry(trust.id.clone()).or_default().trust = trust.value;
    }
    for grant in &policies.grant {
        named.entry(grant.id.clone()).or_default().grants.push(grant.value.clone());
    }
    for config in &policies.config {
        named.entry(config.id.clone()).or_default().config = configuration(&config.id, &config.value)?;
    }
    Ok(named)
}

fn configuration(id: &PluginId, written: &str) -> Outcome<Map<String, Value>> {
    let text = match Input::parse(Some(OsStr::new(written)))? {
        Input::Stdin => Input::Text(b"-".to_vec()),
        input => input,
    };
    let text = text.read(defaults::MANIFEST_SIZE as u64)?;
    let invalid = |message: String| {
        let remedy = "write a JSON object, for example {\"top\": 5}, or the name of a file that holds one";
        Error::new(Code::ConfigInvalid, message).remedy(remedy).plugin(id)
    };
    match serde_json::from_slice(&text) {
        Ok(Value::Object(config)) => Ok(config),
        Ok(_) => Err(invalid(format!("the configuration of `{id}` is no JSON object")).into()),
        Err(error) => Err(invalid(format!("the configuration of `{id}` is no JSON: {error}")).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_gathered_by_plugin() {
        let policies = Policies {
            placement: vec![crate::args::For { id: PluginId::new("a").unwrap(), value: midplane::Placement::Worker }],
            trust: Vec::new(),
            grant: Vec::new(),
            config: vec![crate::args::For { id: PluginId::new("a").unwrap(), value: "{\"n\": 1}".to_owned() }],
        };
        let named = by_plugin(&policies).unwrap();
        let policy = named.get("a").unwrap();
        assert_eq!(policy.placement, Some(midplane::Placement::Worker));
        assert_eq!(policy.config.get("n"), Some(&Value::from(1)));
    }
}
