//! Peers that are not built on Midplane: one in Python that uses nothing but what `contract/wire.md` says, and bad ones.

use std::time::Duration;

use midplane_contract::{Code as Fault, Error, Kind, RuntimeKind};
use midplane_kernel::{Condition, Scope};
use midplane_runtime_wire::{Program, WireRuntime};

use crate::stage::{Loaded, call, load_with, request};

fn python(script: &str, args: &[&str]) -> WireRuntime {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/").to_owned() + script;
    let args = ["-I", "-S", &path].into_iter().chain(args.iter().copied());
    WireRuntime::new(RuntimeKind::Process, Program::peer("python3", args))
}

fn peer(args: &[&str]) -> Loaded {
    load_with(&python("peer.py", args), &request(RuntimeKind::Process), 1).unwrap()
}

fn bad(how: &str) -> Result<Loaded, Error> {
    // Who is silent is waited for; the others show what they are, however long that takes them.
    let patience = Duration::from_secs(if how == "silent" { 4 } else { 60 });
    let runtime = python("bad_peer.py", &[how]).patience(patience, Duration::from_secs(60));
    load_with(&runtime, &request(RuntimeKind::Process), 1)
}

#[test]
fn a_python_peer_loads_calls_and_hooks() {
    let mut peer = peer(&[]);
    assert_eq!(peer.code.facts().info.name, "peer.py");
    assert_eq!(peer.call("upper", "grüße".as_bytes()).unwrap(), "GRÜSSE".as_bytes());
    let health = peer.instances[0].hook(midplane_contract::Hook::Health, b"", &Scope::default()).unwrap();
    assert_eq!(health.unwrap(), br#"{"status": "healthy"}"#);
    let error = peer.call("fail", b"").unwrap_err();
    assert_eq!((error.code(), error.record().message.as_str()), (Fault::InvalidInput, "as asked"));
}

#[test]
fn a_python_peer_takes_and_sends_chunks() {
    let mut peer = peer(&[]);
    let input: Vec<u8> = (0..5 << 20).map(|n| n as u8).collect();
    assert!(peer.call("echo", &input).unwrap() == input);
}

#[test]
fn a_python_peer_asks_its_host() {
    let mut peer = peer(&[]);
    assert_eq!(peer.call("remember", b"something").unwrap(), b"something");
    assert_eq!(peer.host.seen.lock().unwrap().len(), 2);
}

#[test]
fn a_python_peer_cancels() {
    let mut peer = peer(&[]);
    let error = peer.call_within("wait", b"", Duration::from_millis(50)).unwrap_err();
    assert_eq!(error.code(), Fault::DeadlineExceeded);
    assert!(matches!(peer.instances[0].condition(), Condition::Ready), "it ended the call itself");
    assert_eq!(peer.call("upper", b"on").unwrap(), b"ON");
    let stop = peer.instances[0].interrupter().unwrap();
    let wait = peer.action("wait");
    std::thread::scope(|threads| {
        let running =
            threads.spawn(|| call(&mut *peer.instances[0], wait, "wait", b"", &Scope::default()).unwrap_err());
        while !running.is_finished() {
            stop.interrupt();
            std::thread::yield_now();
        }
        assert_eq!(running.join().unwrap().code(), Fault::Cancelled);
    });
}

#[test]
fn silence_before_the_greeting_is_a_deadline_that_quotes_what_was_printed() {
    let error = bad("silent").err().unwrap();
    assert_eq!((error.code(), error.record().kind), (Fault::DeadlineExceeded, Kind::Load));
    assert!(error.record().data["stderr"].as_str().unwrap().contains("thinking"), "{error:?}");
}

#[test]
fn garbage_on_the_wire_is_quoted() {
    let error = bad("garbage").err().unwrap();
    assert_eq!(error.code(), Fault::ProtocolError);
    assert!(error.record().message.contains(r"\x1b[31mhello"), "{error}");
}

#[test]
fn a_death_before_the_greeting_quotes_the_last_lines() {
    let error = bad("dies").err().unwrap();
    assert_eq!((error.code(), &error.record().data["exit"]), (Fault::Crashed, &1.into()));
    assert!(error.record().message.contains("ZeroDivisionError"), "{error}");
}

#[test]
fn each_breach_of_the_protocol_is_named() {
    for (how, part) in [
        ("huge", "claims a payload of 4294967295 bytes"),
        ("unknown-kind", "frame kind 99"),
        ("deep", "recursion"),
        ("not-json", "JSON of a HELLO"),
        ("future", "speaks protocol [7]"),
        ("twice", "greets twice"),
        ("backwards", "only hosts send"),
        ("too-much", "larger than"),
        ("empty-pieces", "is empty"),
        ("half-greeting", "ended before it had greeted"),
    ] {
        let error = bad(how).err().unwrap_or_else(|| panic!("{how} was accepted"));
        assert_eq!(error.code(), Fault::ProtocolError, "{how}: {error:?}");
        assert!(error.record().message.contains(part), "{how}: {error}");
    }
}

#[test]
fn a_flood_of_pings_from_a_peer_that_reads_nothing_ends_it() {
    let error = bad("ping-flood").err().unwrap();
    assert_eq!(error.code(), Fault::ProtocolError);
    assert!(error.record().message.contains("more than it reads"), "{error}");
}

#[test]
fn an_executable_that_is_not_there_is_named() {
    let runtime = WireRuntime::new(RuntimeKind::Process, Program::peer("/nowhere/peer", [""; 0]));
    let error = load_with(&runtime, &request(RuntimeKind::Process), 1).err().unwrap();
    assert_eq!(error.code(), Fault::ConfigInvalid);
    assert!(error.record().message.contains("/nowhere/peer"));
}
