//! Rules that texts follow.

use super::fault::FaultCode;
use super::quantity::{parse_duration, parse_size};
use crate::permission::Permission;
use crate::version::{VersionRange, parse_version};
use crate::{ActionName, PluginId};

/// A rule that a text follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Any text.
    Any,
    /// Any text but an empty one.
    Filled,
    /// A plugin id.
    Id,
    /// An action name.
    Action,
    /// The name of an interface.
    Interface,
    /// An interface with or without a range: `name@range`.
    InterfaceRange,
    /// A plugin id with or without a range: `id@range`.
    IdRange,
    /// A version.
    Version,
    /// A range of versions.
    Range,
    /// A permission.
    Permission,
    /// A path inside the plugin's folder.
    Path,
    /// A duration with its unit.
    Duration,
    /// A duration with its unit that is not nothing.
    SomeTime,
    /// A size with its unit.
    Size,
    /// A size with its unit that is not nothing.
    SomeSize,
    /// A file name's ending, with its dot.
    Extension,
    /// The name of an environment variable.
    Variable,
    /// A point in time, RFC 3339.
    Time,
    /// A version of the contract: `v1`.
    ApiVersion,
    /// Where a secret is: `env:NAME` or `file:PATH`.
    Secret,
    /// Where a server is: `HOST:PORT`, or the path of a socket.
    Server,
}

/// A rule that a text breaks.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) code: FaultCode,
    pub(crate) message: String,
    pub(crate) remedy: String,
}

fn broken(code: FaultCode, message: impl Into<String>, remedy: impl Into<String>) -> Result<(), Broken> {
    Err(Broken { code, message: message.into(), remedy: remedy.into() })
}

impl Rule {
    /// Whether a text follows the rule.
    pub(crate) fn check(self, text: &str) -> Result<(), Broken> {
        match self {
            Self::Any => Ok(()),
            Self::Filled if text.trim().is_empty() => {
                broken(FaultCode::InvalidValue, "it is empty", "write something, or leave the field out")
            }
            Self::Filled => Ok(()),
            Self::Id => id(text),
            Self::Action => ActionName::new(text).map(drop).or_else(|e| {
                broken(FaultCode::InvalidValue, cut(&e.to_string()), "name the action like `count` or `v1/count`")
            }),
            Self::Interface => interface(text),
            Self::InterfaceRange => with_range(text, interface),
            Self::IdRange => with_range(text, id),
            Self::Version => parse_version(text).map(drop).or_else(|e| {
                broken(FaultCode::InvalidVersion, e.to_string(), "write MAJOR.MINOR.PATCH, for example `1.2.3`")
            }),
            Self::Range => range(text),
            Self::Permission => Permission::parse(text).map(drop).or_else(|e| {
                broken(FaultCode::InvalidPermission, cut(&e.to_string()), "write, for example, `file.read:/data/**`")
            }),
            Self::Path => path(text),
            Self::Duration => parse_duration(text).map(drop).map_or_else(
                || {
                    let message = format!("`{}` is not a duration", cut(text));
                    broken(FaultCode::InvalidDuration, message, "write a number and a unit: `500ms`, `30s`, `5m`, `1h`")
                },
                Ok,
            ),
            Self::Size => parse_size(text).map(drop).map_or_else(
                || {
                    let message = format!("`{}` is not a size", cut(text));
                    broken(FaultCode::InvalidSize, message, "write bytes as a number, or a unit: `64MiB`, `100MB`")
                },
                Ok,
            ),
            Self::SomeTime => Self::Duration
                .check(text)
                .and_then(|()| something(parse_duration(text).is_none_or(|t| t.is_zero()), text)),
            Self::SomeSize => {
                Self::Size.check(text).and_then(|()| something(parse_size(text).is_none_or(|size| size == 0), text))
            }
            Self::Extension => extension(text),
            Self::Variable => variable(text),
            Self::Time => text.parse::<jiff::Timestamp>().map(drop).or_else(|_| {
                let message = format!("`{}` is not a point in time", cut(text));
                broken(FaultCode::InvalidValue, message, "write it as RFC 3339: `2026-01-31T12:00:00Z`")
            }),
            Self::ApiVersion => api_version(text),
            // The text is not shown: it may be the secret itself.
            Self::Secret => text.parse::<crate::secret::SecretRef>().map(drop).or_else(|_| {
                let message = "it does not say where the secret is";
                broken(FaultCode::InvalidValue, message, "write `env:NAME` or `file:PATH`, never the secret itself")
            }),
            // Nor is this one: URLs have passwords in them.
            Self::Server => text.parse::<crate::settings::ServerAddress>().map(drop).or_else(|error| {
                let remedy = "write HOST:PORT or /PATH/OF/SOCKET; user, password and database have fields of their own";
                broken(FaultCode::InvalidValue, error.to_string(), remedy)
            }),
        }
    }
}

fn something(is_nothing: bool, text: &str) -> Result<(), Broken> {
    if !is_nothing {
        return Ok(());
    }
    let message = format!("`{}` leaves nothing", cut(text));
    broken(FaultCode::OutOfRange, message, "write more than that, or leave the field out for the default")
}

fn id(text: &str) -> Result<(), Broken> {
    PluginId::new(text).map(drop).or_else(|error| {
        let fixed: String = text
            .to_lowercase()
            .chars()
            .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c) { c } else { '-' })
            .take(128)
            .collect();
        let fixed = fixed.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let example = if PluginId::new(fixed).is_ok() { fixed } else { "my-plugin" };
        broken(FaultCode::InvalidId, cut(&error.to_string()), format!("write, for example, `{example}`"))
    })
}

