//! Virtual environments: made once for what a plugin needs and the interpreter that it runs on.
//!
//! An environment is built in a folder of its own, `NAME.UNIQUE`, which it keeps, because programs in it are told where it
//! lies. A link `NAME` that leads there is the commit: it appears in one step when everything is installed. A lock on the
//! file `NAME.lock` lets one host build while others wait; the system releases it with its holder.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use midplane_contract::{Code, Error, Result};
use midplane_kernel::LoadRequest;
use rustix::fs::{FlockOperation, flock, syncfs};

use super::interpreter::{Interpreter, packages_of};
use super::lock::{Form, Lock};
use super::tool::{self, Answer};
use super::{failed, private_folder, short_hash, unique};

/// Time that installing may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// The interpreter of the environment and the folder of its packages.
///
/// # Errors
/// `io` with the last lines of the installer, `deadline_exceeded` after ten minutes.
pub(super) fn get(
    folder: &Path,
    interpreter: &Interpreter,
    lock: &Lock,
    request: &LoadRequest,
) -> Result<(PathBuf, PathBuf)> {
    let folder = folder.join("environments");
    let command = interpreter.command.as_os_str().as_encoded_bytes();
    let hash = short_hash([lock.hash.as_bytes(), interpreter.version.as_bytes(), command]);
    let name = format!("{}-{hash}", interpreter.version);
    let finished = |link: &Path| {
        let python = link.canonicalize().ok()?.join("bin/python");
        let packages = packages_of(&python, &interpreter.version)?;
        (python.exists() && packages.is_dir()).then_some((python, packages))
    };
    let link = folder.join(&name);
    if let Some(found) = finished(&link) {
        return Ok(found);
    }
    private_folder(&folder)?;
    let _turn = turn(&folder.join(format!("{name}.lock")))?;
    // Somebody else may have made it meanwhile.
    if let Some(found) = finished(&link) {
        return Ok(found);
    }
    sweep(&folder, &name);
    let home = folder.join(format!("{name}.{}", unique()));
    let build = Build { home: &home, interpreter, lock, request };
    let made = build.run().and_then(|()| commit(&home, &link));
    if let Err(error) = made {
        let _ = fs::remove_dir_all(&home);
        return Err(error);
    }
    finished(&link).ok_or_else(|| {
        Error::new(Code::Io, format!("{} was made, but holds no Python", home.display()))
            .remedy("see whether something else writes into the cache, and load again")
    })
}

/// Waits until nobody else makes this environment.
fn turn(path: &Path) -> Result<File> {
    let file =
        OpenOptions::new().create(true).append(true).open(path).map_err(|error| failed("opened", path, &error))?;
    loop {
        match flock(&file, FlockOperation::LockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(failed("locked", path, &error.into())),
        }
    }
}

/// Removes what builds that did not end have left. The lock is held.
fn sweep(folder: &Path, name: &str) {
    let _ = fs::remove_file(folder.join(name));
    let start = format!("{name}.");
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let file = entry.file_name();
        if file.to_string_lossy().starts_with(&start) && !file.to_string_lossy().ends_with(".lock") {
            let _ = fs::remove_dir_all(entry.path()).or_else(|_| fs::remove_file(entry.path()));
        }
    }
}

/// Makes the link appear, after what it leads to is on the disk.
fn commit(home: &Path, link: &Path) -> Result<()> {
    let done = || -> std::io::Result<()> {
        syncfs(File::open(home)?)?;
        let beside = home.with_extension("link");
        std::os::unix::fs::symlink(home, &beside)?;
        fs::rename(&beside, link)
    };
    done().map_err(|error| failed("finished", home, &error))
}

/// One environment in the making.
struct Build<'a> {
    home: &'a Path,
    interpreter: &'a Interpreter,
    lock: &'a Lock,
    request: &'a LoadRequest,
}

