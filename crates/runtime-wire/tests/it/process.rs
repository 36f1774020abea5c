//! Any executable as a plugin: how it is found, reached and watched.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use midplane_contract::manifest::{Entry, Network, Protocol};
use midplane_contract::{Code as Fault, Error, Kind, RuntimeKind};
use midplane_kernel::Condition;
use midplane_runtime_wire::WireRuntime;
use midplane_runtime_wire::engine::executable::Executable;
use midplane_testkit::Scratch;
use serde_json::Value;

use crate::stage::{Loaded, alive, eventually, load_with, request};

const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peer.py");
const REACHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reached_peer.py");

/// Loads what an entry of a manifest says, in a folder of its own.
fn load_in(folder: &Path, entry: Entry) -> Result<Loaded, Error> {
    let mut wanted = request(RuntimeKind::Process);
    (wanted.folder, wanted.main, wanted.cache) = (folder.into(), folder.join(&entry.main), folder.join("cache"));
    Arc::make_mut(&mut wanted.manifest).entry = entry;
    let runtime =
        WireRuntime::new(RuntimeKind::Process, Executable).patience(Duration::from_secs(10), Duration::from_secs(30));
    load_with(&runtime, &wanted, 1)
}

fn python(script: &str, args: &[&str]) -> Entry {
    let mut entry = Entry::new("python3", RuntimeKind::Process);
    entry.process.executable = Some("python3".into());
    entry.args = ["-I", script].iter().chain(args).map(|arg| (*arg).to_owned()).collect();
    entry
}

fn load(change: impl FnOnce(&mut Entry)) -> (Scratch, Result<Loaded, Error>) {
    let scratch = Scratch::new("process").unwrap();
    let mut entry = python(REACHED, &[]);
    change(&mut entry);
    let loaded = load_in(scratch.path(), entry);
    (scratch, loaded)
}

/// A process that is reached in this way, for a host that is to be killed. It neither looks at the end of its wire nor
/// at any other.
pub(crate) fn waiting(way: &str) -> (Scratch, Loaded) {
    let (scratch, loaded) = load(|entry| match way {
        "stdio" => entry.process.protocol = Some(Protocol::Stdio),
        "unix" => entry.process.network = Some(Network::Unix),
        "tcp" => entry.process.network = Some(Network::Tcp),
        _ => entry.args.push("descriptor".into()),
    });
    (scratch, loaded.unwrap())
}

/// Everything that a peer can do, whichever way it is reached.
fn exercise(peer: &mut Loaded) {
    assert_eq!(peer.call("upper", "grüße".as_bytes()).unwrap(), "GRÜSSE".as_bytes());
    let input: Vec<u8> = (0..5 << 20).map(|n| n as u8).collect();
    assert!(peer.call("echo", &input).unwrap() == input);
    assert_eq!(peer.call("remember", b"something").unwrap(), b"something");
    assert_eq!(peer.call("fail", b"").unwrap_err().code(), Fault::InvalidInput);
    let late = peer.call_within("wait", b"", Duration::from_millis(50)).unwrap_err();
    assert_eq!(late.code(), Fault::DeadlineExceeded);
    assert!(matches!(peer.instances[0].condition(), Condition::Ready), "it ended the call itself");
    assert_eq!(peer.call("upper", b"on").unwrap(), b"ON");
}

#[test]
fn a_file_of_the_folder_is_run_and_speaks_on_its_descriptor() {
    let scratch = Scratch::new("process").unwrap();
    let main = scratch.path().join("plugin");
    fs::write(&main, format!("#!/bin/sh\nexec python3 -I {PEER}\n")).unwrap();
    let refused = load_in(scratch.path(), Entry::new("plugin", RuntimeKind::Process)).err().unwrap();
    assert_eq!(refused.code(), Fault::ConfigInvalid);
    assert_eq!(refused.record().remedy.as_deref(), Some(&*format!("chmod +x {}", main.display())));
    fs::set_permissions(&main, fs::Permissions::from_mode(0o755)).unwrap();
    let mut peer = load_in(scratch.path(), Entry::new("plugin", RuntimeKind::Process)).unwrap();
    exercise(&mut peer);
    assert!(peer.code.facts().build_id.starts_with("sha256:"), "{}", peer.code.facts().build_id);
}

