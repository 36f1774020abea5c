//! Other processes: this very program, doing one of the parts below instead of the tests.

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use midplane_contract::{Code, Error};
use midplane_kernel::store::Store;
use midplane_store::Sqlite;

/// A process that does a part, and what it says.
pub(crate) struct Other {
    pub(crate) child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Other {
    pub(crate) fn playing(part: &str, folder: &Path) -> Self {
        Self::started(Command::new(std::env::current_exe().unwrap()).args(arguments(part)), folder)
    }

    /// As somebody without rights, or within limits that a shell sets.
    pub(crate) fn started(command: &mut Command, folder: &Path) -> Self {
        let mut child = command.env("DATA", folder).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next thing it says; `None` when it has ended.
    pub(crate) fn says(&mut self) -> Option<String> {
        self.lines.find_map(|line| line.ok()?.split_once("says: ").map(|(_, said)| said.to_owned()))
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn arguments(part: &str) -> Vec<String> {
    vec!["--exact".into(), format!("processes::{part}"), "--ignored".into(), "--nocapture".into()]
}

fn say(what: impl std::fmt::Display) {
    println!("\nsays: {what}");
}

fn data() -> PathBuf {
    PathBuf::from(std::env::var_os("DATA").unwrap())
}

/// The number under a key; 0 where there is none.
pub(crate) fn number(bytes: Option<Vec<u8>>) -> u64 {
    bytes.map_or(0, |bytes| String::from_utf8(bytes).unwrap().parse().unwrap())
}

/// Writes the next number in two places, in one change.
pub(crate) fn count(store: &dyn Store, weight: usize) -> Result<u64, Error> {
    let mut next = 0;
    store.change(&mut |change| {
        next = number(change.get("one", "n")?) + 1;
        change.put("one", "n", next.to_string().as_bytes())?;
        // Something between the two, so that there is time to be killed in.
        change.put("one", &format!("weight-{}", next % 8), &vec![0; weight])?;
        change.put("two", "n", next.to_string().as_bytes())
    })?;
    Ok(next)
}

#[test]
#[ignore = "a part, played by another process"]
fn counts() {
    say("here");
    let store = Sqlite::lasting(&data().join("state.db")).unwrap();
    loop {
        say(count(&store, 100_000).unwrap());
    }
}

#[test]
#[ignore = "a part, played by another process"]
fn counts_a_hundred_times() {
    let store = Sqlite::lasting(&data().join("state.db")).unwrap();
    for _ in 0..100 {
        count(&store, 100).unwrap();
    }
    say("done");
}

#[test]
#[ignore = "a part, played by another process"]
fn holds_the_file() {
    let store = Sqlite::lasting(&data().join("state.db")).unwrap();
    store
        .change(&mut |_| {
            say("held");
            // Until somebody ends it.
            std::thread::park();
            Err(Error::new(Code::Cancelled, "over"))
        })
        .unwrap_err();
}

#[test]
#[ignore = "a part, played by another process"]
fn counts_until_it_cannot() {
    match Sqlite::lasting(&data().join("state.db")) {
        Ok(store) => loop {
            match count(&store, 100_000) {
                Ok(number) => say(number),
                Err(error) => return say(told(&error)),
            }
        },
        Err(error) => say(told(&error)),
    }
}

fn told(error: &Error) -> String {
    format!("{} | {} | {}", error.code(), error.record().message, error.record().remedy.clone().unwrap_or_default())
}
