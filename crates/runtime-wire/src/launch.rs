//! Starts children: cleared environment, own process group, one inherited descriptor, dead when the host is.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use midplane_contract::{Code, Error, Result};
use midplane_kernel::LoadRequest;

use crate::carrier::{Carrier, Pipes, Socket};
use crate::channel::Wiring;
use crate::confinement::Confinement;
use crate::dial::Dial;
use crate::guardian;
use crate::program::{FD_VARIABLE, Program, WIRE_FD};

/// What a start leaves in the host's hands.
pub(crate) struct Launched {
    pub(crate) child: Child,
    pub(crate) end: HostEnd,
    /// Both output streams of the child.
    pub(crate) output: OwnedFd,
}

/// The host's end of the wire to a child.
pub(crate) enum HostEnd {
    Carrier(Box<dyn Carrier>),
    /// There is none yet: the child listens for it.
    Dial(Dial),
}

/// Starts the program for this plugin.
///
/// # Errors
/// `io` with the reason the system gave, `config_invalid` when the executable does not exist, `not_a_plugin` when it is
/// no program.
pub(crate) fn launch(
    program: &Program,
    wiring: Wiring,
    request: &LoadRequest,
    confinement: &dyn Confinement,
) -> Result<Launched> {
    let failed = |error: io::Error| {
        let (code, remedy) = match error.raw_os_error() {
            Some(libc::ENOENT) if program.command.is_file() => (
                Code::ConfigInvalid,
                "install the interpreter that its first line names, or the loader it was built for",
            ),
            Some(libc::ENOENT) => (Code::ConfigInvalid, "name an executable that exists"),
            Some(libc::ENOEXEC) => {
                (Code::NotAPlugin, "build it for this machine, or begin it with a line that names its interpreter: #!…")
            }
            _ => (Code::Io, "see whether this user may start it and has processes and descriptors left"),
        };
        Error::new(code, format!("{} cannot be started: {error}", program.command.display())).remedy(remedy)
    };
    let (output, printed) = io::pipe().map_err(failed)?;
    let mut command = Command::new(&program.command);
    command
        .args(&program.args)
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(passes)))
        .envs(&request.manifest.entry.env)
        .envs(program.env.iter().map(|(name, value)| (name, value)))
        .stderr(printed.try_clone().map_err(failed)?)
        .process_group(0);
    let (end, theirs) = connect(&mut command, wiring, printed).map_err(failed)?;
    let folder = match &request.manifest.entry.workdir {
        Some(workdir) => request.folder.join(workdir),
        None => request.folder.clone(),
    };
    if folder.is_dir() {
        command.current_dir(folder);
    }
    guardian::mark(&mut command);
    confinement.confine(&mut command, request)?;
    tie_to_host(&mut command, theirs.as_ref());
    let child = on_launcher(move || spawn(&mut command))?.map_err(failed)?;
    drop(theirs);
    Ok(Launched { child, end, output: output.into() })
}

/// Gives the child its standard streams and its end of the wire; what is returned last is to be its [`WIRE_FD`].
fn connect(
    command: &mut Command,
    wiring: Wiring,
    printed: io::PipeWriter,
) -> io::Result<(HostEnd, Option<UnixStream>)> {
    match wiring {
        Wiring::Descriptor => {
            let (ours, theirs) = UnixStream::pair()?;
            command.env(FD_VARIABLE, WIRE_FD.to_string()).stdin(Stdio::null()).stdout(printed);
            Ok((HostEnd::Carrier(Box::new(Socket::new(ours))), Some(theirs)))
        }
        Wiring::Stdio => {
            let (stdin, to) = io::pipe()?;
            let (from, stdout) = io::pipe()?;
            command.stdin(stdin).stdout(stdout);
            Ok((HostEnd::Carrier(Box::new(Pipes::new(from, to)?)), None))
        }
        Wiring::Dial(dial) => {
            command.envs(dial.variables()).stdin(Stdio::null()).stdout(printed);
            Ok((HostEnd::Dial(dial), None))
        }
    }
}

