//! Builds guests from their Go source, in each of the three ways that the Go SDK has.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::{env, fs, process};

/// What a Go source is made into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GoBuild {
    /// A program that speaks the wire protocol.
    Program,
    /// A WebAssembly module. Go 1.24 or newer.
    Module,
    /// A native library. Needs a C compiler as well.
    Library,
    /// What `-buildmode=plugin` makes, which no host but the very same Go program can open. Needs a C compiler as well.
    GoPlugin,
}

impl GoBuild {
    fn file(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Module => "module.wasm",
            Self::Library => "library.so",
            Self::GoPlugin => "goplugin.so",
        }
    }

    fn prepare(self, command: &mut Command) {
        match self {
            Self::Program => command.env("CGO_ENABLED", "0").arg("-ldflags=-s -w"),
            Self::Module => {
                command.envs([("GOOS", "wasip1"), ("GOARCH", "wasm")]).args(["-buildmode=c-shared", "-ldflags=-s -w"])
            }
            Self::Library => command.env("CGO_ENABLED", "1").args(["-buildmode=c-shared", "-tags=midplane_cshared"]),
            Self::GoPlugin => command.env("CGO_ENABLED", "1").arg("-buildmode=plugin"),
        };
    }
}

/// Builds a guest, `probe-go` or `bare-go`, into a folder of its name in this one, once in this process for each way, and
/// says where the file is. Nothing is fetched: the SDK lies in this repository and needs nothing else.
///
/// # Errors
/// What is missing on this machine and how to get it, or what the compiler says.
pub fn go_guest(guest: &'static str, build: GoBuild, folder: &Path) -> Result<PathBuf, String> {
    type Built = BTreeMap<(&'static str, GoBuild), Result<PathBuf, String>>;
    static BUILT: Mutex<Built> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    built.entry((guest, build)).or_insert_with(|| make(guest, build, &folder.join(guest))).clone()
}

fn make(guest: &str, build: GoBuild, folder: &Path) -> Result<PathBuf, String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    // Another process may build the same: each writes a file of its own, and renames it when it is whole.
    let fresh = folder.join(format!("{}.{}", build.file(), process::id()));
    let mut command = Command::new("go");
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("guests").join(guest));
    command.envs([("GOPROXY", "off"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", "-mod=mod"), ("GOWORK", "off")]);
    if ["GOCACHE", "XDG_CACHE_HOME", "HOME"].iter().all(|name| env::var_os(name).is_none()) {
        command.env("GOCACHE", folder.with_file_name("cache"));
    }
    command.args(["build", "-trimpath", "-buildvcs=false", "-o"]).arg(&fresh);
    build.prepare(&mut command);
    let output = command.arg(".").output().map_err(|error| {
        format!("go cannot be started ({error}): install Go 1.24 or newer (Debian: apt-get install golang-go), on PATH")
    })?;
    if !output.status.success() {
        return Err(format!("go build of guests/{guest} fails:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    let path = folder.join(build.file());
    fs::rename(&fresh, &path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}
