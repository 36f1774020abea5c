//! Scripts that do not keep to the protocol, or do not go on.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use midplane_contract::{Code as Fault, Error, Hook, Kind, RuntimeKind};
use midplane_kernel::{Condition, Scope};
use midplane_runtime_wire::WireRuntime;
use midplane_runtime_wire::engine::script::Script;
use midplane_testkit::Scratch;

use crate::stage::{Loaded, alive, eventually, load_with, request};

/// A script of these lines as a plugin, and where it lies.
pub(crate) fn script(lines: &str) -> (Scratch, Result<Loaded, Error>) {
    script_within(lines, Duration::from_secs(60))
}

/// The same, waited for so long.
fn script_within(lines: &str, patience: Duration) -> (Scratch, Result<Loaded, Error>) {
    let scratch = Scratch::new("script").unwrap();
    let main = scratch.path().join("plugin.sh");
    fs::write(&main, lines).unwrap();
    let mut wanted = request(RuntimeKind::Script);
    let entry = &mut Arc::make_mut(&mut wanted.manifest).entry;
    entry.main = "plugin.sh".into();
    (wanted.folder, wanted.main, wanted.cache) = (scratch.path().into(), main, scratch.path().join("cache"));
    let runtime = WireRuntime::new(RuntimeKind::Script, Script).patience(patience, Duration::from_secs(60));
    let loaded = load_with(&runtime, &wanted, 1);
    (scratch, loaded)
}

/// What every one of these says first.
const HELLO: &str = r#"echo '{"id":1,"method":"register","params":{"actions":["a"],"hooks":["stop"]}}'; read -r _
"#;

fn registered(lines: &str) -> (Scratch, Loaded) {
    let (scratch, loaded) = script(&format!("{HELLO}{lines}"));
    (scratch, loaded.unwrap())
}

/// A script that spins or waits, for a host that is to be killed.
pub(crate) fn waiting() -> (Scratch, Loaded) {
    let hello = HELLO.replace("[\"a\"]", "[\"echo\",\"spin\"]");
    let (scratch, loaded) =
        script(&format!("{hello}while read -r line; do [[ $line != *spin* ]] || while :; do :; done; done"));
    (scratch, loaded.unwrap())
}

