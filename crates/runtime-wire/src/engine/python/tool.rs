//! Programs that do something for the host, with a deadline: they end with it, and print into a bounded buffer.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use midplane_contract::{Code, Error, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::launch::start_tool;

/// Lines kept of what a tool prints, and the longest that one may be.
const LINES: usize = 30;
const LENGTH: usize = 1_000;

/// How a tool ended.
pub(super) struct Answer {
    pub(super) good: bool,
    /// How it ended, for people.
    pub(super) end: String,
    /// The last lines of both its outputs.
    pub(super) lines: Vec<String>,
}

impl Answer {
    /// What it printed, in one text.
    pub(super) fn words(&self) -> String {
        if self.lines.is_empty() { "it printed nothing".to_owned() } else { self.lines.join("\n") }
    }
}

/// Runs a tool to its end. Its environment is what installers need and nothing else of the host's.
///
/// # Errors
/// `io` when it cannot be started, `deadline_exceeded` when it was killed because it took too long.
pub(super) fn run(mut command: Command, patience: Duration) -> Result<Answer> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |error: io::Error| {
        Error::new(Code::Io, format!("{name} cannot be run: {error}"))
            .remedy("see whether this user may start it and has processes and descriptors left")
    };
    let (output, theirs) = io::pipe().map_err(failed)?;
    let given: Vec<_> =
        command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
    command
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(passes)))
        .envs(given)
        .stdin(Stdio::null())
        .stdout(theirs.try_clone().map_err(failed)?)
        .stderr(theirs);
    let mut child = start_tool(command)?.map_err(failed)?;
    let mut tail = Tail::default();
    let ended = follow(&mut child, &mut File::from(std::os::fd::OwnedFd::from(output)), &mut tail, patience);
    let status = match ended {
        Ok(true) => child.wait().map_err(failed)?,
        other => {
            kill(&mut child);
            other.map_err(failed)?;
            return Err(Error::new(
                Code::DeadlineExceeded,
                format!("{name} was killed: it had not ended within {} s", patience.as_secs()),
            )
            .remedy("see what it last printed, and whether the network is there")
            .with("output", tail.finish().join("\n")));
        }
    };
    Ok(Answer { good: status.success(), end: status.to_string(), lines: tail.finish() })
}

/// What of the host's environment a tool may see: what it takes to run and to reach a package index.
fn passes(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "PATH",
        "LANG",
        "LANGUAGE",
        "TZ",
        "HOME",
        "TMPDIR",
        "NETRC",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "XDG_CONFIG_HOME",
    ];
    // These would lead an installer to another place than the environment that is being made.
    const ELSEWHERE: [&str; 7] = [
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_ROOT",
        "PIP_USER",
        "PIP_PYTHON",
        "UV_SYSTEM_PYTHON",
        "UV_PROJECT_ENVIRONMENT",
    ];
    let proxy = name.to_ascii_lowercase().ends_with("_proxy");
    let family = ["LC_", "PIP_", "UV_"].iter().any(|start| name.starts_with(start));
    (NAMES.contains(&name) || proxy || family) && !ELSEWHERE.contains(&name)
}

/// Takes output until the tool closes it. `false` when the time is up.
fn follow(child: &mut Child, output: &mut File, tail: &mut Tail, patience: Duration) -> io::Result<bool> {
    let until = Instant::now() + patience;
    let mut buffer = [0; 8 * 1024];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        // What the tool left running may hold its output open; then its own end counts, looked at once a second.
        let step = left.min(Duration::from_secs(1));
        let time = Timespec::try_from(step).unwrap_or_default();
        let ready = poll(&mut [PollFd::from_borrowed_fd(output.as_fd(), PollFlags::IN)], Some(&time));
        match ready {
            Ok(0) if left.is_zero() => return Ok(false),
            Ok(0) if child.try_wait()?.is_some() => return Ok(true),
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        match output.read(&mut buffer)? {
            0 => return Ok(true),
            count => tail.take(buffer.get(..count).unwrap_or_default()),
        }
    }
}

fn kill(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// The last lines of an output.
#[derive(Default)]
struct Tail {
    lines: VecDeque<String>,
    rest: Vec<u8>,
}

impl Tail {
    fn take(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = LENGTH.saturating_sub(self.rest.len()).min(piece.len());
            self.rest.extend_from_slice(piece.get(..room).unwrap_or_default());
            if piece.ends_with(b"\n") {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&self.rest).trim_end().chars().filter(|c| !c.is_control()).collect();
        self.rest.clear();
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    fn finish(mut self) -> Vec<String> {
        if !self.rest.is_empty() {
            self.end_line();
        }
        self.lines.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_tool_ends_with_its_last_lines() {
        let answer =
            run(shell("for n in $(seq 100); do echo $n; done; echo wrong >&2; exit 3"), Duration::from_secs(60));
        let answer = answer.unwrap();
        assert!(!answer.good && answer.end.contains('3'), "{}", answer.end);
        assert_eq!((answer.lines.len(), answer.lines.last().unwrap().as_str()), (LINES, "wrong"));
    }

    #[test]
    fn a_tool_that_does_not_end_is_killed_with_what_it_started() {
        let error = run(shell("echo begun; sleep 1000 & sleep 1000"), Duration::from_millis(300)).err().unwrap();
        assert_eq!(error.code(), Code::DeadlineExceeded);
        assert_eq!(error.record().data["output"], "begun");
    }

    #[test]
    fn a_tool_sees_what_installers_need_and_no_secret() {
        let may: Vec<_> = ["PATH", "https_proxy", "HTTPS_PROXY", "PIP_INDEX_URL", "UV_CACHE_DIR", "LC_ALL"].to_vec();
        assert!(may.into_iter().all(passes));
        assert!(!["AWS_SECRET_ACCESS_KEY", "PYTHONPATH", "PIP_TARGET", "LD_PRELOAD"].into_iter().any(passes));
    }
}
