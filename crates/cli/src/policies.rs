//! From `--placement`, `--trust`, `--grant` and `--config` to one policy per plugin.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use midplane::contract::{Settings, defaults};
use midplane::settings::{Sources, read};
use midplane::{Code, Error, PluginId, Policy};
use serde_json::{Map, Value};

use crate::args::Policies;
use crate::exit::{Exit, Outcome, Stop};
use crate::input::Input;
use crate::notice;

/// One policy for each plugin that is named. Where a thing is decided twice the last word counts; grants add up.
///
/// # Errors
/// `config_invalid` for a configuration that is no JSON object; a file that cannot be read.
pub(crate) fn by_plugin(policies: &Policies, settings: &Settings) -> Outcome<BTreeMap<PluginId, Policy>> {
    let mut named: BTreeMap<PluginId, Policy> = BTreeMap::new();
    for placement in &policies.placement {
        of(&mut named, &placement.id, settings).placement = Some(placement.value);
    }
    for trust in &policies.trust {
        of(&mut named, &trust.id, settings).trust = trust.value;
    }
    for grant in &policies.grant {
        of(&mut named, &grant.id, settings).grants.push(grant.value.clone());
    }
    for config in &policies.config {
        of(&mut named, &config.id, settings).config = configuration(&config.id, &config.value)?;
    }
    Ok(named)
}

/// The policy of a plugin that is named: what the settings say where nothing was named yet.
pub(crate) fn of<'a>(named: &'a mut BTreeMap<PluginId, Policy>, id: &PluginId, settings: &Settings) -> &'a mut Policy {
    let said = || midplane::settings::policies(settings).remove(id).unwrap_or_default();
    named.entry(id.clone()).or_insert_with(said)
}

/// The settings of files, environment and command line; what nothing goes by is said. Without any of them the defaults.
///
/// # Errors
/// `config_invalid` with every fault, and a file that cannot be read.
pub(crate) fn settings(sources: &Sources) -> Outcome<Settings> {
    let (settings, faults) = read(sources).map_err(unread)?.into_result()?;
    for (file, faults) in &faults {
        faults.iter().for_each(|fault| notice::say(&fault.in_file(file)));
    }
    Ok(settings)
}

/// A file of settings, or one that they name, that cannot be read: perhaps there is none.
pub(crate) fn unread(error: Error) -> Stop {
    let file = error.record().data.get("file").and_then(Value::as_str).map(Path::new);
    match file {
        Some(file) if error.code() == Code::Io && !file.exists() => Stop::Failed(error, Exit::NotFound),
        _ => error.into(),
    }
}

impl Policies {
    /// Where settings come from.
    pub(crate) fn sources(&self) -> Sources {
        self.settings.sources()
    }
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
            settings: crate::args::Settings::default(),
        };
        let named = by_plugin(&policies, &Settings::default()).unwrap();
        let policy = named.get("a").unwrap();
        assert_eq!(policy.placement, Some(midplane::Placement::Worker));
        assert_eq!(policy.config.get("n"), Some(&Value::from(1)));
    }
}
