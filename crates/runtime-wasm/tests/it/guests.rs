//! The conformance probe as it is committed, in both forms: what the Rust SDK makes of the ABI and of the world.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use midplane_contract::{Code, Hook, Result};
use midplane_kernel::call::ChunkSink;
use midplane_kernel::{Call, Code as Loaded, Condition, Instance, Reply, Runtime, Scope};
use serde_json::{Value, json};

use crate::kit::{Folder, RUNTIME, Remembering, call_within, instance, instance_on, request};

const FORMS: [&str; 2] = ["component", "core"];

fn probe(form: &str) -> Arc<dyn Loaded> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../testkit/guests/probe/probe.{form}.wasm"));
    let wasm = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let folder = Folder::new();
    RUNTIME.load(&request(&folder.0, &wasm, &json!({}))).unwrap()
}

fn number(code: &Arc<dyn Loaded>, action: &str) -> u32 {
    let found = code.facts().actions.iter().position(|name| name.as_str() == action);
    found.unwrap_or_else(|| panic!("no action {action}")).try_into().unwrap()
}

fn ask(code: &Arc<dyn Loaded>, instance: &mut dyn Instance, action: &str, input: &[u8]) -> Result<Vec<u8>> {
    call_within(instance, number(code, action), input, Duration::from_secs(60))
}

#[test]
fn it_describes_itself() {
    for form in FORMS {
        let code = probe(form);
        let facts = code.facts();
        assert_eq!(facts.info.version, "0.1.0");
        assert!(facts.hooks.contains(&Hook::Health) && facts.hooks.contains(&Hook::ExportState));
        assert!(!facts.hooks.contains(&Hook::Migrate) && !facts.hooks.contains(&Hook::Ping), "{:?}", facts.hooks);
        assert!(facts.info.actions.iter().any(|action| action.idempotent));
    }
}

#[test]
fn bytes_of_any_size_come_back() {
    for form in FORMS {
        let code = probe(form);
        let mut instance = instance(&code);
        for size in [0, 1, 64, 65_536, 4 << 20, 3] {
            let input: Vec<u8> = (0..size).map(|n: u32| n.to_le_bytes()[0]).collect();
            assert!(ask(&code, &mut *instance, "echo", &input).unwrap() == input, "{form}: {size} bytes");
        }
    }
}

#[test]
fn it_knows_who_it_is() {
    for form in FORMS {
        let code = probe(form);
        let said: Value = serde_json::from_slice(&ask(&code, &mut *instance(&code), "identity", b"").unwrap()).unwrap();
        assert_eq!(said, json!({"id": "probe", "version": "1.0.0", "generation": 1, "number": 0}), "{form}");
    }
}

