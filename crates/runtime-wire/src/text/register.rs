//! The first message of a plugin.

use std::collections::BTreeMap;

use midplane_contract::frame::message::{Hello, Loaded, PeerLimits};
use midplane_contract::{ActionName, ActionSpec, Hook, Manifest, PluginInfo, defaults};
use serde::Deserialize;
use serde_json::Value;

use super::fields::Fields;
use super::hooks;
use super::payload::{Encoding, Form};

/// Bytes that a plugin takes in one message at least.
const LEAST_PAYLOAD: u64 = 1024;

/// What a plugin said of itself when it registered.
#[derive(Debug, Clone, Default)]
pub struct Registration {
    info: PluginInfo,
    actions: Option<Vec<ActionName>>,
    hooks: Option<Vec<String>>,
    /// How it wants to be given bytes.
    pub encoding: Encoding,
    payload: usize,
}

/// An action by its name or as a whole.
#[derive(Deserialize)]
#[serde(untagged)]
enum Action {
    Spec(Box<ActionSpec>),
    Other(Value),
}

impl Registration {
    /// Reads the params of `register`, a JSON object.
    ///
    /// # Errors
    /// What is wrong with them, as a sentence.
    pub fn read(params: &str) -> Result<Self, String> {
        Self::of(&Fields::of(params)?)
    }

    pub(super) fn of(params: &Fields<'_>) -> Result<Self, String> {
        let text = |name: &str| params.read::<String>(name).map(Option::unwrap_or_default);
        let capabilities: Vec<String> = params.read("capabilities")?.unwrap_or_default();
        let specs = match params.read::<Vec<Action>>("actions")? {
            Some(actions) => Some(actions.into_iter().map(spec).collect::<Result<Vec<_>, _>>()?),
            None => None,
        };
        let named = || capabilities.iter().filter_map(|name| ActionName::new(name).ok()).collect::<Vec<_>>();
        let actions = match &specs {
            Some(specs) => Some(specs.iter().map(|spec| spec.name.clone()).collect()),
            None if capabilities.is_empty() => None,
            None => Some(named()),
        };
        let attach = params.read::<u64>("attach")?.map(|most| usize::try_from(most).unwrap_or(usize::MAX));
        let form = params.read::<Form>("encoding")?.unwrap_or_default();
        let cap = defaults::PAYLOAD_CAP as u64;
        let payload = params.read::<u64>("payload")?.unwrap_or(cap).clamp(LEAST_PAYLOAD, cap);
        Ok(Self {
            info: PluginInfo {
                id: text("plugin_id")?,
                name: text("name")?,
                version: text("version")?,
                description: text("description")?,
                author: text("author")?,
                license: text("license")?,
                homepage: text("homepage")?,
                capabilities,
                actions: specs.unwrap_or_default(),
                ..PluginInfo::default()
            },
            actions,
            hooks: params.read("hooks")?,
            encoding: Encoding::new(form, attach),
            payload: usize::try_from(payload).unwrap_or(defaults::PAYLOAD_CAP),
        })
    }

    /// The greeting of the wire protocol that says the same.
    pub(super) fn hello(&self) -> Hello {
        let name = if self.info.name.is_empty() { "text" } else { &self.info.name };
        let limits = PeerLimits {
            chunk: defaults::WIRE_CHUNK,
            payload: self.payload,
            // Messages come whole: the host may send all of one without waiting.
            window: self.payload.max(defaults::WIRE_CHUNK),
        };
        Hello { limits, ..Hello::ours(format!("{name} {}", self.info.version).trim()) }
    }

    /// The answer to `LOAD` that says the same.
    pub(super) fn loaded(&self, manifest: &Manifest) -> Loaded {
        let listed = || manifest.actions.iter().map(|spec| spec.name.clone()).collect();
        let hooks = match &self.hooks {
            Some(named) => named
                .iter()
                .filter(|name| Hook::from_name(name).is_some_and(|hook| hook != Hook::Info))
                .cloned()
                .collect(),
            None => hooks::USUAL.iter().map(|hook| hook.name().to_owned()).collect(),
        };
        Loaded {
            info: self.info.clone(),
            actions: self.actions.clone().unwrap_or_else(listed),
            hooks,
            details: [("protocol".to_owned(), "text".into())]
                .into_iter()
                .collect::<BTreeMap<_, Value>>()
                .into_iter()
                .collect(),
            ..Loaded::default()
        }
    }
}

fn spec(action: Action) -> Result<ActionSpec, String> {
    match action {
        Action::Spec(spec) => Ok(*spec),
        Action::Other(other) => {
            let shown: String = other.to_string().chars().take(80).collect();
            Err(format!("`actions`: {shown} is neither the name of an action nor a map with one"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let json = serde_json::json!({"id": "p", "name": "P", "version": "1.0.0", "actions": ["from-manifest"],
            "entry": {"main": "p.sh", "runtime": "script"}});
        serde_json::from_value(json).unwrap()
    }

    fn names(params: &str) -> Vec<String> {
        let loaded = Registration::read(params).unwrap().loaded(&manifest());
        loaded.actions.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn actions_come_from_the_first_that_names_some() {
        assert_eq!(
            names(r#"{"actions": ["a", {"name": "b", "idempotent": true}], "capabilities": ["c"]}"#),
            ["a", "b"]
        );
        assert_eq!(names(r#"{"capabilities": ["search", "not an action"]}"#), ["search"]);
        assert_eq!(names("{}"), ["from-manifest"]);
        assert!(names(r#"{"actions": []}"#).is_empty());
    }

    #[test]
    fn hooks_are_those_named_or_the_usual_ones() {
        let hooks = |params: &str| Registration::read(params).unwrap().loaded(&manifest()).hooks;
        assert_eq!(hooks(r#"{"hooks": ["init", "info", "of-a-later-version"]}"#), ["init"]);
        assert_eq!(hooks("{}").len(), 6);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for bad in
            [r#"{"actions": ["not an action"]}"#, r#"{"encoding": "xml"}"#, r#"{"attach": -1}"#, r#"{"name": 5}"#, "5"]
        {
            assert!(Registration::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_greeting_says_what_the_plugin_takes() {
        let limits = |params: &str| Registration::read(params).unwrap().hello().limits;
        assert_eq!(limits("{}").payload, defaults::PAYLOAD_CAP);
        assert_eq!(limits(r#"{"payload": 10}"#).payload, 1024);
        assert_eq!(limits(r#"{"payload": 5000}"#).window, defaults::WIRE_CHUNK);
    }
}
