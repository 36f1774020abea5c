//! Processes of plugins, as the system shows them.

use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value};

/// Whether a process is there, even as one that has ended and that nobody has waited for.
#[must_use]
pub fn exists(process: u64) -> bool {
    Path::new(&format!("/proc/{process}")).exists()
}

/// The process that a loaded plugin's `details` name, if they name one.
#[must_use]
pub fn of(details: &Map<String, Value>) -> Option<u64> {
    details.get("pid").and_then(Value::as_u64)
}

/// Kills it, as the system does: without a word to it or anybody.
///
/// # Errors
/// That it is not there, or not this user's.
pub fn kill(process: u64) -> Result<(), String> {
    signal(process, "-KILL")
}

/// Sends it a signal, as `kill` calls it.
pub(crate) fn signal(process: u64, signal: &str) -> Result<(), String> {
    let sent = Command::new("kill").args([signal, &process.to_string()]).output();
    let sent = sent.map_err(|error| format!("`kill` cannot be started: {error}"))?;
    let said = || format!("kill {signal} {process}: {}", String::from_utf8_lossy(&sent.stderr).trim());
    if sent.status.success() { Ok(()) } else { Err(said()) }
}

/// What is left of the process that a plugin's `details` named while it was loaded; `None` when it is gone or there was
/// none.
#[must_use]
pub fn left(details: &Map<String, Value>) -> Option<String> {
    of(details).filter(|process| exists(*process)).map(|process| format!("the process {process}"))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn this_process_is_left_and_one_that_was_waited_for_is_not() {
        let details = |process: u32| json!({ "pid": process }).as_object().cloned().unwrap();
        let mine = std::process::id();
        assert_eq!(left(&details(mine)), Some(format!("the process {mine}")));
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        kill(child.id().into()).unwrap();
        assert!(!child.wait().unwrap().success());
        assert_eq!(left(&details(child.id())), None);
        assert!(kill(child.id().into()).unwrap_err().contains("-KILL"));
        assert_eq!(left(&Map::new()), None);
    }
}