#[test]
fn what_is_no_program_is_told_apart() {
    let scratch = Scratch::new("process").unwrap();
    let main = scratch.path().join("plugin");
    let load = |text: &[u8]| {
        fs::write(&main, text).unwrap();
        fs::set_permissions(&main, fs::Permissions::from_mode(0o755)).unwrap();
        load_in(scratch.path(), Entry::new("plugin", RuntimeKind::Process)).err().unwrap()
    };
    assert_eq!(load(b"no code at all").code(), Fault::NotAPlugin);
    let mut foreign = fs::read("/proc/self/exe").unwrap();
    foreign.truncate(4096);
    foreign[18..20].copy_from_slice(&0xF00D_u16.to_ne_bytes());
    assert_eq!(load(&foreign).code(), Fault::WrongArchitecture);
    let error = load(b"#!/nowhere/interpreter\n");
    assert_eq!(error.code(), Fault::ConfigInvalid);
    assert!(error.record().remedy.as_deref().unwrap().contains("interpreter"), "{error:?}");
    fs::remove_file(&main).unwrap();
    let error = load_in(scratch.path(), Entry::new("plugin", RuntimeKind::Process)).err().unwrap();
    assert!(error.record().message.contains("is not there"), "{error}");
    let mut entry = Entry::new("x", RuntimeKind::Process);
    entry.process.executable = Some("no-such-program-anywhere".into());
    let error = load_in(scratch.path(), entry).err().unwrap();
    assert!(error.record().message.contains("not on the search path"), "{error}");
}

#[test]
fn frames_travel_on_stdin_and_stdout() {
    let (_scratch, peer) = load(|entry| entry.process.protocol = Some(Protocol::Stdio));
    exercise(&mut peer.unwrap());
}

#[test]
fn garbage_on_stdout_before_the_greeting_is_quoted() {
    let (_scratch, loaded) = load(|entry| {
        entry.process.protocol = Some(Protocol::Stdio);
        entry.args.push("garbage".into());
    });
    let error = loaded.err().unwrap();
    assert_eq!((error.code(), error.record().kind), (Fault::ProtocolError, Kind::Load));
    assert!(error.record().message.contains("Listening on port 8080."), "{error}");
}

#[test]
fn the_host_dials_a_plugin_that_listens() {
    for network in [Network::Unix, Network::Tcp] {
        let (_scratch, peer) = load(|entry| {
            entry.process.network = Some(network);
            entry.env.insert("MINE".into(), "yes".into());
            entry.args.push("flood".into());
        });
        let mut peer = peer.unwrap();
        exercise(&mut peer);
        let seen: Value = serde_json::from_slice(&peer.call("environment", b"").unwrap()).unwrap();
        assert_eq!((&seen["PLUGIN_RPC_NETWORK"], &seen["MINE"]), (&network.as_str().into(), &"yes".into()));
        // Interpreters may be scripts that set variables of their own, so this looks for the host's.
        for name in ["HOME", "USER", "SHELL", "TERM", "CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "RUST_BACKTRACE"] {
            assert!(!seen.as_object().unwrap().contains_key(name), "{name} of the host is seen");
        }
        // The folder of an address that was chosen is gone.
        let address = seen["PLUGIN_RPC_ADDRESS"].as_str().unwrap();
        assert!(network == Network::Tcp || !Path::new(address).parent().unwrap().exists());
        let pid = peer.pid();
        drop(peer);
        assert!(!alive(pid));
    }
}

#[test]
fn an_address_may_be_written_down() {
    let (scratch, peer) = load(|entry| {
        entry.process.network = Some(Network::Unix);
        entry.process.address = Some("rpc.sock".into());
    });
    let mut peer = peer.unwrap();
    let seen: Value = serde_json::from_slice(&peer.call("environment", b"").unwrap()).unwrap();
    assert_eq!(seen["PLUGIN_RPC_ADDRESS"].as_str().unwrap(), scratch.path().join("rpc.sock").to_str().unwrap());
}

#[test]
fn one_that_does_not_listen_is_given_up_and_ended() {
    let (_scratch, deaf) = load(|entry| {
        entry.process.network = Some(Network::Unix);
        entry.process.max_retries = Some(0);
        entry.args.push("deaf".into());
    });
    let error = deaf.err().unwrap();
    assert_eq!((error.code(), error.record().kind), (Fault::DeadlineExceeded, Kind::Load));
    assert!(error.record().message.contains("tried 1 times"), "{error}");
    let (_scratch, dead) = load(|entry| {
        entry.process.network = Some(Network::Tcp);
        entry.args.push("dies".into());
    });
    let error = dead.err().unwrap();
    assert_eq!((error.code(), &error.record().data["exit"]), (Fault::Crashed, &1.into()));
    assert!(error.record().message.contains("no such database"), "{error}");
}

