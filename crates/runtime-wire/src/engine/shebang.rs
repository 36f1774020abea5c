//! The first line of a script, which names what runs it.

use std::collections::BTreeMap;
use std::path::Path;

use midplane_contract::{Code, Error, Result};

use super::executable::{is_executable, on_path};

/// Bytes of a `#!` line at most, as for the kernel.
pub(super) const LINE: u64 = 256;

/// The program and its one option in a `#!` line.
pub(super) fn parse(begin: &[u8]) -> Option<(&str, Option<&str>)> {
    let line = begin.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?.trim();
    let (program, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let option = rest.trim();
    (!program.is_empty()).then_some((program, (!option.is_empty()).then_some(option)))
}

/// Refuses a script whose interpreter is not installed: the line's program, and what `env` would look for on the search
/// path. `vars` are the script's own variables: with another search path among them, `env` finds out itself.
pub(super) fn check(script: &Path, line: (&str, Option<&str>), vars: &BTreeMap<String, String>) -> Result<()> {
    let (program, option) = line;
    if !is_executable(Path::new(program)) {
        let message = format!("{} is to be run by {program}, which is not there", script.display());
        return Err(Error::new(Code::ConfigInvalid, message)
            .remedy(format!("install {program}, or name an interpreter in entry.engine")));
    }
    match sought(program, option) {
        Some(name) if !vars.contains_key("PATH") => on_path(name).map(drop),
        _ => Ok(()),
    }
}

/// The program that `env` looks for; `None` where the line is no such one, or sets more than that.
fn sought<'a>(program: &str, option: Option<&'a str>) -> Option<&'a str> {
    let option = option.filter(|_| program.ends_with("/env"))?;
    let name = option.strip_prefix("-S").unwrap_or(option).split_whitespace().next()?;
    (!name.starts_with('-') && !name.contains(['=', '/'])).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_line_names_the_interpreter_and_one_option() {
        assert_eq!(parse(b"#!/bin/sh\necho"), Some(("/bin/sh", None)));
        assert_eq!(parse(b"#! /usr/bin/env  bash -e \r\n"), Some(("/usr/bin/env", Some("bash -e"))));
        assert_eq!(parse(b"#!/usr/bin/awk -f"), Some(("/usr/bin/awk", Some("-f"))));
        for none in [&b"echo"[..], b"#!", b"#!\n/bin/sh", b"# !/bin/sh", b"#!/\xff"] {
            assert_eq!(parse(none), None);
        }
    }

    #[test]
    fn what_env_looks_for_is_told_from_its_options() {
        assert_eq!(sought("/usr/bin/env", Some("bash -e")), Some("bash"));
        assert_eq!(sought("/usr/bin/env", Some("-S deno run")), Some("deno"));
        for none in [Some("-i bash"), Some("A=b bash"), Some("/bin/sh"), None] {
            assert_eq!(sought("/usr/bin/env", none), None);
        }
        assert_eq!(sought("/bin/sh", Some("-e")), None);
    }

    #[test]
    fn an_interpreter_that_is_not_installed_is_named() {
        let script = Path::new("plugin.sh");
        let none = BTreeMap::new();
        let error = check(script, ("/usr/bin/env", Some("no-such-shell")), &none).unwrap_err();
        assert_eq!(error.code(), Code::ConfigInvalid);
        assert!(error.to_string().contains("`no-such-shell` is not installed"), "{}", error.to_string());
        assert!(check(script, ("/no/such/shell", None), &none).unwrap_err().to_string().contains("/no/such/shell"));
        assert!(check(script, ("/usr/bin/env", Some("sh")), &none).is_ok());
        let elsewhere = BTreeMap::from([("PATH".to_owned(), "/opt/bin".to_owned())]);
        assert!(check(script, ("/usr/bin/env", Some("no-such-shell")), &elsewhere).is_ok());
    }
}
