//! Where plugins are looked for: paths as they are written in a configuration. Pure, but for the folder one is in.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub use midplane_contract::settings::{MODULE_DIRS, PLUGIN_DIRS};
use midplane_contract::{Code, Error, Result};

/// The path that a text means: `~` at its beginning is the user's folder, `$NAME`, `${NAME}` and `${NAME:-OTHERWISE}`
/// are variables, `$$` is a dollar sign. `look` gives variables; those that are empty count as not set.
///
/// # Errors
/// `config_invalid`: a variable that is not set, or braces that do not end.
pub fn expand(text: &str, look: &dyn Fn(&str) -> Option<OsString>) -> Result<PathBuf> {
    let look = |name: &str| look(name).filter(|value| !value.is_empty());
    let (mut path, mut rest) = home(text, &look)?;
    while let Some((before, after)) = rest.split_once('$') {
        path.push(before);
        let (name, otherwise, next) = variable(text, after)?;
        match (name, look(name), otherwise) {
            ("", ..) => path.push("$"),
            (_, Some(value), _) => path.push(value),
            (_, None, Some(otherwise)) => path.push(otherwise),
            (_, None, None) => return Err(unset(text, name)),
        }
        rest = next;
    }
    path.push(rest);
    Ok(PathBuf::from(path))
}

/// The path that a text means in which `~` at its beginning is the user's folder, and nothing else stands for anything.
/// Without a user's folder it is taken as it is written.
#[must_use]
pub fn expand_home(text: &str, look: &dyn Fn(&str) -> Option<OsString>) -> PathBuf {
    let begun = home(text, &|name| look(name).filter(|value| !value.is_empty()));
    begun.map_or_else(
        |_| PathBuf::from(text),
        |(mut path, rest)| {
            path.push(rest);
            PathBuf::from(path)
        },
    )
}

/// A path from the root on. One that cannot be made so stays as it is.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// The user's folder, where a text begins with it, and what follows.
fn home<'t>(text: &'t str, look: &dyn Fn(&str) -> Option<OsString>) -> Result<(OsString, &'t str)> {
    match text.strip_prefix('~').filter(|below| below.is_empty() || below.starts_with('/')) {
        Some(below) => Ok((look("HOME").ok_or_else(|| unset(text, "HOME"))?, below)),
        None => Ok((OsString::new(), text)),
    }
}

/// A variable's name after its `$`, what stands for it, and the rest. No name: a plain `$`.
fn variable<'a>(text: &str, after: &'a str) -> Result<(&'a str, Option<&'a str>, &'a str)> {
    if let Some(braced) = after.strip_prefix('{') {
        let (inside, next) = braced.split_once('}').ok_or_else(|| {
            Error::new(Code::ConfigInvalid, format!("`{text}`: a `${{` has no `}}`")).remedy("write ${NAME}")
        })?;
        let (name, otherwise) = inside.split_once(":-").map_or((inside, None), |(name, other)| (name, Some(other)));
        return Ok((name, otherwise, next));
    }
    if let Some(next) = after.strip_prefix('$') {
        return Ok(("", None, next));
    }
    let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
    let (name, next) = after.split_at(end);
    Ok((name, None, next))
}

fn unset(text: &str, name: &str) -> Error {
    Error::new(Code::ConfigInvalid, format!("`{text}`: the variable {name} is not set"))
        .remedy(format!("set {name}, or write ${{{name}:-PATH}}"))
        .with("variable", name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String> {
        let look = |name: &str| match name {
            "HOME" => Some("/h".into()),
            "A" => Some("a b".into()),
            "EMPTY" => Some("".into()),
            _ => None,
        };
        expand(text, &look).map(|path| path.to_str().unwrap().to_owned())
    }

    #[test]
    fn the_user_and_variables_are_put_in() {
        let cases = [
            ("~", "/h"),
            ("~/x", "/h/x"),
            ("~x/y", "~x/y"),
            ("a~", "a~"),
            ("$A/x$A", "a b/xa b"),
            ("${A}b/${NONE:-other}/${EMPTY:-e}", "a bb/other/e"),
            ("1$$2", "1$2"),
            ("./plugins", "./plugins"),
        ];
        for (text, path) in cases {
            assert_eq!(expanded(text).unwrap(), path, "{text}");
        }
    }

    #[test]
    fn what_is_not_set_is_named() {
        for text in ["$NONE/x", "${NONE}", "${EMPTY}"] {
            let error = expanded(text).unwrap_err();
            assert_eq!(error.code(), Code::ConfigInvalid);
            assert!(error.record().message.contains(text), "{error}");
        }
        assert!(expanded("${A").unwrap_err().record().message.contains("${A"));
    }

    #[test]
    fn the_user_alone_is_put_in_where_variables_have_been_already() {
        let at = |text: &str, home: &str| expand_home(text, &|_| Some(home.into())).display().to_string();
        let cases = [("~", "/h"), ("~/x", "/h/x"), ("~//x", "/h//x"), ("~x", "~x"), ("~/$A", "/h/$A"), ("a", "a")];
        for (text, wanted) in cases {
            assert_eq!(at(text, "/h"), wanted, "{text}");
        }
        assert_eq!(at("~/x", ""), "~/x");
    }
}
