//! Routes: which plugin gets a file, and which one answers an action that is called by its name alone.
//!
//! Plugins bring routes of their own: the actions they offer, the types of files they handle. The operator adds rules.
//! The highest priority wins; of equals the most exact one, then a rule, then the smaller id. Whoever runs comes before who
//! does not, so that the next one takes over when the first is unloaded.

mod dispatch;
mod file;
mod rule;
mod table;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use midplane_contract::{Code, Error, Result};

pub(crate) use dispatch::dispatch;
pub use file::Route;
pub(crate) use file::of;
pub use rule::{Rule, Target, What};
pub use table::Row;
pub(crate) use table::table;

/// Rules that one kernel takes at most.
const RULES: usize = 10_000;

/// The operator's rules, by name.
#[derive(Default)]
pub(crate) struct Rules(Mutex<BTreeMap<String, Rule>>);

impl Rules {
    /// Takes a rule; one of the same name is replaced.
    pub(crate) fn set(&self, name: &str, rule: Rule) -> Result<()> {
        rule.check()?;
        let mut rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rules.len() >= RULES && !rules.contains_key(name) {
            return Err(Error::new(Code::LimitExceeded, format!("there are {RULES} routes already"))
                .remedy("use patterns")
                .with("which", "routes")
                .with("limit", RULES));
        }
        rules.insert(name.to_owned(), rule);
        Ok(())
    }

    /// Drops a rule. `false` when there was none of that name.
    pub(crate) fn remove(&self, name: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name).is_some()
    }

    /// The rules of the moment.
    pub(crate) fn all(&self) -> Vec<(String, Rule)> {
        let rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rules.iter().map(|(name, rule)| (name.clone(), rule.clone())).collect()
    }
}
