//! Waiting, ending, being ended; two at once.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::midplane::{Done, calling, command, piped};
use crate::plugins::{cache, guest, tool};

/// `run` of these plugins, up to where it waits.
fn waiting(plugins: &[PathBuf]) -> (Child, BufReader<ChildStdout>) {
    let arguments = [PathBuf::from("run")].into_iter().chain(plugins.iter().cloned());
    let mut child = piped(&mut command(arguments));
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for _ in plugins {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(line.contains("running"), "{line:?}");
    }
    (child, stdout)
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Processes that a process has started, zombies not counted.
fn children(of: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|number| parent(*number) == Some(of)).collect()
}

/// The parent of a process that lives.
fn parent(of: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{of}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    (state != "Z" && state != "X").then(|| fields.next()?.parse().ok()).flatten()
}

fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..3000 {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("in vain: {what}");
}

#[test]
fn it_waits_until_it_is_interrupted_and_ends_with_130() {
    for wanted in [Signal::INT, Signal::TERM] {
        let (child, stdout) = waiting(&[guest(), tool()]);
        let workers = children(child.id());
        assert_eq!(workers.len(), 1, "one worker, for the native plugin");
        signal(&child, wanted);
        let done = Done::of(child.wait_with_output().unwrap());
        drop(stdout);
        assert_eq!(done.code, 130, "{}", done.stderr);
        until("the worker is gone", || workers.iter().all(|worker| parent(*worker).is_none()));
    }
}

#[test]
fn a_call_that_takes_long_can_be_interrupted() {
    for (plugin, address) in [(guest(), "guest/spin"), (tool(), "tool/hang")] {
        let child = piped(&mut command(calling(plugin, address, &["--deadline", "60s", "-v"])));
        // It has come so far that it listens: the thread of the executor is there.
        until("it listens", || listens(child.id()));
        signal(&child, Signal::INT);
        let done = Done::of(child.wait_with_output().unwrap());
        assert_eq!(done.code, 130, "{address}: {}", done.stderr);
    }
}

#[test]
fn waiting_for_stdin_can_be_interrupted() {
    let mut command = command(calling(guest(), "guest/echo", &["--input", "-", "--output", "json"]));
    let mut child = piped(command.stdin(std::process::Stdio::piped()));
    let stdin = child.stdin.take();
    until("it listens", || listens(child.id()));
    signal(&child, Signal::INT);
    let done = Done::of(child.wait_with_output().unwrap());
    drop(stdin);
    assert_eq!((done.code, done.error().as_str()), (130, "cancelled"), "{}", done.stderr);
}

/// Whether a process has asked to be told of SIGINT.
fn listens(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0);
    caught & (1 << (Signal::INT.as_raw() - 1)) != 0
}

#[test]
fn killed_half_way_it_leaves_no_process() {
    let (mut child, stdout) = waiting(&[tool()]);
    let workers = children(child.id());
    assert_eq!(workers.len(), 1);
    child.kill().unwrap();
    child.wait().unwrap();
    drop(stdout);
    until("the worker dies with its host", || workers.iter().all(|worker| parent(*worker).is_none()));
}

#[test]
fn many_at_once_share_a_cold_cache_without_quarrel() {
    let fresh = tempfile::tempdir().unwrap();
    let start = |number: usize| {
        let (plugin, address) = if number.is_multiple_of(2) { (guest(), "guest/echo") } else { (tool(), "tool/echo") };
        let mut command = command(calling(plugin, address, &["--input", &number.to_string()]));
        piped(command.env("XDG_CACHE_HOME", fresh.path()))
    };
    let running: Vec<Child> = (0..6).map(start).collect();
    for (number, child) in running.into_iter().enumerate() {
        let done = Done::of(child.wait_with_output().unwrap());
        assert_eq!((done.code, done.text()), (0, number.to_string()), "{}", done.stderr);
    }
    assert_ne!(fresh.path(), cache());
}