fn interface(text: &str) -> Result<(), Broken> {
    let fits = (1..=128).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:".contains(c));
    if fits {
        return Ok(());
    }
    let message = format!("`{}` is not the name of an interface", cut(text));
    broken(FaultCode::InvalidValue, message, "use 1 to 128 letters, digits and . _ - / : with a letter or digit first")
}

fn range(text: &str) -> Result<(), Broken> {
    VersionRange::parse(text).map(drop).or_else(|error| {
        broken(FaultCode::InvalidRange, error.to_string(), "write a range like `^1.2`, `>=1.5.0 <2.0.0` or `*`")
    })
}

fn with_range(text: &str, name: fn(&str) -> Result<(), Broken>) -> Result<(), Broken> {
    let (before, behind) = text.split_once('@').map_or((text, None), |(name, range)| (name, Some(range)));
    name(before)?;
    behind.map_or(Ok(()), range)
}

fn extension(text: &str) -> Result<(), Broken> {
    let fits = text.len() <= 64
        && text.len() > 1
        && text.starts_with('.')
        && !text.ends_with('.')
        && text.chars().all(|c| c.is_alphanumeric() || "._+-".contains(c));
    if fits {
        return Ok(());
    }
    let message = format!("`{}` is not a file name's ending", cut(text));
    broken(FaultCode::InvalidValue, message, "write it with its dot: `.mp4`, `.tar.gz`")
}

fn variable(text: &str) -> Result<(), Broken> {
    let fits = !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if fits {
        return Ok(());
    }
    let message = format!("`{}` is not the name of an environment variable", cut(text));
    broken(FaultCode::InvalidValue, message, "use letters, digits and _, with no digit first")
}

fn api_version(text: &str) -> Result<(), Broken> {
    let message = match text {
        "v1" => return Ok(()),
        "v2" => "api_version `v2` means contract 2.0.0, which this host does not speak".to_owned(),
        other => format!("api_version `{}` is not known", cut(other)),
    };
    broken(FaultCode::UnsupportedApiVersion, message, "write `v1`, which means contract 1.0.0")
}

/// A path that stays inside the folder it starts from, on every operating system and whoever reads it.
fn path(text: &str) -> Result<(), Broken> {
    let leaves = |reason: &str| {
        let message = format!("the path `{}` {reason}", cut(text));
        broken(FaultCode::PathLeavesFolder, message, "write a path inside the plugin's folder: `dist/index.js`")
    };
    let drive = text.as_bytes().get(1) == Some(&b':') && text.starts_with(|c: char| c.is_ascii_alphabetic());
    if text.trim().is_empty() {
        return broken(FaultCode::InvalidValue, "the path is empty", "name a file in the plugin's folder");
    }
    if text.len() > 1024 {
        return broken(FaultCode::InvalidValue, "the path has more than 1,024 bytes", "use a shorter one");
    }
    if text.starts_with(['/', '\\']) || drive {
        return leaves("is absolute");
    }
    if text.starts_with('~') {
        return leaves("starts with `~`, which means a home folder to some");
    }
    if text.split(['/', '\\']).any(|segment| segment.trim_end_matches(' ') == "..") {
        return leaves("climbs out of its folder with `..`");
    }
    if text.contains('\\') {
        return leaves("has a backslash, which separates folders on some systems only; use `/`");
    }
    if text.chars().any(char::is_control) {
        return leaves("has control characters");
    }
    Ok(())
}

/// Enough of a text to recognize it.
fn cut(text: &str) -> String {
    if text.len() <= 200 { text.to_owned() } else { text.chars().take(160).chain("…".chars()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leaves_the_folder_or_hides_that_it_does_is_refused() {
        #[rustfmt::skip]
        let bad = [
            "../x", "a/../../x", "a/..", "..", "/etc/passwd", "\\\\server\\share", "C:\\x", "c:x", "a\\..\\x", "a\\b",
            "~/x", "~root", "a/.. /x", "a\0b", "a\nb",
        ];
        for text in bad {
            assert_eq!(Rule::Path.check(text).unwrap_err().code, FaultCode::PathLeavesFolder, "{text:?}");
        }
        for text in ["", " ", &"x".repeat(1025)] {
            assert_eq!(Rule::Path.check(text).unwrap_err().code, FaultCode::InvalidValue, "{text:?}");
        }
        for good in ["a", "dist/index.js", "./a/b.so", "a..b", "..a/b", "...", "ü/ß.wasm", "a b/c"] {
            assert!(Rule::Path.check(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn the_remedy_for_an_id_is_an_id() {
        for (written, fixed) in [("Video Card", "video-card"), ("my_plugin-", "my_plugin"), ("???", "my-plugin")] {
            let remedy = Rule::Id.check(written).unwrap_err().remedy;
            assert!(remedy.contains(&format!("`{fixed}`")), "{written}: {remedy}");
        }
    }

    #[test]
    fn another_api_version_is_refused_by_its_name() {
        assert!(Rule::ApiVersion.check("v1").is_ok());
        assert!(Rule::ApiVersion.check("v2").unwrap_err().message.contains("`v2` means contract 2.0.0"));
        assert!(Rule::ApiVersion.check("v9").unwrap_err().message.contains("`v9`"));
    }

    #[test]
    fn messages_stay_short_however_long_the_text_is() {
        let long = "x".repeat(100_000);
        for rule in [Rule::Id, Rule::Version, Rule::Range, Rule::Permission, Rule::Duration, Rule::Size, Rule::Action] {
            let broken = rule.check(&format!("{long}~{long}"));
            if let Err(broken) = broken {
                assert!(broken.message.len() + broken.remedy.len() < 1200, "{rule:?}");
            }
        }
    }
}
