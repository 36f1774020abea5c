//! Whether what a plugin's code was built from was changed since.

use std::fs::{self, DirEntry};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use midplane_contract::RuntimeKind;

use super::Found;

/// How files end that compilers read, and files that say what they are to do.
const SOURCES: [&str; 14] = ["c", "cc", "cpp", "cxx", "h", "hpp", "rs", "go", "zig", "wit", "swift", "s", "d", "nim"];
const PROJECTS: [&str; 3] = ["Cargo.toml", "go.mod", "CMakeLists.txt"];
/// Folders that hold no part of the code: what was built, what comes from elsewhere, and tests.
const ASIDE: [&str; 8] = ["target", "build", "node_modules", "vendor", "tests", "test", "benches", "examples"];
/// How much newer a source has to be: a folder that is copied gets new times, in whatever order.
const APART: Duration = Duration::from_secs(2);
/// Entries that are looked at, and how deep.
const ENTRIES: usize = 2_000;
const DEPTH: usize = 6;

/// The source in a plugin's folder that was changed last after its code was built, if there is one: what runs is not what
/// is written then. Looks at the times of files alone, at 2,000 of them at most, and blocks for it. Nothing is said of
/// code that is not compiled.
#[must_use]
pub fn newer_source(found: &Found) -> Option<PathBuf> {
    let kind = found.manifest.entry.runtime;
    if found.bare || !matches!(kind, RuntimeKind::Native | RuntimeKind::Wasm | RuntimeKind::Process) {
        return None;
    }
    let built = fs::metadata(&found.main).and_then(|facts| facts.modified()).ok()?;
    if !is_compiled(&found.main) {
        return None;
    }
    let mut newest = Newest { time: built + APART, path: None, left: ENTRIES };
    newest.search(&found.folder, DEPTH);
    newest.path
}

/// A library, a program or a WebAssembly module; a script is its own source.
fn is_compiled(path: &Path) -> bool {
    let mut head = [0; 4];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && (head == *b"\x7fELF" || head == *b"\0asm")
}

struct Newest {
    time: SystemTime,
    path: Option<PathBuf>,
    left: usize,
}

impl Newest {
    fn search(&mut self, folder: &Path, depth: usize) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth > 0 && !ASIDE.contains(&name) => {
                    self.search(&entry.path(), depth - 1);
                }
                Ok(kind) if kind.is_file() && is_source(name) => self.judge(&entry),
                _ => {}
            }
        }
    }

    fn judge(&mut self, entry: &DirEntry) {
        let Ok(changed) = entry.metadata().and_then(|facts| facts.modified()) else { return };
        if changed > self.time {
            self.time = changed;
            self.path = Some(entry.path());
        }
    }
}

fn is_source(name: &str) -> bool {
    let source = name.rsplit_once('.').is_some_and(|(_, ending)| SOURCES.contains(&ending));
    (source && !name.ends_with("_test.go")) || PROJECTS.contains(&name)
}

#[cfg(test)]
mod tests {
    use midplane_testkit::Scratch;

    use super::*;
    use crate::discover;

    /// A plugin whose code was built an hour ago, and a file that was changed `seconds` after that.
    fn stale(code: &[u8], changed: &str, seconds: i64) -> Option<String> {
        let scratch = Scratch::new("sources").unwrap();
        let folder = scratch.path().canonicalize().unwrap();
        let built = SystemTime::now() - Duration::from_secs(3600);
        let write = |name: &str, bytes: &[u8], time: SystemTime| {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, bytes).unwrap();
            fs::File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
        };
        let manifest = b"id: p\nname: P\nversion: 1.0.0\nentry: { runtime: process, main: plugin }\n";
        write("plugin.yaml", manifest, SystemTime::now());
        write("plugin", code, built);
        let offset = Duration::from_secs(seconds.unsigned_abs());
        write(changed, b"", if seconds < 0 { built - offset } else { built + offset });
        let newer = newer_source(&discover::read(&folder).unwrap())?;
        Some(newer.strip_prefix(&folder).unwrap().display().to_string())
    }

    #[test]
    fn a_source_that_was_changed_after_the_build_is_named() {
        for name in ["main.go", "src/lib.rs", "src/deep/er/one.c", "Cargo.toml"] {
            assert_eq!(stale(b"\x7fELF....", name, 60).as_deref(), Some(name));
        }
        assert_eq!(stale(b"\x7fELF....", "main.go", 1), None, "about the same time");
    }

    #[test]
    fn what_is_no_part_of_the_code_may_be_newer() {
        for name in ["README.md", "tests/greet.rs", "main_test.go", "target/debug/build.rs", ".midplane/sdk/api.go"] {
            assert_eq!(stale(b"\x7fELF....", name, 60), None, "{name}");
        }
        assert_eq!(stale(b"#!/bin/sh", "native.c", 60), None, "a script is not built");
    }
}
