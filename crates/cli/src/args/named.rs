//! Values that belong to one plugin, `ID=VALUE`, and durations.

use std::time::Duration;

use midplane::contract::manifest::parse_duration;
use midplane::resolve::{Requirement, Strategy};
use midplane::{Permission, Placement, PluginId, Trust, VersionRange};

use crate::nearest::did_you_mean;

/// A value for one plugin.
#[derive(Debug, Clone)]
pub(crate) struct For<T> {
    /// The plugin.
    pub(crate) id: PluginId,
    /// What is decided.
    pub(crate) value: T,
}

/// `ID=TEXT`.
pub(crate) fn text(text: &str) -> Result<For<String>, String> {
    parse(text, |value| Ok(value.to_owned()))
}

/// `ID=PLACEMENT`.
pub(crate) fn placement(text: &str) -> Result<For<Placement>, String> {
    let words = Placement::ALL.iter().map(|placement| placement.as_str());
    parse(text, |value| Placement::from_word(value).ok_or_else(|| unknown(value, "placement", words)))
}

/// `ID=TRUST`.
pub(crate) fn trust(text: &str) -> Result<For<Trust>, String> {
    let words = Trust::ALL.iter().map(|trust| trust.as_str());
    parse(text, |value| Trust::from_word(value).ok_or_else(|| unknown(value, "trust", words)))
}

/// `ID=PERMISSION`.
pub(crate) fn permission(text: &str) -> Result<For<Permission>, String> {
    parse(text, |value| Permission::parse(value).map_err(|error| error.to_string()))
}

/// A plugin: its id, or a path of it, which is made absolute since a host may be in another folder. No id has a `/`.
pub(crate) fn plugin(text: &str) -> Result<String, String> {
    if !text.contains('/') && !matches!(text, "." | "..") {
        return PluginId::new(text).map(|id| id.to_string()).map_err(|error| error.to_string());
    }
    let path = std::path::absolute(text).map_err(|error| error.to_string())?;
    path.into_os_string().into_string().map_err(|_| "the path is not UTF-8 text".to_owned())
}

/// A duration with its unit.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number and a unit: 500ms, 1.5s, 2m".to_owned();
    parse_duration(text).filter(|time| !time.is_zero()).ok_or_else(wrong)
}

/// `ID` or `ID@RANGE`.
pub(crate) fn requirement(text: &str) -> Result<Requirement, String> {
    let (id, range) = text.split_once('@').unwrap_or((text, "*"));
    let id = PluginId::new(id).map_err(|error| error.to_string())?;
    Ok(Requirement { id, range: VersionRange::parse(range).map_err(|error| error.to_string())? })
}

/// A strategy.
pub(crate) fn strategy(text: &str) -> Result<Strategy, String> {
    match text {
        "semver" => Ok(Strategy::Semver),
        "exact" => Ok(Strategy::Exact),
        "latest" => Ok(Strategy::Latest),
        _ => Err(unknown(text, "strategy", ["semver", "exact", "latest"].into_iter())),
    }
}

fn parse<T>(text: &str, value: impl FnOnce(&str) -> Result<T, String>) -> Result<For<T>, String> {
    let (id, rest) = text.split_once('=').ok_or("write the plugin's id, `=`, and the value")?;
    let id = PluginId::new(id).map_err(|error| error.to_string())?;
    Ok(For { id, value: value(rest)? })
}

fn unknown<'a>(value: &str, what: &str, words: impl Iterator<Item = &'a str> + Clone) -> String {
    let all = words.clone().collect::<Vec<_>>().join(", ");
    let near = did_you_mean(value, words, "words");
    let near = if near.starts_with("did") { format!(" ({near})") } else { String::new() };
    format!("`{value}` is no {what}: write one of {all}{near}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_belong_to_a_plugin() {
        let named = placement("text-stats=worker").unwrap();
        assert_eq!((named.id.as_str(), named.value), ("text-stats", Placement::Worker));
        assert_eq!(text("a={\"b\": \"=\"}").unwrap().value, "{\"b\": \"=\"}");
        assert_eq!(permission("a=!plugin.call:b/*").unwrap().value.as_str(), "!plugin.call:b/*");
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(trust("a=trustd").unwrap_err().contains("did you mean `trusted`"));
        assert!(trust("trusted").unwrap_err().contains("`=`"));
        assert!(placement("A=worker").unwrap_err().contains("plugin id"));
        assert!(permission("a=x").unwrap_err().contains("AREA.VERB"));
        assert!(duration("5").is_err() && duration("0s").is_err() && duration("5s").is_ok());
    }
}
