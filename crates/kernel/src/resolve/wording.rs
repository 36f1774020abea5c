//! What a refusal says, in words.

use midplane_contract::{Code, Error, PluginId, Version};

use super::reason::Cause;
use super::stock::Stock;
use super::why::Demand;

impl Demand {
    /// Who asks for what, and what is wrong with that.
    pub(super) fn sentence(&self, stock: &Stock<'_>) -> String {
        let Self { target, range, cause, .. } = self;
        let range = if range == "*" { String::new() } else { format!(" {range}") };
        let but = match cause {
            Some(Cause::Missing) => ", which is not there",
            Some(Cause::NoVersion) => ", and no version of it fits",
            Some(Cause::Unusable) => ", which cannot run here",
            Some(Cause::NotInstalled) => " beside it, which is not installed",
            Some(Cause::Held) => ", of which another version is taken",
            None => "",
        };
        match &self.asker {
            None => format!("`{target}`{range} is asked for{but}"),
            Some(asker) => format!("{} needs `{target}`{range}{but}", self.asker_in_versions(stock, asker)),
        }
    }

    /// The asker with its versions, unless they are all that there are of several.
    fn asker_in_versions(&self, stock: &Stock<'_>, asker: &PluginId) -> String {
        let all = stock.number(asker).and_then(|number| stock.shelf(number)).map_or(0, |shelf| shelf.items().len());
        if all > 1 && self.versions.len() == all {
            return format!("every `{asker}`");
        }
        format!("`{asker}` {}", listed(&self.versions.iter().collect::<Vec<_>>()))
    }

    /// Whether all that is wrong with what there is of it is the version of this host: that is no other machine.
    pub(super) fn is_of_another_host(&self, stock: &Stock<'_>) -> bool {
        let shelf = stock.number(&self.target).and_then(|number| stock.shelf(number));
        let mut refusals = shelf.iter().flat_map(|shelf| stock.refusals(shelf)).flatten().map(Error::code);
        refusals.all(|code| code == Code::VersionMismatch)
    }

    /// The code of a refusal for its sake, and its summary.
    pub(super) fn verdict(&self, stock: &Stock<'_>) -> (Code, String) {
        let target = &self.target;
        match self.cause {
            Some(Cause::Missing) if self.asker.is_none() => {
                (Code::PluginNotFound, format!("there is no plugin `{target}`"))
            }
            Some(Cause::Missing) => (Code::DependencyNotFound, format!("`{target}` is needed and not there")),
            Some(Cause::NotInstalled) => (Code::DependencyNotFound, format!("`{target}` must be installed beforehand")),
            Some(Cause::NoVersion | Cause::Held) => (Code::VersionMismatch, format!("no version of `{target}` fits")),
            Some(Cause::Unusable) => {
                let of_another = self.is_of_another_host(stock);
                let code = if of_another { Code::VersionMismatch } else { Code::UnsupportedPlatform };
                (code, format!("`{target}` cannot run here"))
            }
            None => (Code::DependencyConflict, format!("no version of `{target}` serves everybody")),
        }
    }
}

/// A few versions in words: `1.0.0, 1.1.0 and 2.0.0`, `1.0.0 to 9.0.0 (37 versions)`.
pub(super) fn listed(versions: &[&Version]) -> String {
    match versions {
        [] => "no version".to_owned(),
        [one] => one.to_string(),
        [first, .., last] if versions.len() > 4 => format!("{first} to {last} ({} versions)", versions.len()),
        [some @ .., last] => {
            let some: Vec<String> = some.iter().map(ToString::to_string).collect();
            format!("{} and {last}", some.join(", "))
        }
    }
}