/// Tries at a file that is open for writing, and the time between them.
const BUSY: (u32, Duration) = (100, Duration::from_millis(5));

/// A file that was written a moment ago is open for writing in every process that another thread has forked since and
/// that has not come to its own program yet. That ends by itself.
fn spawn(command: &mut Command) -> io::Result<Child> {
    for _ in 0..BUSY.0 {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => std::thread::sleep(BUSY.1),
            spawned => return spawned,
        }
    }
    command.spawn()
}

/// What of the host's environment a child may see: search path, locale, time zone.
fn passes(name: &str) -> bool {
    matches!(name, "PATH" | "LANG" | "LANGUAGE" | "TZ") || name.starts_with("LC_")
}

fn tie_to_host(command: &mut Command, wire: Option<&UnixStream>) {
    let wire = wire.map(AsRawFd::as_raw_fd);
    let host = rustix::process::getpid().as_raw_nonzero().get();
    // SAFETY: the closure runs between fork and exec, where only async-signal-safe functions are allowed: it makes
    // plain system calls and neither allocates nor locks. `wire` is open in the child because fork copied it.
    unsafe {
        command.pre_exec(move || {
            // Dies with the host, even if that is killed. The signal fires when the *thread* that forked ends, which
            // is why `on_launcher` exists. The check closes the gap in which the host died before this line.
            checked(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
            if libc::getppid() != host {
                return Err(io::Error::from_raw_os_error(libc::ESRCH));
            }
            // Orphaned grandchildren come back to the child, where `process` finds them when it is stopped.
            checked(libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1))?;
            match wire {
                Some(WIRE_FD) => checked(libc::fcntl(WIRE_FD, libc::F_SETFD, 0))?,
                Some(wire) => checked(libc::dup2(wire, WIRE_FD))?,
                None => {}
            }
            // Whatever descriptors the host has open for others stay here. An old kernel lacks the call; descriptors
            // that Rust opened are closed on exec anyway.
            let first = if wire.is_some() { WIRE_FD + 1 } else { WIRE_FD };
            let first = libc::c_uint::try_from(first).unwrap_or(libc::c_uint::MAX);
            libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
            Ok(())
        });
    }
}

/// Starts a program that does something for the host and speaks no protocol: in a process group of its own, dead when
/// the host is.
pub(crate) fn start_tool(mut command: Command) -> Result<io::Result<Child>> {
    let host = rustix::process::getpid().as_raw_nonzero().get();
    command.process_group(0);
    guardian::mark(&mut command);
    // SAFETY: as in `tie_to_host`: plain system calls between fork and exec.
    unsafe {
        command.pre_exec(move || {
            checked(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
            if libc::getppid() != host { Err(io::Error::from_raw_os_error(libc::ESRCH)) } else { Ok(()) }
        });
    }
    on_launcher(move || command.spawn())
}

fn checked(result: i32) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

type Task = Box<dyn FnOnce() + Send>;

/// Runs something on a thread that lives as long as the process does.
fn on_launcher<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    static LAUNCHER: OnceLock<Mutex<Sender<Task>>> = OnceLock::new();
    let launcher = LAUNCHER.get_or_init(|| {
        let (sender, tasks) = channel::<Task>();
        let thread = std::thread::Builder::new().name("midplane-launch".to_owned());
        let spawned = thread.spawn(move || tasks.iter().for_each(|task| task()));
        if let Err(error) = spawned {
            tracing::error!(%error, "no thread to start children from");
        }
        Mutex::new(sender)
    });
    let (done, result) = channel();
    let task: Task = Box::new(move || {
        let _ = done.send(work());
    });
    let gone = || Error::new(Code::Internal, "the thread that starts children is gone").remedy("restart the host");
    launcher.lock().unwrap_or_else(PoisonError::into_inner).send(task).map_err(|_| gone())?;
    result.recv().map_err(|_| gone())
}
