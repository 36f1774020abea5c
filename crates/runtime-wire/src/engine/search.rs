//! Where an engine's program is on this machine, and which version it has.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::SystemTime;
use std::{env, fs};

use midplane_contract::{Code, Error, Result};

/// What is looked for.
pub(crate) struct Wanted<'a> {
    /// The program's name on the search path.
    pub(crate) name: &'a str,
    /// The environment variable of the host that names its path instead.
    pub(crate) variable: &'a str,
    /// The oldest version that is good.
    pub(crate) least: Version,
    /// How to get it.
    pub(crate) remedy: &'a str,
}

/// Major, minor and patch.
pub(crate) type Version = (u32, u32, u32);

/// A program that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundProgram {
    pub(crate) path: PathBuf,
    pub(crate) version: Version,
}

/// Finds the program. Its version is asked once for each file, not for each start.
///
/// # Errors
/// `unsupported_runtime` when it is not there, and `version_mismatch` when it is too old; both say how to get it.
pub(crate) fn find(wanted: &Wanted<'_>) -> Result<FoundProgram> {
    let path = match env::var_os(wanted.variable).filter(|set| !set.is_empty()) {
        Some(set) if is_program(Path::new(&set)) => set.into(),
        Some(set) => {
            let message = format!("{} names {}, which is no program", wanted.variable, set.display());
            return Err(Error::new(Code::UnsupportedRuntime, message)
                .remedy(wanted.remedy)
                .with("engine", wanted.name));
        }
        None => on_path(wanted.name).ok_or_else(|| {
            let message = format!("`{}` is not installed: it is not on the search path", wanted.name);
            Error::new(Code::UnsupportedRuntime, message)
                .remedy(format!("{}, or name its path in {}", wanted.remedy, wanted.variable))
                .with("engine", wanted.name)
        })?,
    };
    let version = version_of(&path).ok_or_else(|| {
        let message = format!("`{} --version` does not answer with a version", path.display());
        Error::new(Code::UnsupportedRuntime, message).remedy(wanted.remedy).with("engine", wanted.name)
    })?;
    if version < wanted.least {
        let (found, required) = (text(version), text(wanted.least));
        let message = format!("{} is version {found}; at least {required} is needed", path.display());
        return Err(Error::new(Code::VersionMismatch, message)
            .remedy(wanted.remedy)
            .with("required", format!(">={required}"))
            .with("found", found));
    }
    Ok(FoundProgram { path, version })
}

/// A version as people write it.
pub(crate) fn text((major, minor, patch): Version) -> String {
    format!("{major}.{minor}.{patch}")
}

/// A program on the search path.
pub(super) fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|p| is_program(p))
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|is| is.is_file() && is.permissions().mode() & 0o111 != 0)
}

fn version_of(path: &Path) -> Option<Version> {
    type Known = HashMap<(PathBuf, Option<SystemTime>), Version>;
    static KNOWN: OnceLock<Mutex<Known>> = OnceLock::new();
    let changed = fs::metadata(path).and_then(|is| is.modified()).ok();
    let key = (path.to_path_buf(), changed);
    let known = || KNOWN.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(version) = known().get(&key) {
        return Some(*version);
    }
    let asked = Command::new(path).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let version = parse(&String::from_utf8_lossy(&asked.stdout))?;
    known().insert(key, version);
    Some(version)
}

/// The first three numbers with points between them: of `v20.1.2`, of `deno 2.9.6 (stable…)`, of `1.4.5`.
fn parse(answer: &str) -> Option<Version> {
    let words = answer.split_whitespace().map(|word| word.trim_start_matches('v'));
    words.into_iter().find_map(|word| {
        let mut parts = word.splitn(3, '.');
        let [major, minor] = [parts.next()?, parts.next()?].map(|part| part.parse().ok());
        let patch = parts.next()?.split(|c: char| !c.is_ascii_digit()).next()?;
        Some((major?, minor?, patch.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHELL: Wanted<'_> = Wanted {
        name: "no-such-engine",
        variable: "MIDPLANE_NO_SUCH_ENGINE",
        least: (1, 2, 3),
        remedy: "install it with the system's packages",
    };

    #[test]
    fn versions_are_read_as_engines_write_them() {
        assert_eq!(parse("v20.20.2\n"), Some((20, 20, 2)));
        assert_eq!(
            parse("deno 2.9.6 (stable, release, x86_64-unknown-linux-gnu)\nv8 15.0.245.2-rusty"),
            Some((2, 9, 6))
        );
        assert_eq!(parse("1.4.5-canary+x"), Some((1, 4, 5)));
        assert_eq!(parse("usage: this"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn what_is_not_installed_is_named_with_how_to_get_it() {
        let error = find(&SHELL).unwrap_err();
        assert_eq!(error.code(), Code::UnsupportedRuntime);
        assert!(error.record().message.contains("no-such-engine"));
        let remedy = error.record().remedy.clone().unwrap();
        assert!(remedy.contains("install it") && remedy.contains("MIDPLANE_NO_SUCH_ENGINE"), "{remedy}");
    }
}
