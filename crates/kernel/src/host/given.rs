//! The host's errors that a generation was given, so that one that its plugin lets pass stays what it is.
//!
//! A plugin that does not handle such an error answers with it as its own. Its callers are told of what went wrong and not
//! of a `plugin_error` that quotes it: the record that was given, with its remedy and its data. A plugin cannot make one up,
//! since only what it was given in fact is taken for it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use midplane_contract::{Code, Error};
use serde_json::Value;

/// How many are remembered: those of the calls that are under way at once, more or less.
const MOST: usize = 16;

/// The latest errors that a generation was given.
#[derive(Default)]
pub(crate) struct Given(Mutex<VecDeque<Error>>);

impl Given {
    /// Remembers one.
    #[cold]
    pub(crate) fn keep(&self, error: &Error) {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if given.len() == MOST {
            given.pop_front();
        }
        given.push_back(error.clone());
    }

    /// The error that a plugin's own one is in truth.
    pub(crate) fn passed_on(&self, error: Error) -> Error {
        let record = error.record();
        let code = match record.code {
            Code::PluginError => record.data.get("code").and_then(Value::as_str).unwrap_or_default(),
            // Some of the contract's codes a plugin may answer with as they are; the host's own errors have a remedy.
            code if record.remedy.is_none() => code.as_str(),
            _ => return error,
        };
        let given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |given: &&Error| given.code().as_str() == code && given.record().message == record.message;
        let Some(original) = given.iter().rev().find(same).cloned() else { return error };
        drop(given);
        let of_its_own = original.record().plugin == record.plugin;
        let original = record.action.iter().filter(|_| of_its_own).fold(original, Error::action);
        match record.data.get("hook") {
            Some(hook) => original.kind(record.kind).with("hook", hook.clone()),
            None => original,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(code: &str, message: &str) -> Error {
        Error::new(Code::PluginError, message).with("code", code).with("message", message)
    }

    #[test]
    fn what_was_given_comes_back_as_it_was_and_nothing_that_looks_like_it() {
        let given = Given::default();
        given.keep(&Error::new(Code::CallCycle, "a → b → a").with("chain", vec!["a", "b", "a"]));
        let back = given
            .passed_on(own("call_cycle", "a → b → a").with("hook", "init").kind(midplane_contract::Kind::Initialize));
        assert_eq!((back.code(), back.record().kind), (Code::CallCycle, midplane_contract::Kind::Initialize));
        assert_eq!(back.record().data.get("chain").unwrap().as_array().unwrap().len(), 3);
        for made_up in [own("call_cycle", "another"), own("permission_denied", "a → b → a"), own("", "")] {
            assert_eq!(given.passed_on(made_up).code(), Code::PluginError);
        }
    }

    #[test]
    fn what_comes_back_under_its_own_code_keeps_its_remedy_and_data() {
        let given = Given::default();
        let limited = || Error::new(Code::LimitExceeded, "too many");
        given.keep(&limited().remedy("ask for less").with("which", "subscriptions"));
        let back = given.passed_on(limited());
        assert_eq!(
            (back.record().remedy.as_deref(), &back.record().data["which"]),
            (Some("ask for less"), &"subscriptions".into())
        );
        let own = given.passed_on(limited().remedy("another"));
        assert_eq!((own.record().remedy.as_deref(), own.record().data.len()), (Some("another"), 0));
    }

    #[test]
    fn it_remembers_the_latest_alone() {
        let given = Given::default();
        for number in 0..=MOST {
            given.keep(&Error::new(Code::PeerGone, number.to_string()));
        }
        assert_eq!(given.passed_on(own("peer_gone", "0")).code(), Code::PluginError);
        assert_eq!(given.passed_on(own("peer_gone", "1")).code(), Code::PeerGone);
    }
}
