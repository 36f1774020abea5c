//! What is Go's own, seen at the conformance plugin. The list of behaviours is run by `crates/midplane`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use midplane_contract::{Code as Fault, RuntimeKind};
use midplane_kernel::{Condition, LoadRequest, Scope};
use midplane_runtime_wire::{Program, WireRuntime};
use midplane_testkit::{GoBuild, go_guest};

use crate::stage::{Loaded, call, eventually, load_with, request};

/// The conformance plugin as a program.
fn built() -> PathBuf {
    go_guest("probe-go", GoBuild::Program, &Path::new(env!("CARGO_TARGET_TMPDIR")).join("go")).unwrap()
}

fn probe() -> Loaded {
    let program = Program::peer(built(), [""; 0]);
    load_with(&WireRuntime::new(RuntimeKind::Process, program), &asked(), 1).unwrap()
}

fn asked() -> LoadRequest {
    request(RuntimeKind::Process)
}

#[test]
fn a_go_plugin_that_heeds_its_context_is_cancelled_and_goes_on() {
    let mut probe = probe();
    let error = probe.call_within("wait", b"", Duration::from_millis(50)).unwrap_err();
    assert_eq!(error.code(), Fault::DeadlineExceeded);
    assert!(matches!(probe.instances[0].condition(), Condition::Ready), "the context ended the call");
    assert_eq!(probe.call("echo", b"on").unwrap(), b"on");
    let stop = probe.instances[0].interrupter().unwrap();
    let wait = probe.action("wait");
    std::thread::scope(|threads| {
        let running =
            threads.spawn(|| call(&mut *probe.instances[0], wait, "wait", b"", &Scope::default()).unwrap_err());
        while !running.is_finished() {
            stop.interrupt();
            std::thread::yield_now();
        }
        assert_eq!(running.join().unwrap().code(), Fault::Cancelled);
    });
    assert_eq!(probe.call("echo", b"still").unwrap(), b"still");
}

#[test]
fn a_panic_in_go_is_caught_and_tells_where() {
    let mut probe = probe();
    let error = probe.call("panic", b"as asked").unwrap_err();
    assert_eq!((error.code(), error.record().message.as_str()), (Fault::Panicked, "as asked"));
    assert!(error.record().data["stack"].as_str().unwrap().contains("failing.go"), "{error:?}");
    // The instance is the same.
    assert_eq!(probe.call("counter", b"").unwrap(), b"1");
    assert!(probe.call("panic", b"again").is_err());
    assert_eq!(probe.call("counter", b"").unwrap(), b"2");
}

#[test]
fn a_go_plugin_answers_pings_during_a_call_that_never_gives_way() {
    let mut probe = probe();
    let pid = probe.pid();
    let release = std::env::temp_dir().join(format!("midplane-go-release-{pid}"));
    let hang = probe.action("hang");
    let input = serde_json::json!({ "release": release }).to_string();
    let mut other = probe.instances.pop().unwrap();
    std::thread::scope(|threads| {
        let running = threads.spawn(|| call(&mut *other, hang, "hang", input.as_bytes(), &Scope::default()));
        eventually("the log line", || !probe.host.seen.lock().unwrap().is_empty());
        std::fs::write(&release, "").unwrap();
        assert_eq!(running.join().unwrap().unwrap(), b"");
    });
    std::fs::remove_file(release).unwrap();
}

#[test]
fn what_a_go_program_says_when_no_host_started_it_names_the_way() {
    let run = std::process::Command::new(built()).env_remove("MIDPLANE_FD").output().unwrap();
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).contains("a host starts it"));
}

#[test]
#[ignore = "a measurement"]
fn bench_of_a_go_echo() {
    let mut probe = probe();
    let echo = probe.action("echo");
    for size in [64, 65_536] {
        let input = vec![7_u8; size];
        let mut rounds: Vec<Duration> = (0..15)
            .map(|_| {
                let start = std::time::Instant::now();
                for _ in 0..5_000 {
                    call(&mut *probe.instances[0], echo, "echo", &input, &Scope::default()).unwrap();
                }
                start.elapsed() / 5_000
            })
            .collect();
        rounds.sort();
        println!("go, {size} B: median {:?}, best {:?}", rounds[7], rounds[0]);
    }
}