impl Build<'_> {
    fn run(&self) -> Result<()> {
        let plugin = &self.request.manifest.id;
        tracing::info!(%plugin, file = %self.lock.file.display(), "installing Python packages");
        match self.on_path("uv") {
            Some(uv) => self.with_uv(&uv),
            None => self.with_pip(),
        }
    }

    fn with_uv(&self, uv: &Path) -> Result<()> {
        let python = self.python();
        let make = self.command(uv).args(["venv", "--quiet", "--no-project", "--python"]).to(&self.interpreter.command);
        self.must("uv venv", make.to(self.home))?;
        let install =
            self.command(uv).args(["pip", "install", "--quiet", "--compile-bytecode", "--python"]).to(&python);
        self.must("uv pip install", install.args(["-r"]).to(&self.lock.file))
    }

    fn with_pip(&self) -> Result<()> {
        let base = &self.interpreter.command;
        let python = self.python();
        self.must("python -m venv", self.command(base).args(["-I", "-m", "venv", "--without-pip"]).to(self.home))?;
        let pip = match self.borrowed_pip()? {
            Some(runner) => self.command(&python).args(["-I"]).to(&runner),
            None => {
                let got = self.run_tool(self.command(&python).args(["-I", "-m", "ensurepip", "--default-pip"]))?;
                if !got.good {
                    return Err(self.no_pip(&got));
                }
                self.command(&python).args(["-I", "-m", "pip"])
            }
        };
        let file = match self.lock.form {
            Form::Requirements => self.lock.file.clone(),
            Form::Project => self.requirements_of_project(&python)?,
        };
        let quiet = ["install", "--no-input", "--disable-pip-version-check", "--no-warn-script-location", "-r"];
        self.must("pip install", pip.args(quiet).to(&file))
    }

    /// The interpreter's own pip, which can serve the environment if it is not very old: that saves installing another.
    ///
    /// What `pip --python` does, without the process in between, which would outlive a host that is killed.
    fn borrowed_pip(&self) -> Result<Option<PathBuf>> {
        const WHERE: &str = "import os, pip; print(os.path.join(os.path.dirname(pip.__file__), '__pip-runner__.py'))";
        let answer = self.run_tool(self.command(&self.interpreter.command).args(["-I", "-c", WHERE]))?;
        let runner = answer.lines.last().map(PathBuf::from);
        Ok(runner.filter(|runner| answer.good && runner.is_absolute() && runner.exists()))
    }

    /// The dependencies of a `pyproject.toml`, a line each, read by Python or by the parser that pip brings.
    fn requirements_of_project(&self, python: &Path) -> Result<PathBuf> {
        const READ: &str = "
import sys
try:
    import tomllib
except ImportError:
    from pip._vendor import tomli as tomllib
with open(sys.argv[1], 'rb') as file:
    project = tomllib.load(file).get('project', {})
with open(sys.argv[2], 'w', encoding='utf-8') as file:
    file.writelines(line + '\\n' for line in project.get('dependencies', []))
";
        let file = self.home.join("requirements.txt");
        let base = if python.with_file_name("pip").exists() { python } else { &self.interpreter.command };
        let read = self.command(base).args(["-I", "-c", READ]).to(&self.lock.file).to(&file);
        self.must("reading pyproject.toml", read).map(|()| file)
    }

    fn python(&self) -> PathBuf {
        self.home.join("bin/python")
    }

    fn on_path(&self, name: &str) -> Option<PathBuf> {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
    }

    /// A tool in the plugin's folder, with what the manifest adds to the environment: a plugin may name its own index.
    fn command(&self, program: &Path) -> Line {
        let mut command = Command::new(program);
        command.current_dir(&self.request.folder).envs(&self.request.manifest.entry.env);
        Line(command)
    }

    fn run_tool(&self, line: Line) -> Result<Answer> {
        tool::run(line.0, PATIENCE)
    }

    fn must(&self, what: &str, line: Line) -> Result<()> {
        let answer = self.run_tool(line)?;
        if answer.good { Ok(()) } else { Err(self.failed(what, &answer)) }
    }

    fn failed(&self, what: &str, answer: &Answer) -> Error {
        let file = self.lock.file.file_name().unwrap_or_default().to_string_lossy();
        let last = answer.lines.iter().rev().find(|line| !line.is_empty()).map_or("", String::as_str);
        let message = format!(
            "the packages of {} ({file}) cannot be installed: {what} ended with {}: {last}",
            self.request.manifest.id, answer.end
        );
        Error::new(Code::Io, message)
            .remedy("see the installer's lines in `data.output`; packages need the network the first time")
            .with("tool", what)
            .with("output", answer.words())
    }

    fn no_pip(&self, answer: &Answer) -> Error {
        let mut error = self.failed("python -m ensurepip", answer);
        error = error.remedy("install pip (`apt install python3-venv python3-pip`, `dnf install python3-pip`) or uv");
        error
    }
}

/// A command that is written in one go.
struct Line(Command);

impl Line {
    fn args<const N: usize>(mut self, args: [&str; N]) -> Self {
        self.0.args(args);
        self
    }

    fn to(mut self, path: &Path) -> Self {
        self.0.arg(path);
        self
    }
}
