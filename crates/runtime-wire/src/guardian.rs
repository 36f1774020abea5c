//! What a killed host leaves behind is ended by a process that outlives it.
//!
//! A child dies with its host (see `launch`), but what the child had started does not, and once host and child are gone
//! nothing tells whose it was. So children carry a mark in their environment, which everything that they start inherits.
//! One shell for each host waits at a pipe for the host's end, however that comes, and kills whoever carries its mark.
//! Who gives itself another environment on purpose gets away.

use std::io::{self, PipeWriter};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// The environment variable that says which host a process belongs to.
const VARIABLE: &str = "MIDPLANE_HOST";

/// Looks again as long as there is somebody, since what is about to be killed may be starting the next; not for ever,
/// since a process may wait for a disk that does not answer.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM
exec 3<&0
{
  read -r _ <&3
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    marked=$(grep -slF "$1" /proc/[0-9]*/environ)
    [ "$marked" ] || exit 0
    for file in $marked; do pid=${file#/proc/}; kill -9 "${pid%/environ}"; done
  done
} &
"#;

/// Marks a command as this host's, and sees to it that somebody waits for the host's end.
pub(crate) fn mark(command: &mut Command) {
    static MARK: OnceLock<String> = OnceLock::new();
    /// Breaks when the host ends.
    static ALIVE: OnceLock<Option<PipeWriter>> = OnceLock::new();
    let value = MARK.get_or_init(|| {
        let begun = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        format!("{:08x}-{:032x}", std::process::id(), begun.as_nanos())
    });
    command.env(VARIABLE, value);
    ALIVE.get_or_init(|| {
        // Without one, children still end with the host; only what they started may not.
        let begun = begin(&format!("{VARIABLE}={value}"));
        begun.inspect_err(|error| tracing::warn!("nobody cleans up after a killed host: sh: {error}")).ok()
    });
}

/// Starts the shell, which goes on as nobody's child: a host's children are its plugins.
fn begin(mark: &str) -> io::Result<PipeWriter> {
    use std::os::unix::process::CommandExt;

    let (end, alive) = io::pipe()?;
    let mut command = Command::new("/bin/sh");
    command.args(["-c", SCRIPT, "midplane-guardian", mark]).env_clear().env("PATH", "/usr/bin:/bin");
    // Nothing that holds up a terminal, a folder or somebody who reads the host's output to its end.
    command.current_dir("/").stdin(end).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let status = command.status()?;
    if status.success() { Ok(alive) } else { Err(io::Error::other(status.to_string())) }
}
