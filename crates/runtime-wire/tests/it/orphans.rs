//! A host that is killed leaves nothing behind. The host is this test program, started once more.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use midplane_contract::RuntimeKind;
use midplane_kernel::Scope;
use midplane_testkit::Scratch;

use crate::stage::{Loaded, alive, call, eventually, load};
use crate::{process, text};

/// Tells the program that it is the host to be killed: what it hosts, and the action that it calls.
const ROLE: &str = "WIRE_TEST_HOST";

#[test]
#[ignore = "no test of its own: the others start it"]
fn a_host_that_waits_to_be_killed() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let (kind, action) = role.split_once(' ').unwrap();
    let mut plugin = match kind {
        "worker" => load(RuntimeKind::Native, 1),
        "script" => return wait_with(text::faults::waiting(), action),
        way => return wait_with(process::waiting(way), action),
    };
    let child = String::from_utf8(plugin.call("fork", b"").unwrap()).unwrap();
    println!("\nworker {} child {child}", plugin.pid());
    be_killed(plugin, action);
}

fn wait_with<T>((_place, plugin): (T, Loaded), action: &str) {
    println!("\nworker {} child none", plugin.pid());
    be_killed(plugin, action);
}

fn be_killed(mut plugin: Loaded, action: &str) {
    let number = plugin.action(action);
    let _ = call(&mut *plugin.instances[0], number, action, b"", &Scope::default());
    // More than once: the call may have left the thread a wake-up.
    loop {
        std::thread::park();
    }
}

#[test]
fn killing_the_host_ends_its_workers_and_what_they_had_started_in_sessions_of_their_own() {
    for action in ["echo", "spin", "hang"] {
        let child: i32 = host_and_kill("worker", action).parse().unwrap();
        eventually("what the worker had started is gone", || !alive(child));
    }
}

#[test]
fn killing_the_host_ends_scripts_and_processes_whatever_they_do() {
    for role in ["script", "descriptor", "stdio", "unix", "tcp"] {
        for action in ["echo", "spin"] {
            host_and_kill(role, action);
        }
    }
}

/// Starts a host with such a plugin, kills it and waits for the plugin's end. Returns what the plugin had started.
fn host_and_kill(role: &str, action: &str) -> String {
    // Whatever the host makes lies in here: it does not come to take it away.
    let scratch = Scratch::new("orphans").unwrap();
    let mut host = Command::new(std::env::current_exe().unwrap())
        .args(["orphans::a_host_that_waits_to_be_killed", "--exact", "--ignored", "--nocapture"])
        .env(ROLE, format!("{role} {action}"))
        .env("TMPDIR", scratch.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(host.stdout.take().unwrap()).lines().map_while(Result::ok);
    let line = lines.into_iter().find(|line| line.starts_with("worker ")).unwrap();
    let worker: i32 = line.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(alive(worker));
    host.kill().unwrap();
    host.wait().unwrap();
    eventually("the plugin is gone", || !alive(worker));
    line.split(' ').nth(3).unwrap().to_owned()
}
