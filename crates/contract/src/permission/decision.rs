//! Whether something is allowed, and which rule said so.

use std::fmt;

use super::{PERMISSION_LENGTH, Permission, split_target};
use crate::{Code, Error};

/// The answer to a question for permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<'a> {
    /// The manifest asks for it and the operator granted it.
    Allowed {
        /// The rule of the manifest.
        declared: &'a Permission,
        /// The operator's rule.
        granted: &'a Permission,
    },
    /// It is denied.
    Denied(Refusal<'a>),
}

/// Why something is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal<'a> {
    /// A rule with `!` denies it. Such a rule wins over every other.
    ByRule(Side, &'a Permission),
    /// The manifest does not ask for it.
    NotDeclared,
    /// The manifest asks for it, the operator has not granted it.
    NotGranted(&'a Permission),
    /// What was asked for is not `area.verb[:target]`, is too long, or is a path with a `..` in it.
    NotUnderstood,
}

/// Where a rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// In the plugin's manifest.
    Manifest,
    /// Among the operator's grants.
    Grant,
}

/// Decides whether a plugin may do what is `asked`, `area.verb` or `area.verb:target`: only what the manifest declares
/// **and** the operator granted, and no rule denies. Nothing else is allowed. For a chain of callers ask once for each
/// link; all must be allowed.
#[must_use]
pub fn decide<'a>(declared: &'a [Permission], granted: &'a [Permission], asked: &str) -> Decision<'a> {
    if !is_question(asked) {
        return Decision::Denied(Refusal::NotUnderstood);
    }
    for (side, rules) in [(Side::Manifest, declared), (Side::Grant, granted)] {
        if let Some(rule) = rules.iter().find(|rule| rule.denies() && rule.covers(asked)) {
            return Decision::Denied(Refusal::ByRule(side, rule));
        }
    }
    let allows = |rules: &'a [Permission]| rules.iter().find(|rule| !rule.denies() && rule.covers(asked));
    match (allows(declared), allows(granted)) {
        (None, _) => Decision::Denied(Refusal::NotDeclared),
        (Some(declared), None) => Decision::Denied(Refusal::NotGranted(declared)),
        (Some(declared), Some(granted)) => Decision::Allowed { declared, granted },
    }
}

/// A path with `..` could leave what a pattern names, so it is no question that patterns can answer.
fn is_question(asked: &str) -> bool {
    let (name, target) = split_target(asked);
    let climbs =
        name.starts_with("file.") && target.is_some_and(|path| path.split(['/', '\\']).any(|segment| segment == ".."));
    asked.len() <= PERMISSION_LENGTH && name.contains('.') && !climbs
}

impl Decision<'_> {
    /// Whether it is allowed.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }

    /// `Ok` when allowed.
    ///
    /// # Errors
    /// `permission_denied` with `{permission}` in its data, the deciding rule in its message and the way to get it as
    /// remedy.
    pub fn check(&self, asked: &str) -> Result<(), Error> {
        match self {
            Self::Allowed { .. } => Ok(()),
            Self::Denied(refusal) => Err(Error::new(Code::PermissionDenied, format!("`{asked}` is denied: {refusal}"))
                .remedy(refusal.remedy(asked))
                .with("permission", asked)),
        }
    }
}

impl Refusal<'_> {
    fn remedy(&self, asked: &str) -> String {
        match self {
            Self::ByRule(Side::Manifest, rule) => format!("the plugin's author can take `{rule}` out of the manifest"),
            Self::ByRule(Side::Grant, rule) => format!("an operator can withdraw the grant `{rule}`"),
            Self::NotDeclared => format!("the plugin's author can add `{asked}` to permissions in the manifest"),
            Self::NotGranted(_) => {
                format!("an operator can grant it: `midplane grant PLUGIN '{asked}'`, or --grant PLUGIN={asked}")
            }
            Self::NotUnderstood => "ask for AREA.VERB:TARGET, with paths free of `..`".to_owned(),
        }
    }
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByRule(Side::Manifest, rule) => write!(f, "the manifest's rule `{rule}` denies it"),
            Self::ByRule(Side::Grant, rule) => write!(f, "the operator's rule `{rule}` denies it"),
            Self::NotDeclared => f.write_str("the manifest does not ask for it"),
            Self::NotGranted(declared) => {
                write!(f, "the manifest asks for it with `{declared}`, but no operator granted it")
            }
            Self::NotUnderstood => f.write_str("it is not something that can be granted"),
        }
    }
}
