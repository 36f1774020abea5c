//! Components: the world, errors, hooks, chunks and what is refused.

use std::sync::Arc;

use midplane_contract::{Code, Hook, Result};
use midplane_kernel::call::ChunkSink;
use midplane_kernel::{Call, Condition, Instance, Reply, Scope};
use serde_json::json;

use crate::kit::{
    Remembering, call, call_async, component, component_in, component_text, instance, instance_on, load_with,
};

fn plain() -> Arc<dyn midplane_kernel::Code> {
    load_with(&component(&component_text("", "", "")), &json!({})).unwrap()
}

#[test]
fn bytes_come_back_as_they_went_in() {
    let code = plain();
    assert_eq!(code.facts().actions.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["echo", "fail", "more"]);
    assert_eq!(code.facts().hooks, [Hook::Info, Hook::Init]);
    assert_eq!(code.facts().details["format"], "component");
    let mut instance = instance(&code);
    let large: Vec<u8> = (0..16 << 20).map(|n: u32| n.to_le_bytes()[1]).collect();
    for input in [&b""[..], b"x", &large, b"short again"] {
        assert!(call(&mut *instance, 0, input).unwrap() == input, "{} bytes", input.len());
        assert!(call_async(&mut *instance, 0, input).unwrap().unwrap() == input, "{} bytes", input.len());
    }
}

#[test]
fn an_error_of_the_plugin_stays_whole_and_leaves_the_instance_ready() {
    let mut instance = instance(&plain());
    let error = call(&mut *instance, 1, b"").unwrap_err();
    let record = error.record();
    assert_eq!((record.code, record.message.as_str(), record.recoverable), (Code::PluginError, "no such song", true));
    assert_eq!((&record.data["code"], &record.data["data"]), (&json!("not_found"), &json!({"id": 3})));
    assert!(matches!(instance.condition(), Condition::Ready));
}

#[test]
fn hooks_that_are_not_there_are_none() {
    let mut instance = instance(&plain());
    assert_eq!(instance.hook(Hook::Init, b"config", &Scope::default()).unwrap(), Some(b"config".to_vec()));
    assert_eq!(instance.hook(Hook::Health, b"", &Scope::default()).unwrap(), None);
}

#[test]
fn a_component_of_another_world_is_refused_by_name() {
    let error = load_with(&wat::parse_str("(component)").unwrap(), &json!({})).err().unwrap();
    assert_eq!(error.code(), Code::MissingSymbol);
    let text = r#"(component (import "wasi:sockets/tcp@0.2.0" (instance)) (import "acme:x/y" (func)))"#;
    let error = load_with(&wat::parse_str(text).unwrap(), &json!({})).err().unwrap();
    assert_eq!(error.record().data["imports"], json!(["wasi:sockets/tcp@0.2.0", "acme:x/y"]));
    let text = r#"(component (instance $i) (export "midplane:plugin/guest@2.0.0" (instance $i)))"#;
    let error = load_with(&wat::parse_str(text).unwrap(), &json!({})).err().unwrap();
    assert_eq!(
        (error.code(), &error.record().data["found"]),
        (Code::AbiMismatch, &json!("midplane:plugin/guest@2.0.0"))
    );
}

const REPLY: &str = r#"(import "midplane:plugin/reply@1.0.0" "emit" (func $emit (param i32 i32) (result i32)))"#;
const THREE: &str = r#"
    (drop (call $emit (local.get 0) (i32.const 1)))
    (drop (call $emit (i32.add (local.get 0) (i32.const 1)) (i32.const 1)))
    (i32.store (i32.const 100) (i32.add (local.get 0) (i32.const 2)))
    (i32.store (i32.const 104) (i32.sub (local.get 1) (i32.const 2)))"#;

/// Takes chunks, and refuses all after `take`.
struct Reader {
    chunks: Vec<Vec<u8>>,
    take: usize,
}

impl ChunkSink for Reader {
    fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
        if self.chunks.len() == self.take {
            return Err(midplane_contract::Error::new(Code::Cancelled, "nobody reads"));
        }
        self.chunks.push(bytes.to_vec());
        Ok(())
    }
}

fn stream(instance: &mut dyn Instance, reader: &mut Reader, input: &[u8]) -> Result<()> {
    let scope = Scope::default();
    let call = Call { action: 2, name: "more", input, scope: &scope };
    instance.call_inline(&call, &mut Reply::stream(reader, 1 << 20))
}

#[test]
fn chunks_reach_a_reader_one_by_one_and_a_buffer_in_order() {
    let code = load_with(&component(&component_text(REPLY, "", THREE)), &json!({})).unwrap();
    let mut instance = instance(&code);
    let mut reader = Reader { chunks: Vec::new(), take: 9 };
    stream(&mut *instance, &mut reader, b"abcd").unwrap();
    assert_eq!(reader.chunks, [b"a".to_vec(), b"b".to_vec(), b"cd".to_vec()]);
    assert_eq!(call(&mut *instance, 2, b"abcd").unwrap(), b"abcd");
    assert_eq!(call_async(&mut *instance, 2, b"wxyz").unwrap().unwrap(), b"wxyz");
}

