//! The gate: every use of the host API passes it. Authority = manifest ∩ grant ∩ what every plugin in the caller
//! chain may do. Default deny; deny wins.

mod reach;

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use midplane_contract::permission::{Decision, Refusal, Side, decide};
use midplane_contract::{Code, Error, Permission, PluginId, Result};

use crate::call::Scope;
use crate::fetch::{Place, Reach};

/// Who declared and was granted what.
#[derive(Default)]
pub(crate) struct Gate {
    rules: RwLock<BTreeMap<PluginId, Rules>>,
}

#[derive(Default, Clone)]
struct Rules {
    declared: Vec<Permission>,
    granted: Vec<Permission>,
}

impl Gate {
    /// Takes over what a manifest declares and an operator granted.
    pub(crate) fn set(&self, plugin: &PluginId, declared: Vec<Permission>, granted: Vec<Permission>) {
        let rules = Rules { declared, granted };
        self.rules.write().unwrap_or_else(PoisonError::into_inner).insert(plugin.clone(), rules);
    }

    /// Forgets a plugin: it may do nothing.
    pub(crate) fn forget(&self, plugin: &PluginId) {
        self.rules.write().unwrap_or_else(PoisonError::into_inner).remove(plugin);
    }

    /// Whether a plugin may do what is asked, and everybody who waits for it as well.
    ///
    /// # Errors
    /// `permission_denied {permission}`; the message says who may not, and why.
    pub(crate) fn check(&self, plugin: &PluginId, scope: &Scope, asked: &str) -> Result<()> {
        self.check_each(plugin, scope, (asked, asked), |_| {})
    }

    /// As [`Gate::check`], for a web address, of which errors hold only what may be `shown`; and how far all of them
    /// together may reach.
    ///
    /// # Errors
    /// As [`Gate::check`].
    pub(crate) fn check_web(&self, plugin: &PluginId, scope: &Scope, place: &Place<'_>) -> Result<Reach> {
        let asked = format!("network.http:{}", place.url);
        let shown = format!("network.http:{}", place.shown);
        let mut least = Reach::Anywhere;
        self.check_each(plugin, scope, (&asked, &shown), |rules| {
            least = least.min(reach::reach(&rules.granted, &asked, place.host));
        })?;
        Ok(least)
    }

    /// Asks for everybody concerned; the second text stands for the first in errors.
    fn check_each(
        &self,
        plugin: &PluginId,
        scope: &Scope,
        (asked, shown): (&str, &str),
        mut allowed: impl FnMut(&Rules),
    ) -> Result<()> {
        let rules = self.rules.read().unwrap_or_else(PoisonError::into_inner);
        let waiting = scope.caller.iter().flat_map(|caller| caller.chain()).map(|link| &link.plugin);
        let none = Rules::default();
        for who in std::iter::once(plugin).chain(waiting) {
            let of = rules.get(who).unwrap_or(&none);
            if let Decision::Denied(refusal) = decide(&of.declared, &of.granted, asked) {
                let error = denied(plugin, who, shown, refusal);
                let hint = match refusal {
                    Refusal::NotDeclared => short(&of.declared, asked),
                    Refusal::NotGranted(_) => short(&of.granted, asked),
                    Refusal::ByRule(..) | Refusal::NotUnderstood => None,
                };
                return Err(hint.into_iter().fold(error, Error::remedy));
            }
            allowed(of);
        }
        Ok(())
    }
}

/// What to write in place of a rule that would allow it, did its `*` not end at a `/`.
fn short(rules: &[Permission], asked: &str) -> Option<String> {
    rules.iter().filter(|rule| !rule.denies() && !rule.covers(asked)).find_map(|rule| {
        let longer = rule.as_str().replace("**", "*").replace('*', "**").replacen(".**", ".*", 1);
        let fits = Permission::parse(&longer).is_ok_and(|longer| longer.covers(asked));
        fits.then(|| format!("write `{longer}` instead of `{rule}`: `*` ends at a `/`, `**` does not"))
    })
}

