//! How a row ends: with numbers, or with what it would have needed.

use std::fmt;

use midplane::{Code, Error};
use serde::Serialize;

use crate::measure::Measured;

/// The end of a row.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum Outcome {
    /// It was measured.
    Measured(Measured),
    /// This machine has not what it needs.
    Missing {
        /// The row.
        row: &'static str,
        /// What is not here, in words.
        missing: String,
    },
}

impl Outcome {
    /// Of what a row gave. What is not on this machine is not an error of the others.
    ///
    /// # Errors
    /// Every other one.
    pub(crate) fn of(row: &'static str, given: anyhow::Result<Measured>) -> anyhow::Result<Self> {
        match given {
            Ok(measured) => Ok(Self::Measured(measured)),
            Err(error) => missing(&error).map(|missing| Self::Missing { row, missing }).ok_or(error),
        }
    }

    /// Whether a target was missed. Nothing is held against what was not measured.
    pub(crate) fn is_missed(&self) -> bool {
        matches!(self, Self::Measured(Measured { met: Some(false), .. }))
    }
}

/// What is not here, if that is the error.
fn missing(error: &anyhow::Error) -> Option<String> {
    let refused = error.downcast_ref::<Error>();
    let refused = refused.filter(|error| matches!(error.code(), Code::UnsupportedRuntime | Code::VersionMismatch));
    error.downcast_ref().map(|NotHere(missing)| missing.clone()).or_else(|| refused.map(Error::to_string))
}

/// A row needs what this machine does not have.
#[derive(Debug)]
pub(crate) struct NotHere(pub String);

impl fmt::Display for NotHere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotHere {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_on_this_machine_is_said_in_words_and_is_no_miss() {
        let outcome = Outcome::of("go", Err(NotHere("`go` is not installed".into()).into())).unwrap();
        assert!(!outcome.is_missed());
        assert_eq!(serde_json::to_value(outcome).unwrap()["missing"], "`go` is not installed");
        let refused = Error::new(Code::VersionMismatch, "python3 is version 3.6.0; at least 3.9.0 is needed");
        assert!(matches!(Outcome::of("python", Err(refused.into())), Ok(Outcome::Missing { .. })));
        assert!(Outcome::of("python", Err(Error::new(Code::Crashed, "it fell").into())).is_err());
    }
}
