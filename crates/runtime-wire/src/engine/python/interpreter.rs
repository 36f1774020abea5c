//! Which Python, and what it is.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use midplane_contract::{Code, Error, Result};
use midplane_kernel::LoadRequest;

use super::{lock, tool};

/// Names an interpreter, in the environment of the host or of the plugin.
const VARIABLE: &str = "MIDPLANE_PYTHON";
/// The oldest that the SDK runs on.
const OLDEST: (u32, u32) = (3, 9);
/// What is looked for on the search path, in this order.
const NAMES: [&str; 8] =
    ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python3.9"];
/// Time that an interpreter gets to say its version; one behind a version switcher takes a tenth of a second.
const PATIENCE: Duration = Duration::from_secs(20);

/// A file as it was when it was asked: path, device and inode, size, time of change.
pub(super) type Seen = (PathBuf, u64, u64, u64, i64);

/// An interpreter that will do.
#[derive(Debug, Clone)]
pub(super) struct Interpreter {
    /// The executable itself, not what switches between versions.
    pub(super) command: PathBuf,
    /// As the interpreter says it, `3.11.2`.
    pub(super) version: String,
    /// The installed packages of the plugin's own environment, if this is one.
    pub(super) packages: Option<PathBuf>,
}

/// A place to look, and whether nothing else will do.
struct Candidate {
    name: String,
    path: Option<PathBuf>,
    /// Who named it.
    named_by: Option<&'static str>,
    own: bool,
}

/// The interpreter for this plugin.
///
/// # Errors
/// `unsupported_runtime`, with everything that was looked at.
pub(super) fn find(request: &LoadRequest, known: &Mutex<HashMap<Seen, Interpreter>>) -> Result<Interpreter> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut tried = Vec::new();
    for candidate in candidates(request, &path) {
        let looked = match &candidate.path {
            Some(file) => look(file, known),
            None => Err("is not there".to_owned()),
        };
        match looked {
            Ok(found) if candidate.own => {
                let packages = candidate.path.as_deref().and_then(|file| packages_of(file, &found.version));
                let command = candidate.path.unwrap_or_else(|| found.command.clone());
                return Ok(Interpreter { command, packages, ..found });
            }
            Ok(found) => return Ok(found),
            Err(why) if candidate.named_by.is_some() => {
                let by = candidate.named_by.unwrap_or_default();
                return Err(missing(format!("{} (named by {by}) {why}", candidate.name), &[]));
            }
            Err(why) => tried.push(format!("{} {why}", candidate.name)),
        }
    }
    tried.retain(|line| !line.ends_with("is not there"));
    Err(missing("no Python on the search path will do".to_owned(), &tried))
}

fn missing(message: String, tried: &[String]) -> Error {
    let (major, minor) = OLDEST;
    let tried = if tried.is_empty() { String::new() } else { format!(": {}", tried.join("; ")) };
    Error::new(Code::UnsupportedRuntime, format!("{message}{tried}; CPython {major}.{minor} or newer is needed"))
        .remedy(format!(
            "install Python (`apt install python3 python3-venv`, `dnf install python3`, or python.org), or name an \
             interpreter in {VARIABLE}"
        ))
        .with("runtime", "python")
}

fn candidates(request: &LoadRequest, path: &OsStr) -> Vec<Candidate> {
    let entry = &request.manifest.entry;
    let hosts = std::env::var(VARIABLE).ok();
    let named = [
        (entry.env.get(VARIABLE).cloned(), "entry.env"),
        (hosts, "the host's environment"),
        (entry.engine.clone().filter(|engine| engine != "cpython"), "entry.engine"),
    ];
    let named = named.into_iter().filter_map(|(name, by)| Some((name.filter(|name| !name.is_empty())?, by)));
    let named = named.map(|(name, by)| Candidate {
        path: on_path(&name, &request.folder, path),
        name,
        named_by: Some(by),
        own: false,
    });
    let own = [".venv", "venv"].into_iter().map(|folder| Candidate {
        name: format!("{folder}/bin/python"),
        path: Some(request.folder.join(folder).join("bin/python")),
        named_by: None,
        own: true,
    });
    let usual = NAMES.into_iter().map(|name| Candidate {
        name: name.to_owned(),
        path: on_path(name, &request.folder, path),
        named_by: None,
        own: false,
    });
    named.chain(own).chain(usual).collect()
}

/// The file that a name means: a path, from the plugin's folder on, or a program on the search path.
fn on_path(name: &str, folder: &Path, path: &OsStr) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(folder.join(name));
    }
    std::env::split_paths(path).map(|folder| folder.join(name)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|data| data.is_file() && data.mode() & 0o111 != 0)
}

/// Asks a file what it is, unless that is known.
fn look(file: &Path, known: &Mutex<HashMap<Seen, Interpreter>>) -> Result<Interpreter, String> {
    let data = file.metadata().map_err(|_| "is not there".to_owned())?;
    let seen = (file.to_path_buf(), data.dev(), data.ino(), data.size(), data.mtime());
    if let Some(found) = lock(known).get(&seen) {
        return Ok(found.clone());
    }
    let found = ask(file)?;
    lock(known).insert(seen, found.clone());
    Ok(found)
}

fn ask(file: &Path) -> Result<Interpreter, String> {
    const QUESTION: &str = "import sys; v = sys.version_info; \
        print(getattr(getattr(sys, 'implementation', None), 'name', 'old')); print('%d.%d.%d' % v[:3]); \
        print(sys.executable)";
    let mut command = Command::new(file);
    command.args(["-I", "-S", "-c", QUESTION]);
    let answer = tool::run(command, PATIENCE).map_err(|error| format!("does not run: {}", error.record().message))?;
    // Before 3.4 there was no `-I`.
    let [name, version, executable] = answer.lines.as_slice() else {
        return Err(format!("does not say what it is: {}", answer.words()));
    };
    let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
    let number = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    if name != "cpython" || number < OLDEST {
        return Err(format!("is {name} {version}"));
    }
    let command = if executable.is_empty() { file.to_path_buf() } else { PathBuf::from(executable) };
    Ok(Interpreter { command, version: version.clone(), packages: None })
}

/// Where the packages of the environment with this interpreter are.
pub(super) fn packages_of(interpreter: &Path, version: &str) -> Option<PathBuf> {
    let root = interpreter.parent()?.parent()?;
    let short = version.rsplit_once('.').map_or(version, |(short, _)| short);
    Some(root.join(format!("lib/python{short}/site-packages")))
}