fn denied(plugin: &PluginId, who: &PluginId, asked: &str, refusal: Refusal<'_>) -> Error {
    let on_behalf = if who == plugin { String::new() } else { format!(", for which `{plugin}` acts,") };
    let (why, remedy) = match refusal {
        Refusal::ByRule(Side::Manifest, rule) => {
            (format!("the rule `{rule}` of its manifest denies it"), format!("take `{rule}` out of that manifest"))
        }
        Refusal::ByRule(Side::Grant, rule) => (
            format!("the rule `{rule}` denies it"),
            format!("take it back with `midplane revoke {who} '{rule}'`, or out of the settings or the command line"),
        ),
        Refusal::NotDeclared => (
            "its manifest does not ask for it".to_owned(),
            format!("add `{asked}` to the permissions in the manifest of `{who}`, then grant it"),
        ),
        Refusal::NotGranted(_) => {
            let remedy = format!(
                "grant it for good with `midplane grant {who} '{asked}'`, or with --grant {who}={asked} when the host begins"
            );
            ("nobody granted it".to_owned(), remedy)
        }
        Refusal::NotUnderstood => {
            ("it is not understood".to_owned(), "ask for area.verb or area.verb:target, without `..`".to_owned())
        }
    };
    Error::new(Code::PermissionDenied, format!("`{who}`{on_behalf} may not do `{asked}`: {why}"))
        .remedy(remedy)
        .plugin(plugin)
        .with("permission", asked)
        .with("denied_to", who.as_str())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::call::Caller;

    fn id(name: &str) -> PluginId {
        PluginId::new(name).unwrap()
    }

    fn rule(text: &str) -> Vec<Permission> {
        vec![Permission::parse(text).unwrap()]
    }

    fn behind(name: &str) -> Scope {
        let caller = Caller { plugin: id(name), action: None, parent: None, depth: 1 };
        Scope { caller: Some(Arc::new(caller)), ..Scope::default() }
    }

    #[test]
    fn a_plugin_may_do_what_it_declares_and_was_granted() {
        let gate = Gate::default();
        gate.set(&id("b"), rule("plugin.call"), rule("plugin.call:c/*"));
        assert!(gate.check(&id("b"), &Scope::default(), "plugin.call:c/run").is_ok());
        assert!(gate.check(&id("b"), &Scope::default(), "plugin.call:d/run").is_err());
        assert!(gate.check(&id("nobody"), &Scope::default(), "plugin.call:c/run").is_err());
    }

    #[test]
    fn a_pattern_that_ends_too_soon_is_told_how_to_go_on() {
        let gate = Gate::default();
        for granted in ["plugin.call:*", "plugin.*:*"] {
            gate.set(&id("b"), rule("plugin.call"), rule(granted));
            let error = gate.check(&id("b"), &Scope::default(), "plugin.call:c/run").unwrap_err();
            let remedy = error.record().remedy.clone().unwrap();
            assert!(remedy.contains(&format!("instead of `{granted}`")), "{remedy}");
        }
        gate.set(&id("b"), rule("plugin.call"), rule("plugin.call:d/*"));
        let error = gate.check(&id("b"), &Scope::default(), "plugin.call:c/run").unwrap_err();
        assert!(error.record().remedy.as_ref().unwrap().contains("--grant b=plugin.call:c/run"), "{error:?}");
        assert!(error.record().remedy.as_ref().unwrap().contains("midplane grant b 'plugin.call:c/run'"), "{error:?}");
        gate.set(&id("b"), rule("plugin.call"), rule("!plugin.call:c/*"));
        let error = gate.check(&id("b"), &Scope::default(), "plugin.call:c/run").unwrap_err();
        assert!(error.record().remedy.as_ref().unwrap().contains("midplane revoke b '!plugin.call:c/*'"), "{error:?}");
    }

    #[test]
    fn what_a_rule_denies_is_not_explained_by_a_pattern_that_ends_too_soon() {
        let gate = Gate::default();
        let granted = ["plugin.call:*", "!plugin.call:c/run"].map(|rule| Permission::parse(rule).unwrap());
        gate.set(&id("b"), rule("plugin.call"), granted.to_vec());
        let error = gate.check(&id("b"), &Scope::default(), "plugin.call:c/run").unwrap_err();
        let remedy = error.record().remedy.clone().unwrap();
        assert!(remedy.contains("revoke b '!plugin.call:c/run'") && !remedy.contains("**"), "{remedy}");
    }

    #[test]
    fn a_deputy_reaches_no_further_than_whoever_it_acts_for_and_no_query_is_told() {
        let gate = Gate::default();
        let place = Place { url: "http://nas/a?key=1", host: "nas", shown: "http://nas/a?**" };
        gate.set(&id("b"), rule("network.http"), rule("network.http:http://nas/**"));
        assert_eq!(gate.check_web(&id("b"), &Scope::default(), &place).unwrap(), Reach::Anywhere);
        gate.set(&id("a"), rule("network.http"), rule("network.http"));
        assert_eq!(gate.check_web(&id("b"), &behind("a"), &place).unwrap(), Reach::Public);
        gate.set(&id("a"), Vec::new(), Vec::new());
        let error = gate.check_web(&id("b"), &behind("a"), &place).unwrap_err();
        assert!(!format!("{error:?}").contains("key=1"), "{error:?}");
    }

    #[test]
    fn a_deputy_has_no_more_authority_than_whoever_it_acts_for() {
        let gate = Gate::default();
        gate.set(&id("b"), rule("file.read"), rule("file.read"));
        gate.set(&id("a"), Vec::new(), Vec::new());
        let error = gate.check(&id("b"), &behind("a"), "file.read:/x").unwrap_err();
        assert_eq!(error.code(), Code::PermissionDenied);
        assert_eq!(error.record().data.get("denied_to").unwrap(), "a");
    }
}
