//! A host that is killed leaves nothing behind. The host is this test program, started once more.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use midplane_contract::RuntimeKind;
use midplane_kernel::Scope;

use crate::stage::{alive, call, eventually, load};

/// Tells the program that it is the host to be killed.
const ROLE: &str = "WIRE_TEST_HOST";

#[test]
fn a_host_that_waits_to_be_killed() {
    // Not a test of its own: `killing_the_host_ends_its_workers` starts it.
    let Ok(action) = std::env::var(ROLE) else { return };
    let mut echo = load(RuntimeKind::Native, 1);
    let child = String::from_utf8(echo.call("fork", b"").unwrap()).unwrap();
    println!("\nworker {} child {child}", echo.pid());
    let number = echo.action(&action);
    let _ = call(&mut *echo.instances[0], number, &action, b"", &Scope::default());
    // A thread that has waited for answers may be unparked once more.
    loop {
        std::thread::park();
    }
}

#[test]
fn killing_the_host_ends_its_workers() {
    for action in ["echo", "spin", "hang"] {
        let mut host = Command::new(std::env::current_exe().unwrap())
            .args(["orphans::a_host_that_waits_to_be_killed", "--exact", "--nocapture"])
            .env(ROLE, action)
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
        eventually("the worker is gone", || !alive(worker));
        // What the worker had started in a session of its own outlives a kill; nothing but a pid namespace ends it.
        let child: i32 = line.split(' ').nth(3).unwrap().parse().unwrap();
        let _ = Command::new("kill").args(["-9", &child.to_string()]).status();
    }
}