#[test]
fn a_plugin_in_plain_shell_answers() {
    let (_scratch, mut loaded) = registered(r#"while read -r _; do echo '{"id":"5","result":{"by":"hand"}}'; done"#);
    assert_eq!(loaded.call("a", b"{}").unwrap(), br#"{"by":"hand"}"#);
}

#[test]
fn garbage_before_registering_is_quoted() {
    for (lines, part) in [
        ("echo 'Hello, I am a program.'; sleep 60", "Hello, I am a program."),
        ("printf '\\x1b[31mhello'", r"\x1b[31mhello"),
        ("echo '{\"id\":1,\"result\":5}'; sleep 60", "first message is not `register`"),
        ("head -c 100000 /dev/zero; sleep 60", "more than 65536 bytes"),
        ("echo '{\"method\":\"register\",\"params\":{\"actions\":[\"not one\"]}}'; sleep 60", "`actions`"),
    ] {
        let (_scratch, loaded) = script(lines);
        let error = loaded.err().unwrap();
        assert_eq!((error.code(), error.record().kind), (Fault::ProtocolError, Kind::Load), "{lines}: {error:?}");
        assert!(error.record().message.contains(part), "{lines}: {error}");
    }
}

#[test]
fn silence_and_death_before_registering_are_told_apart() {
    let (_scratch, silent) = script_within("echo thinking >&2; sleep 60", Duration::from_secs(4));
    let error = silent.err().unwrap();
    assert_eq!(error.code(), Fault::DeadlineExceeded);
    assert!(error.record().data["stderr"].as_str().unwrap().contains("thinking"), "{error:?}");
    let (_scratch, dead) = script("echo 'no such database' >&2; exit 7");
    let error = dead.err().unwrap();
    assert_eq!((error.code(), &error.record().data["exit"]), (Fault::Crashed, &7.into()));
    assert!(error.record().message.contains("no such database"), "{error}");
}

#[test]
fn each_breach_of_the_protocol_ends_the_call_and_is_quoted() {
    for (line, part) in [
        ("oops", "it is no JSON object (it begins with \\\"oops"),
        ("{\"id\":\"5\"}", "neither a request"),
        ("{\"id\":\"5\",\"result\":1,\"text\":\"\"}", "bytes twice"),
        ("{\"id\":\"5\",\"base64\":\"%\"}", "`base64`"),
        ("{\"method\":\"log\",\"params\":5}", "`params`"),
    ] {
        let (_scratch, mut loaded) = registered(&format!("read -r _; echo '{line}'; sleep 60"));
        let error = loaded.call("a", b"").unwrap_err();
        assert_eq!(error.code(), Fault::ProtocolError, "{line}: {error:?}");
        assert!(error.record().message.contains(&part.replace("\\\"", "\"")), "{line}: {error}");
        assert!(matches!(loaded.instances[0].condition(), Condition::Dead(_)));
        let pid = loaded.pid();
        eventually("the script is gone", || !alive(pid));
    }
}

#[test]
fn a_line_that_never_ends_is_ended() {
    let (_scratch, mut loaded) = registered("read -r _; tr '\\0' x < /dev/zero");
    let error = loaded.call("a", b"").unwrap_err();
    assert_eq!(error.code(), Fault::ProtocolError, "{error:?}");
    assert!(error.record().message.contains("more than 100663296 bytes"), "{error}");
}

#[test]
fn floods_cost_the_host_nothing_and_end_with_the_deadline() {
    let log = r#"{"method":"log","params":{"message":"x"}}"#;
    for flood in
        ["yes ''", "yes '{\"id\":\"99\",\"result\":1}'", &format!("yes '{log}'"), "yes '{\"method\":\"ping\"}'"]
    {
        let (_scratch, mut loaded) = registered(&format!("read -r _; {flood}"));
        let error = loaded.call_within("a", b"", Duration::from_millis(300)).unwrap_err();
        assert!(matches!(error.code(), Fault::DeadlineExceeded | Fault::ProtocolError), "{flood}: {error:?}");
        let pid = loaded.pid();
        eventually("the script is gone", || !alive(pid));
    }
}

#[test]
fn questions_whose_answers_nobody_reads_end_the_plugin() {
    let ask = r#"{"id":1,"method":"time.now"}"#;
    let (_scratch, mut loaded) = registered(&format!("read -r _; yes '{ask}'"));
    let error = loaded.call("a", b"").unwrap_err();
    assert_eq!(error.code(), Fault::ProtocolError, "{error:?}");
    assert!(error.record().message.contains("more than it reads"), "{error}");
}

#[test]
fn a_hook_that_is_unknown_after_all_is_absent() {
    let (_scratch, mut loaded) =
        registered(r#"read -r _; echo '{"id":"5","error":"unknown method: stop"}'; read -r _; sleep 60"#);
    for _ in 0..2 {
        let scope = Scope::within(Duration::from_secs(10));
        assert_eq!(loaded.instances[0].hook(Hook::Stop, b"", &scope).unwrap(), None);
    }
}

#[test]
fn a_script_that_reads_to_the_end_of_its_input_ends_when_it_is_dropped() {
    let (_scratch, loaded) = registered("cat > rest; echo over >> rest");
    let pid = loaded.pid();
    let rest = _scratch.path().join("rest");
    drop(loaded);
    assert!(!alive(pid), "it was waited for");
    let rest = fs::read_to_string(rest).unwrap();
    assert!(rest.ends_with("{\"method\":\"shutdown\",\"params\":{}}\nover\n"), "{rest}");
}

#[test]
fn what_a_script_says_about_the_host_is_its_own_word() {
    let (_scratch, mut loaded) = registered(
        r#"read -r _; echo '{"id":"5","error":{"code":"permission_denied","message":"says who"}}'; read -r _"#,
    );
    let error = loaded.call("a", b"").unwrap_err();
    assert_eq!((error.code(), &error.record().data["code"]), (Fault::PluginError, &"permission_denied".into()));
}

#[test]
fn an_interpreter_that_is_missing_is_named() {
    let (_scratch, loaded) = script("#!/nowhere/interpreter\n");
    let error = loaded.err().unwrap();
    assert_eq!(error.code(), Fault::ConfigInvalid);
    assert!(error.record().message.contains("/nowhere/interpreter"), "{error}");
}
