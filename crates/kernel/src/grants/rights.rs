//! What a plugin asks for beside what it was granted.

use midplane_contract::{Permission, PluginId};
use serde::Serialize;

/// What a plugin asks for, and what it was granted.
#[derive(Debug, Clone, Serialize)]
pub struct Rights {
    /// The plugin.
    pub id: PluginId,
    /// Whether it is registered. What it asks for is not known otherwise.
    pub registered: bool,
    /// What its manifest asks for.
    pub asked: Vec<Asked>,
    /// What was granted for good, and with `!` denied.
    pub granted: Vec<Permission>,
    /// What the settings, the command line or the program around the host grant and deny while it runs.
    pub settings: Vec<Permission>,
    /// Lasting grants of which its manifest asks for nothing: they change nothing. Empty where it is not registered.
    pub unasked: Vec<Permission>,
}

/// One permission that a manifest asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// The permission.
    pub permission: Permission,
    /// What came of it.
    pub standing: Standing,
}

/// What came of a permission that was asked for, as far as can be said without knowing what it will be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// All of it is granted.
    Granted,
    /// Some of it is granted, or some of it denied.
    Partly,
    /// It is denied.
    Denied,
    /// Nothing of it is granted.
    NotGranted,
}

impl Rights {
    /// Puts together what is known. `declared` is the manifest's, where the plugin is registered.
    pub(crate) fn of(
        id: PluginId,
        declared: Option<&[Permission]>,
        granted: Vec<Permission>,
        settings: Vec<Permission>,
    ) -> Self {
        let asks = || declared.iter().copied().flatten().filter(|asked| !asked.denies());
        let all: Vec<&Permission> = granted.iter().chain(&settings).collect();
        let asked = asks().map(|it| Asked { permission: it.clone(), standing: standing(it, &all) }).collect();
        let changes_nothing = |it: &&Permission| !it.denies() && !asks().any(|asked| touches(it, asked));
        let unasked = granted.iter().filter(changes_nothing).filter(|_| declared.is_some()).cloned().collect();
        Self { id, registered: declared.is_some(), asked, granted, settings, unasked }
    }
}

/// Pure.
fn standing(asked: &Permission, granted: &[&Permission]) -> Standing {
    let (denials, grants): (Vec<&Permission>, Vec<&Permission>) =
        granted.iter().copied().partition(|rule| rule.denies());
    if denials.iter().any(|rule| is_all_of(rule, asked)) {
        return Standing::Denied;
    }
    if !grants.iter().any(|rule| touches(rule, asked)) {
        return Standing::NotGranted;
    }
    let whole = grants.iter().any(|rule| is_all_of(rule, asked));
    let narrowed = denials.iter().any(|rule| touches(rule, asked));
    if whole && !narrowed { Standing::Granted } else { Standing::Partly }
}

/// Whether a rule speaks about every target that a permission does. A pattern is within another when that matches it as it
/// is written, and with more levels where it may have more.
fn is_all_of(rule: &Permission, asked: &Permission) -> bool {
    let text = asked.as_str();
    let any_target = !rule.as_str().contains(':');
    any_target && rule.covers(text)
        || text.contains(':') && rule.covers(text) && rule.covers(&text.replace("**", "\u{1}/\u{1}"))
}

/// Whether a rule and a permission may speak about the same.
fn touches(rule: &Permission, asked: &Permission) -> bool {
    let (rule, asked) = (rule.name(), asked.name());
    let split = |name: &str| name.split_once('.').map(|(area, verb)| (area.to_owned(), verb.to_owned()));
    match (split(&rule), split(&asked)) {
        (Some((area, verb)), Some((other, asked))) => area == other && (verb == asked || verb == "*" || asked == "*"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(texts: &[&str]) -> Vec<Permission> {
        texts.iter().map(|text| Permission::parse(text).unwrap()).collect()
    }

    fn of(asked: &str, granted: &[&str]) -> Standing {
        let granted = rules(granted);
        standing(&Permission::parse(asked).unwrap(), &granted.iter().collect::<Vec<_>>())
    }

    #[test]
    fn what_is_asked_for_is_granted_in_part_or_whole_or_denied() {
        use Standing::{Denied, Granted, NotGranted, Partly};
        for (asked, granted, is) in [
            ("state.read", &[][..], NotGranted),
            ("state.read", &["state.write"], NotGranted),
            ("state.read", &["state.read"], Granted),
            ("state.get", &["state.read"], Granted),
            ("state.read", &["state.*"], Granted),
            ("state.*", &["state.read"], Partly),
            ("state.read", &["state.read:a"], Partly),
            ("state.read:a", &["state.read"], Granted),
            ("file.read:/data/**", &["file.read:/data/**"], Granted),
            ("file.read:/data/**", &["file.read:/**"], Granted),
            ("file.read:/data/**", &["file.read:/data/*"], Partly),
            ("file.read:/data/*", &["file.read:/data/x"], Partly),
            ("file.read", &["file.read", "!file.read"], Denied),
            ("file.read:/a", &["file.read", "!file.read:/**"], Denied),
            ("file.read", &["file.read", "!file.read:/etc/**"], Partly),
            ("file.read", &["!file.read:/etc/**"], NotGranted),
        ] {
            assert_eq!(of(asked, granted), is, "{asked} {granted:?}");
        }
    }

    #[test]
    fn grants_that_nobody_asked_for_are_named_where_it_is_known() {
        let id = PluginId::new("p").unwrap();
        let granted = rules(&["state.read", "file.read", "!network.http"]);
        let asked = rules(&["state.*", "!file.read"]);
        let known = Rights::of(id.clone(), Some(&asked), granted.clone(), Vec::new());
        assert_eq!(known.unasked, rules(&["file.read"]));
        assert_eq!(known.asked.len(), 1, "what a manifest denies itself is not asked for");
        assert!(Rights::of(id, None, granted, Vec::new()).unasked.is_empty());
    }
}