#[test]
fn somebody_else_at_the_address_is_not_the_plugin() {
    let scratch = Scratch::new("process").unwrap();
    let path = scratch.path().join("taken.sock");
    let _other = UnixListener::bind(&path).unwrap();
    let mut entry = python(REACHED, &["deaf"]);
    entry.process.network = Some(Network::Unix);
    entry.process.address = Some("taken.sock".into());
    entry.process.max_retries = Some(1);
    let error = load_in(scratch.path(), entry).err().unwrap();
    let me = format!("process {} listens there", std::process::id());
    assert!(error.record().message.contains(&me), "{error}");
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut entry = python(REACHED, &["deaf"]);
    entry.process.network = Some(Network::Tcp);
    entry.process.address = Some(tcp.local_addr().unwrap().to_string());
    entry.process.max_retries = Some(1);
    let error = load_in(scratch.path(), entry).err().unwrap();
    assert!(error.record().message.contains("another program listens there"), "{error}");
}

/// Lines of JSON over a socket that the host dials.
const TEXT: &str = r#"
import json, os, socket
listener = socket.socket(socket.AF_UNIX)
listener.bind(os.environ["PLUGIN_RPC_ADDRESS"])
listener.listen(1)
lines = listener.accept()[0].makefile("rw")
def say(**message):
    print(json.dumps(message), file=lines, flush=True)
say(id=1, method="register", params={"name": "dialled", "actions": ["greet"]})
for line in lines:
    message = json.loads(line)
    if message.get("method") == "call":
        say(id=message["id"], result="Hello, " + message["params"]["input"]["name"])
    elif "method" in message and "id" in message:
        say(id=message["id"], error="unknown method: " + message["method"])
"#;

#[test]
fn a_plugin_that_listens_may_speak_text() {
    let scratch = Scratch::new("process").unwrap();
    fs::write(scratch.path().join("text.py"), TEXT).unwrap();
    let mut entry = python("text.py", &[]);
    entry.process.network = Some(Network::Unix);
    entry.process.protocol = Some(Protocol::Text);
    let mut peer = load_in(scratch.path(), entry).unwrap();
    assert_eq!(peer.call("greet", br#"{"name": "Ada"}"#).unwrap(), br#""Hello, Ada""#);
    assert_eq!(peer.code.facts().details["peer"], "dialled");
}

#[test]
fn a_process_shows_what_it_is_and_when_it_was_heard_last() {
    let (_scratch, peer) = load(|entry| {
        entry.process.protocol = Some(Protocol::Stdio);
        entry.process.heartbeat_interval_ms = Some(5);
    });
    let peer = peer.unwrap();
    let shown = || peer.code.details()["processes"][0].clone();
    eventually("three heartbeats", || shown()["pings"].as_u64().unwrap() >= 3);
    let seen = shown();
    assert_eq!(seen["id"], format!("python3-{}", peer.pid()));
    assert_eq!(seen["state"], "running");
    for time in ["started_at", "last_ping"] {
        assert!(seen[time].as_str().unwrap().starts_with("20"), "{seen}");
    }
}

#[test]
fn a_process_that_answers_no_ping_is_ended() {
    let (_scratch, peer) = load(|entry| {
        entry.process.protocol = Some(Protocol::Stdio);
        entry.process.heartbeat_interval_ms = Some(5);
    });
    let peer = peer.unwrap();
    let pid = peer.pid();
    assert!(Command::new("kill").args(["-STOP", &pid.to_string()]).status().unwrap().success());
    eventually("it is ended", || !alive(pid));
    eventually("the kernel is told", || peer.host.lost.lock().unwrap().is_some());
    let lost = peer.host.lost.lock().unwrap().clone().unwrap();
    assert_eq!(lost.code(), Fault::DeadlineExceeded);
    assert!(lost.record().message.contains("has not answered a ping"), "{lost}");
    assert_eq!(peer.code.details()["processes"][0]["state"], "error");
}

#[test]
fn requests_to_the_host_that_are_taken_back_do_not_count() {
    let (_scratch, peer) = load(|entry| entry.process.protocol = Some(Protocol::Stdio));
    let mut peer = peer.unwrap();
    assert_eq!(peer.call("half", b"").unwrap(), b"");
    assert_eq!(peer.host.seen.lock().unwrap().len(), 1, "what came in half never reached the kernel");
}

#[test]
fn answers_that_nobody_takes_hold_up_nobody() {
    let (_scratch, peer) = load(|entry| entry.process.protocol = Some(Protocol::Stdio));
    let mut peer = peer.unwrap();
    *peer.host.value.lock().unwrap() = vec![7; 2 << 20];
    assert_eq!(peer.call("unread", b"").unwrap(), b"permission_denied");
    // They lie there still.
    assert_eq!(peer.call("remember", b"x").unwrap(), b"x");
}