#[test]
fn a_reader_that_left_ends_an_endless_reply() {
    let endless = r#"(loop $on (drop (call $emit (local.get 0) (local.get 1))) (br $on))"#;
    let code = load_with(&component(&component_text(REPLY, "", endless)), &json!({})).unwrap();
    let mut instance = instance(&code);
    let mut reader = Reader { chunks: Vec::new(), take: 100 };
    let error = stream(&mut *instance, &mut reader, b"more").unwrap_err();
    assert_eq!((error.code(), reader.chunks.len()), (Code::Cancelled, 100));
    assert!(matches!(instance.condition(), Condition::Spent(_)));
}

#[test]
fn an_endless_reply_into_a_buffer_ends_at_the_payload_cap() {
    let endless = r#"(loop $on (drop (call $emit (local.get 0) (local.get 1))) (br $on))"#;
    let code =
        load_with(&component(&component_text(REPLY, "", endless)), &json!({"limits": {"payload": 100_000}})).unwrap();
    let error = call(&mut *instance(&code), 2, &[7; 1000]).unwrap_err();
    assert_eq!((error.code(), &error.record().data["which"]), (Code::LimitExceeded, &json!("payload")));
}

#[test]
fn a_panic_is_reported_with_its_words() {
    let output = r#"(import "midplane:plugin/output@1.0.0" "panicked" (func $panicked (param i32 i32)))"#;
    let more = "(call $panicked (local.get 0) (local.get 1)) unreachable";
    let code = load_with(&component(&component_text(output, "", more)), &json!({})).unwrap();
    let mut instance = instance(&code);
    let error = call(&mut *instance, 2, b"index out of bounds").unwrap_err();
    assert_eq!((error.code(), error.record().message.as_str()), (Code::Panicked, "index out of bounds"));
    assert!(matches!(instance.condition(), Condition::Spent(_)));
    assert_eq!(call(&mut *instance, 0, b"").unwrap_err().code(), Code::Panicked);
}

#[test]
fn the_host_is_asked_within_the_action() {
    let import = r#"(import "midplane:plugin/host@1.0.0" "request"
        (func $ask (param i32 i32 i32 i32 i32 i32 i32)))"#;
    let rest = r#"(data (i32.const 1400) "events.emit")"#;
    let more = r#"
        (call $ask (i32.const 1400) (i32.const 11) (i32.const 0) (i32.const 0) (local.get 0) (local.get 1) (i32.const 200))
        (i32.store (i32.const 100) (i32.load (i32.const 204)))
        (i32.store (i32.const 104) (i32.load (i32.const 208)))"#;
    let code = load_with(&component(&component_text(import, rest, more)), &json!({})).unwrap();
    let host = Arc::new(Remembering::default());
    let mut instance = instance_on(&code, host.clone()).unwrap();
    assert_eq!(call(&mut *instance, 2, b"x").unwrap(), b"answer: x");
    let asked = host.asked.lock().unwrap();
    assert_eq!((asked[0].0.as_str(), asked[0].3.as_deref()), ("bus.publish", Some("more")));
    drop(asked);
    assert!(call_async(&mut *instance, 0, b"").is_none(), "a guest that waits has no future of its own");
}

const WASI: &str = r#"
    package test:guest;
    world all {
        include midplane:plugin/plugin@1.0.0;
        import wasi:cli/stdout@0.2.6;
        import wasi:clocks/wall-clock@0.2.4;
    }
    package wasi:io@0.2.6 {
        interface streams {
            resource error;
            variant stream-error { last-operation-failed(error), closed }
            resource output-stream {
                blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
            }
        }
    }
    package wasi:cli@0.2.6 {
        interface stdout {
            use wasi:io/streams@0.2.6.{output-stream};
            get-stdout: func() -> output-stream;
        }
    }
    package wasi:clocks@0.2.4 {
        interface wall-clock { now: func() -> u64; }
    }"#;

#[test]
fn wasi_has_a_log_and_nothing_else_behind_it() {
    let imports = r#"
        (import "wasi:cli/stdout@0.2.6" "get-stdout" (func $stdout (result i32)))
        (import "wasi:io/streams@0.2.6" "[method]output-stream.blocking-write-and-flush"
            (func $write (param i32 i32 i32 i32)))
        (import "wasi:clocks/wall-clock@0.2.4" "now" (func $now (result i64)))"#;
    // Writes its input; without one, asks for the time.
    let more = r#"
        (if (i32.eqz (local.get 1)) (then (drop (call $now))))
        (call $write (call $stdout) (local.get 0) (local.get 1) (i32.const 200))"#;
    let wasm = component_in(&component_text(imports, "", more), WASI);
    let code = load_with(&wasm, &json!({})).unwrap();
    let host = Arc::new(Remembering::default());
    let mut instance = instance_on(&code, host.clone()).unwrap();
    call(&mut *instance, 2, b"hello from println").unwrap();
    let asked = host.asked.lock().unwrap();
    assert!(asked[0].0 == "log" && asked[0].1.contains("hello from println"), "{asked:?}");
    drop(asked);
    call_async(&mut *instance, 2, b"from a stack of its own").unwrap().unwrap();
    let error = call(&mut *instance, 2, b"").unwrap_err();
    assert_eq!(
        (error.code(), &error.record().data["import"]),
        (Code::NotSupported, &json!("wasi:clocks/wall-clock#now"))
    );
}