#[test]
fn hooks_run_and_state_is_handed_over() {
    for form in FORMS {
        let code = probe(form);
        let (mut old, mut new) = (instance(&code), instance(&code));
        let scope = Scope::default();
        assert_eq!(old.hook(Hook::Init, b"{}", &scope).unwrap(), Some(Vec::new()), "{form}");
        ask(&code, &mut *old, "counter", br#"{"add": 41}"#).unwrap();
        let state = old.hook(Hook::ExportState, b"", &scope).unwrap().unwrap();
        new.hook(Hook::ImportState, &state, &scope).unwrap();
        assert_eq!(ask(&code, &mut *new, "counter", b"").unwrap(), b"42", "{form}");
        let health: Value = serde_json::from_slice(&old.hook(Hook::Health, b"", &scope).unwrap().unwrap()).unwrap();
        assert_eq!(health["status"], "healthy", "{form}");
        assert_eq!(old.hook(Hook::Ping, b"", &scope).unwrap(), None, "{form}");
        assert!(old.hook(Hook::ValidateConfig, b"[1]", &scope).is_err(), "{form}");
    }
}

#[test]
fn an_error_arrives_whole() {
    let wanted = br#"{"code": "not_found", "message": "no such song", "recoverable": true, "data": {"id": 3}}"#;
    for form in FORMS {
        let code = probe(form);
        let mut instance = instance(&code);
        let error = ask(&code, &mut *instance, "fail", wanted).unwrap_err();
        let record = error.record();
        assert_eq!((record.code, record.message.as_str()), (Code::PluginError, "no such song"), "{form}");
        assert!(record.recoverable, "{form}");
        assert_eq!((&record.data["code"], &record.data["data"]["id"]), (&json!("not_found"), &json!(3)), "{form}");
        assert!(matches!(instance.condition(), Condition::Ready), "{form}");
    }
}

#[test]
fn each_way_to_die_has_its_own_name() {
    for form in FORMS {
        let code = probe(form);
        let fate = |action: &str, input: &[u8]| {
            let mut instance = instance(&code);
            let within = Duration::from_millis(if action == "hang" { 30 } else { 60_000 });
            let error = call_within(&mut *instance, number(&code, action), input, within).unwrap_err();
            assert!(matches!(instance.condition(), Condition::Spent(_)), "{form}: {action}");
            error
        };
        let panicked = fate("panic", b"out of cheese");
        assert_eq!(panicked.code(), Code::Panicked, "{form}");
        assert!(panicked.record().message.contains("out of cheese"), "{form}: {panicked}");
        assert_eq!(fate("abort", b"").code(), Code::Trapped, "{form}");
        // By the host's stack or by the one that Rust keeps in linear memory, whichever is used up first.
        assert_eq!(fate("recurse", b"").code(), Code::Trapped, "{form}");
        assert_eq!(fate("hang", b"").code(), Code::DeadlineExceeded, "{form}");
        assert_eq!(fate("allocate", br#"{"mib": 100}"#).code(), Code::MemoryLimit, "{form}");
    }
}

#[test]
fn the_host_is_reached_and_its_refusal_comes_back() {
    for form in FORMS {
        let code = probe(form);
        let host = Arc::new(Remembering::default());
        let mut instance = instance_on(&code, host.clone()).unwrap();
        let answer =
            ask(&code, &mut *instance, "host", br#"{"function": "state.get", "args": {"key": "k"}, "payload": "p"}"#);
        assert_eq!(answer.unwrap(), b"answer: p", "{form}");
        let line = br#"{"level": "warn", "message": "careful", "fields": {"n": 1}}"#;
        ask(&code, &mut *instance, "log", line).unwrap();
        let asked = host.asked.lock().unwrap();
        assert_eq!(
            asked[0],
            ("state.get".into(), r#"{"key":"k"}"#.into(), b"p".to_vec(), Some("host".into())),
            "{form}"
        );
        let line: Value = serde_json::from_str(&asked[1].1).unwrap();
        assert_eq!((asked[1].0.as_str(), &line["level"]), ("log", &json!("warn")), "{form}");
        assert!(line["message"].as_str().unwrap().starts_with("careful"), "{form}");
        drop(asked);
        let refuse =
            midplane_contract::Error::new(Code::PermissionDenied, "not granted").with("permission", "state.get:k");
        let host = Arc::new(Remembering { refuse: Some(refuse), ..Remembering::default() });
        let mut denied = instance_on(&code, host).unwrap();
        let error = ask(&code, &mut *denied, "host", br#"{"function": "state.get"}"#).unwrap_err();
        assert_eq!(error.record().data["code"], "permission_denied", "{form}");
        assert_eq!(error.record().data["data"]["permission"], "state.get:k", "{form}");
    }
}

struct Reader(Vec<Vec<u8>>);

impl ChunkSink for Reader {
    fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.push(bytes.to_vec());
        Ok(())
    }
}

#[test]
fn each_write_is_a_chunk_to_a_reader_and_all_are_the_reply_to_others() {
    for form in FORMS {
        let code = probe(form);
        let mut instance = instance(&code);
        let (scope, mut reader) = (Scope::default(), Reader(Vec::new()));
        let input = br#"{"count": 300, "size": 1000}"#;
        let call = Call { action: number(&code, "chunks"), name: "chunks", input, scope: &scope };
        instance.call_inline(&call, &mut Reply::stream(&mut reader, 1 << 20)).unwrap();
        let wanted: Vec<Vec<u8>> = (0..300_u32).map(|number| vec![number.to_le_bytes()[0]; 1000]).collect();
        assert!(reader.0 == wanted, "{form}: {} chunks", reader.0.len());
        assert!(ask(&code, &mut *instance, "chunks", input).unwrap() == wanted.concat(), "{form}");
        assert_eq!(ask(&code, &mut *instance, "chunks", br#"{"count": 0, "size": 9}"#).unwrap(), b"", "{form}");
    }
}

#[test]
fn a_guest_that_never_asks_the_host_shares_the_callers_executor() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/text-stats/text-stats.wasm");
    let folder = Folder::new();
    let code = RUNTIME.load(&request(&folder.0, &std::fs::read(path).unwrap(), &json!({}))).unwrap();
    let mut instance = instance(&code);
    let reply = crate::kit::call_async(&mut *instance, 0, b"two words\n").expect("no import that waits").unwrap();
    let stats: Value = serde_json::from_slice(&reply).unwrap();
    assert_eq!(stats["words"], 2, "{stats}");
}
