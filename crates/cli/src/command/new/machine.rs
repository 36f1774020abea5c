//! What this machine has of what projects are built and run with.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::kit::{Kit, Target};

/// What the compiler gets to say where its targets are. A first start may unpack things.
const PATIENCE: Duration = Duration::from_secs(10);

/// A program that a project needs and this machine does not have.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Missing {
    /// Its name.
    pub(super) program: String,
    /// How to get it.
    pub(super) remedy: String,
}

/// The machine, as seen from the folder that a project is made in.
#[derive(Debug)]
pub(super) struct Machine {
    folder: PathBuf,
}

impl Machine {
    /// A folder that is there: the choice of a Rust toolchain may depend on it.
    pub(super) fn seen_from(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf() }
    }

    /// The kit for WebAssembly, and why this one: Rust where its compiler can build it, else Go where it is, else Rust
    /// all the same.
    pub(super) fn wasm(&self) -> (Kit, String) {
        match self.target() {
            Some(target) => (Kit::WasmRust(target), format!("the Rust compiler here has the target {}", target.name())),
            None if has("go") => {
                let why = "the Rust compiler here has no WebAssembly target, and Go needs none";
                (Kit::WasmGo, why.to_owned())
            }
            None => {
                let why = "neither a Rust compiler with a WebAssembly target nor Go is here";
                (Kit::WasmRust(Target::Component), why.to_owned())
            }
        }
    }

    /// What the project needs to be built or run and is not here.
    pub(super) fn missing(&self, kit: Kit) -> Vec<Missing> {
        let programs: &[&str] = match kit {
            // The compiler has a linker's work done by the C compiler.
            Kit::Rust => &["cargo", "cc"],
            Kit::WasmRust(_) => &["cargo"],
            Kit::C => &["cc"],
            Kit::Go | Kit::WasmGo => &["go"],
            Kit::Python => &["python3"],
            Kit::Shell => &["bash"],
            Kit::Js | Kit::Ts => &[],
        };
        let absent = programs.iter().filter(|program| !has(program));
        let mut missing: Vec<Missing> =
            absent.map(|program| Missing { program: (*program).to_owned(), remedy: remedy(program) }).collect();
        if let Kit::WasmRust(target) = kit
            && self.target() != Some(target)
        {
            let program = format!("the Rust target {}", target.name());
            missing.push(Missing { program, remedy: format!("rustup target add {}", target.name()) });
        }
        missing
    }

    /// The best target for WebAssembly that the Rust compiler has its library for.
    fn target(&self) -> Option<Target> {
        let library = PathBuf::from(self.sysroot()?).join("lib/rustlib");
        Target::ALL.into_iter().find(|target| library.join(target.name()).join("lib").is_dir())
    }

    /// The Rust compiler's folder; `None` when there is no compiler, or it does not say so in time.
    fn sysroot(&self) -> Option<String> {
        let mut command = Command::new(on_path("rustc")?);
        command.args(["--print", "sysroot"]).current_dir(&self.folder);
        // A question should not begin a download.
        command.env("RUSTUP_AUTO_INSTALL", "0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().ok()?;
        let begun = Instant::now();
        // Its one line fits into the pipe, so it can end before anybody reads.
        while child.try_wait().ok()?.is_none() {
            if begun.elapsed() > PATIENCE {
                child.kill().ok()?;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let output = child.wait_with_output().ok()?;
        let said = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| said.trim().to_owned())
    }
}

fn remedy(program: &str) -> String {
    match program {
        "cargo" => "install Rust: https://rustup.rs",
        "cc" => "install a C compiler: `apt install gcc`, `dnf install gcc`, or `xcode-select --install`",
        "go" => "install Go 1.24 or newer: https://go.dev/dl, or `apt install golang-go`",
        "python3" => "install Python 3.9 or newer: https://www.python.org, or `apt install python3`",
        _ => "install it with the system's packages",
    }
    .to_owned()
}

fn has(program: &str) -> bool {
    on_path(program).is_some()
}

/// A program in one of the folders of `PATH`. Relative folders in it are left out: they are another one for everybody.
fn on_path(program: &str) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;

    let runs =
        |file: &PathBuf| file.metadata().is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0);
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(program)).find(runs)
}
