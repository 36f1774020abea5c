//! The conformance plugin as a gRPC service in Python, and whoever starts it again when it dies.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::{fs, process, thread};

use crate::conformance::of_version;

/// Python's gRPC, and the code that it makes of `contract/plugin.proto`.
#[derive(Debug, Clone)]
pub struct GrpcPython {
    /// Where its packages lie.
    pub packages: PathBuf,
    /// Where the generated code lies.
    pub generated: PathBuf,
}

impl GrpcPython {
    /// Fetches the packages into a folder, once, and generates the code, once in each process.
    ///
    /// # Errors
    /// What is missing on this machine and how to get it, or what went wrong.
    pub fn prepare(folder: &Path) -> Result<Self, String> {
        static READY: Mutex<Option<Result<GrpcPython, String>>> = Mutex::new(None);
        let mut ready = READY.lock().unwrap_or_else(PoisonError::into_inner);
        ready.get_or_insert_with(|| make(folder)).clone()
    }

    /// A command that runs a Python program with these packages, and with what our services share.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        let shared = concat!(env!("CARGO_MANIFEST_DIR"), "/guests");
        let mut command = Command::new("python3");
        command
            .env("PYTHONPATH", format!("{}:{shared}", self.packages.display()))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg(program);
        command
    }
}

fn make(folder: &Path) -> Result<GrpcPython, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let io = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(io)?;
    let packages = folder.join("packages");
    if !packages.exists() {
        // Another process may fetch the same: each into a folder of its own, renamed when it is whole.
        let fresh = folder.join(format!("packages.{}", process::id()));
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--target"]).arg(&fresh);
        run(pip.arg("-r").arg(root.join("guests/probe-grpc/requirements.txt")))?;
        if let Err(error) = fs::rename(&fresh, &packages) {
            let _ = fs::remove_dir_all(&fresh);
            if !packages.exists() {
                return Err(io(error));
            }
        }
    }
    let generated = folder.join(format!("generated.{}", process::id()));
    fs::create_dir_all(&generated).map_err(io)?;
    let contract = root.join("../../contract");
    let mut protoc = Command::new("python3");
    protoc.env("PYTHONPATH", &packages).args(["-m", "grpc_tools.protoc", "-I"]).arg(&contract);
    for kind in ["--python_out=", "--grpc_python_out="] {
        protoc.arg(format!("{kind}{}", generated.display()));
    }
    run(protoc.arg(contract.join("plugin.proto")))?;
    Ok(GrpcPython { packages, generated })
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| {
        format!("python3 cannot be started ({error}): install it (Debian: apt-get install python3 python3-pip)")
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let remedy = if said.contains("No module named pip") { "; Debian: apt-get install python3-pip" } else { "" };
    Err(format!("{command:?} fails{remedy}:\n{said}"))
}

/// A program that prints its address as its first line. It is started again at the same address whenever it ends, until
/// this value is dropped.
#[derive(Debug)]
pub struct Service {
    address: String,
    shared: Arc<Mutex<Running>>,
}

#[derive(Debug, Default)]
struct Running {
    child: Option<Child>,
    over: bool,
    starts: u64,
}

impl Service {
    /// Starts it. `command` gets the text to listen on (`127.0.0.1:0` the first time) and makes the program's command.
    ///
    /// # Errors
    /// Why there is no address.
    pub fn start(command: impl Fn(&str) -> Command + Send + 'static) -> Result<Self, String> {
        let shared = Arc::new(Mutex::new(Running::default()));
        let watched = Arc::clone(&shared);
        let (tell, heard) = mpsc::channel();
        // A child ends with the thread that started it, where it asks for that: this one lives as long as the service.
        thread::spawn(move || watch(&command, &watched, &tell));
        let address = heard.recv().map_err(|_| "the service has ended".to_owned())??;
        Ok(Self { address, shared })
    }

    /// The conformance plugin that answers `version` with `probe-version-0N`.
    ///
    /// # Errors
    /// As [`Service::start`].
    pub fn probe(python: &GrpcPython, version: u8) -> Result<Self, String> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("guests/probe-grpc/plugin.py");
        let code = fs::read(&source).map_err(|error| format!("{}: {error}", source.display()))?;
        let changed = of_version(&code, version)?;
        let program = python.generated.join(format!("probe_{version}.py"));
        fs::write(&program, changed).map_err(|error| format!("{}: {error}", program.display()))?;
        Self::of(python, program)
    }

    /// The plugin without hooks.
    ///
    /// # Errors
    /// As [`Service::start`].
    pub fn bare(python: &GrpcPython) -> Result<Self, String> {
        Self::of(python, Path::new(env!("CARGO_MANIFEST_DIR")).join("guests/bare/service.py"))
    }

    /// A program that takes the folder of the generated code, and where to listen.
    fn of(python: &GrpcPython, program: PathBuf) -> Result<Self, String> {
        let python = python.clone();
        Self::start(move |listen| {
            let mut command = python.command(&program);
            command.arg(&python.generated).args(["--listen", listen]);
            command
        })
    }

    /// Its address: the first line that it printed.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its process, just now.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.lock().child.as_ref().map(Child::id)
    }

    /// How often it was started.
    #[must_use]
    pub fn starts(&self) -> u64 {
        self.lock().starts
    }

    /// Ends it for good. Dropping does the same.
    pub fn end(&self) {
        let mut running = self.lock();
        running.over = true;
        if let Some(child) = &mut running.child {
            let _ = child.kill();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.end();
    }
}

type Address = Result<String, String>;

fn watch(command: &dyn Fn(&str) -> Command, shared: &Mutex<Running>, tell: &mpsc::Sender<Address>) {
    let lock = || shared.lock().unwrap_or_else(PoisonError::into_inner);
    let mut listen = "127.0.0.1:0".to_owned();
    loop {
        let mut running = lock();
        if running.over {
            return;
        }
        let mut child = match command(&listen).stdin(Stdio::null()).stdout(Stdio::piped()).spawn() {
            Ok(child) => child,
            Err(error) => return drop(tell.send(Err(format!("the service cannot be started: {error}")))),
        };
        let output = child.stdout.take();
        running.child = Some(child);
        running.starts += 1;
        drop(running);
        let Some(output) = output else { return };
        let mut lines = BufReader::new(output).lines();
        let first = lines.next().and_then(Result::ok);
        match first.as_deref().and_then(|line| line.split_once("://")) {
            Some((_, place)) => {
                place.clone_into(&mut listen);
                let _ = tell.send(Ok(first.unwrap_or_default()));
            }
            // Before its first address nobody waits for a second try.
            None if listen.ends_with(":0") => {
                let _ = tell.send(Err(format!("the service printed no address but {first:?}")));
                return;
            }
            None => {}
        }
        // Its output ends when it does.
        for _ in lines {}
        if let Some(mut child) = lock().child.take() {
            let _ = child.wait();
        }
    }
}
