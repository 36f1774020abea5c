//! A host that runs over a data folder, and the commands that speak to it.

mod folders;
mod granting;
mod installing;
mod operating;
mod seat;

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, ChildStderr};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::midplane::{Done, command, piped};

/// A data folder and a folder for plugins.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A JavaScript plugin that says on stderr when it is started.
    fn plugin(&self, id: &str, needs: &[&str], init: &str) -> String {
        let folder = self.path("plugins").join(id);
        fs::create_dir_all(&folder).unwrap();
        let code = format!(
            "export default {{ onInit() {{ {init} }}, onStart() {{ console.log('{id} begins'); }}, actions: {{ who() {{ return '{id}'; }} }} }};"
        );
        fs::write(folder.join("plugin.js"), code).unwrap();
        let needs: Vec<Value> = needs.iter().map(|id| json!({ "id": id })).collect();
        let manifest = json!({
            "id": id, "name": id, "version": "1.0.0", "entry": { "runtime": "js", "main": "plugin.js" },
            "actions": ["who"], "dependencies": needs,
        });
        fs::write(folder.join("plugin.json"), manifest.to_string()).unwrap();
        folder.display().to_string()
    }

    fn run(&self, arguments: &[&str]) -> Done {
        Done::of(command(arguments).env("MIDPLANE_DATA", self.path("data")).output().unwrap())
    }

    /// The document of a command that goes well.
    fn json(&self, arguments: &[&str]) -> Value {
        let done = self.run(&[arguments, &["--output", "json"]].concat());
        assert_eq!(done.code, 0, "{done:?}");
        done.json()
    }

    /// The exit code and the error of one that does not.
    fn error(&self, arguments: &[&str]) -> (i32, Value) {
        let done = self.run(&[arguments, &["--output", "json"]].concat());
        (done.code, done.json()["error"].clone())
    }

    fn host(&self, arguments: &[&str]) -> Host {
        let all = ["run"].iter().chain(arguments).copied();
        Host::of(piped(command(all).env("MIDPLANE_DATA", self.path("data"))))
    }

    /// How far an installation is, as the catalog shows it.
    fn installed(&self, id: &str) -> Value {
        self.json(&["catalog", "show", id])["installed"]["status"].clone()
    }
}

/// A host, and what it said on stderr.
struct Host {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    heard: Vec<String>,
}

impl Host {
    /// Up to where it waits.
    fn of(mut child: Child) -> Self {
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut host = Self { child, lines, heard: Vec::new() };
        host.hears("running; Ctrl-C ends it");
        host
    }

    /// Waits until it says something.
    fn hears(&mut self, part: &str) {
        while !self.heard.iter().any(|line| line.contains(part)) {
            let Some(Ok(line)) = self.lines.next() else { panic!("no {part} in {:#?}", self.heard) };
            self.heard.push(line);
        }
    }

    fn position(&self, part: &str) -> usize {
        let found = self.heard.iter().position(|line| line.contains(part));
        found.unwrap_or_else(|| panic!("no {part} in {:#?}", self.heard))
    }

    fn ends(mut self, with: Signal) -> i32 {
        signal(&self.child, with);
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..3000 {
        if condition() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("in vain: {what}");
}

/// A script that takes as long to begin as the file `wait` is there.
fn slow(place: &Place) -> String {
    let folder = place.path("plugins/slow");
    fs::create_dir_all(&folder).unwrap();
    let code = format!(
        "#!/bin/sh\ntouch '{0}/begun'\nwhile [ -e '{0}/wait' ]; do sleep 0.05; done\nexec cat >/dev/null\n",
        folder.display()
    );
    fs::write(folder.join("s.sh"), code).unwrap();
    fs::set_permissions(folder.join("s.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.join("wait"), "").unwrap();
    fs::write(
        folder.join("plugin.yaml"),
        "{id: slow, name: S, version: 1.0.0, entry: {runtime: script, main: s.sh}, actions: [a]}",
    )
    .unwrap();
    folder.display().to_string()
}

fn settings(place: &Place, more: Value) -> String {
    let mut settings = json!({ "folders": [place.path("plugins"), place.path("vanished")] });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let file = place.path("midplane.json");
    fs::write(&file, settings.to_string()).unwrap();
    file.display().to_string()
}
