//! Core modules: what is required, what is refused, how bytes and numbers travel.

use std::sync::Arc;

use midplane_contract::{Code, Hook};
use midplane_kernel::Scope;
use serde_json::{Value, json};

use crate::kit::{ECHO, Remembering, call, call_async, instance, instance_on, load, load_with, module, module_with};

fn refused(text: &str) -> midplane_contract::Error {
    load(text).err().expect("it was to be refused")
}

#[test]
fn bytes_come_back_as_they_went_in() {
    let code = load(&module(ECHO)).unwrap();
    assert_eq!(code.facts().actions[0].as_str(), "echo");
    assert_eq!(code.facts().build_id.len(), 64);
    let mut instance = instance(&code);
    let large: Vec<u8> = (0..16 << 20).map(|n: u32| n.to_le_bytes()[1]).collect();
    for input in [&b""[..], b"x", &large[..5000], &large, b"short again"] {
        assert!(call(&mut *instance, 0, input).unwrap() == input, "{} bytes", input.len());
        assert!(call_async(&mut *instance, 0, input).unwrap().unwrap() == input, "{} bytes", input.len());
    }
}

#[test]
fn what_is_no_webassembly_is_told_apart() {
    for (bytes, words) in [
        (&b"\0a"[..], "too short"),
        (b"\x7fELF....", "wrong magic number"),
        (b"\0asm\x02\0\0\0", "unsupported WASM version"),
        (b"\0asm\x01\0\0\0\xff", "not a valid WebAssembly core module"),
    ] {
        let error = load_with(bytes, &json!({})).err().unwrap();
        assert_eq!(error.code(), Code::NotAPlugin);
        assert!(error.record().message.contains(words), "{error}");
    }
}

#[test]
fn missing_exports_are_named_all_at_once() {
    let error = refused(r#"(module (memory (export "memory") 1) (func (export "plugin_init") (param i32 i32)))"#);
    assert_eq!(error.code(), Code::MissingSymbol);
    let missing = &error.record().data["missing"];
    assert_eq!(*missing, json!(["plugin_start", "plugin_stop", "plugin_cleanup", "plugin_get_info"]));
    let error = refused("(module)");
    assert_eq!(error.record().data["symbol"], "memory");
}

#[test]
fn an_export_of_an_unknown_shape_is_named() {
    let error = refused(&module(r#"(func (export "plugin_health_check") (param f32))"#));
    assert_eq!(error.code(), Code::AbiMismatch);
    assert_eq!(error.record().data["symbol"], "plugin_health_check");
}

#[test]
fn imports_outside_the_list_are_refused_by_name() {
    let error = refused(&module_with(
        r#"(import "wasi_snapshot_preview2" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
           (import "env" "system" (func (param i32)))"#,
        "",
    ));
    assert_eq!(error.code(), Code::NotSupported);
    assert_eq!(error.record().data["imports"], json!(["wasi_snapshot_preview2.fd_write", "env.system"]));
}

#[test]
fn an_import_of_another_shape_is_a_mismatch() {
    let error = refused(&module_with(r#"(import "env" "log" (func (param i64)))"#, ""));
    assert_eq!(error.code(), Code::AbiMismatch);
}

#[test]
fn http_requests_exist_only_with_network_access() {
    let text = module_with(
        r#"(import "env" "http_request" (func $http (param i32 i32 i32) (result i32)))"#,
        r#"(func (export "plugin_fetch") (param i32 i32) (result i64)
            (local $at i32)
            (local.set $at (call $http (local.get 0) (local.get 1) (i32.const 16)))
            (i64.or (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32)) (i64.load32_u (i32.const 16))))"#,
    );
    assert_eq!(refused(&text).code(), Code::PermissionDenied);
    let wasm = wat::parse_str(&text).unwrap();
    let code = load_with(&wasm, &json!({"permissions": ["http.fetch:example.org"]})).unwrap();
    let host = Arc::new(Remembering::default());
    let mut instance = instance_on(&code, host.clone()).unwrap();
    let reply = call(&mut *instance, 0, br#"{"url": "https://example.org", "body": "hello"}"#).unwrap();
    assert_eq!(reply, b"answer: hello");
    let asked = host.asked.lock().unwrap();
    assert_eq!(asked[0].0, "http.fetch");
    assert_eq!(serde_json::from_str::<Value>(&asked[0].1).unwrap(), json!({"url": "https://example.org"}));
    drop(asked);
    let host = Arc::new(Remembering {
        refuse: Some(midplane_contract::Error::new(Code::PermissionDenied, "not granted")),
        ..Remembering::default()
    });
    let mut denied = instance_on(&code, host).unwrap();
    let reply: Value = serde_json::from_slice(&call(&mut *denied, 0, b"{}").unwrap()).unwrap();
    assert_eq!(reply["error"]["code"], "permission_denied");
}

#[test]
fn json_is_parsed_and_written_into_memory_of_the_guest() {
    let imports = r#"(import "env" "json_parse" (func $parse (param i32 i32) (result i32)))
        (import "env" "json_stringify" (func $text (param i32 i32) (result i32)))"#;
    let both = r#"
        (func $packed (param $at i32) (result i64)
            (local $end i32)
            (if (i32.eqz (local.get $at)) (then (return (i64.const 0))))
            (local.set $end (local.get $at))
            (block $done (loop $next
                (br_if $done (i32.eqz (i32.load8_u (local.get $end))))
                (local.set $end (i32.add (local.get $end) (i32.const 1)))
                (br $next)))
            (i64.or (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32))
                (i64.extend_i32_u (i32.sub (local.get $end) (local.get $at)))))
        (func (export "plugin_parse") (param i32 i32) (result i64)
            (call $packed (call $parse (local.get 0) (local.get 1))))
        (func (export "plugin_text") (param i32 i32) (result i64)
            (call $packed (call $text (local.get 0) (local.get 1))))"#;
    let code = load(&module_with(imports, both)).unwrap();
    let mut instance = instance(&code);
    assert_eq!(call(&mut *instance, 0, b" { \"a\" : [ 1 , 2 ] } ").unwrap(), br#"{"a":[1,2]}"#);
    assert_eq!(call(&mut *instance, 0, b"{").unwrap(), b"");
    assert_eq!(call(&mut *instance, 1, b"say \"hi\"\n").unwrap(), br#""say \"hi\"\n""#);
    assert!(call_async(&mut *instance, 0, b"1").is_none(), "the host calls back into such a guest");
}

#[test]
fn the_guests_text_is_logged_under_its_action() {
    let code = load(&module_with(
        r#"(import "env" "log" (func $log (param i32 i32)))
           (import "midplane" "log" (func $loud (param i32 i32 i32)))"#,
        r#"(func (export "plugin_say") (param i32 i32) (result i64)
            (call $log (local.get 0) (local.get 1))
            (call $loud (i32.const 4) (local.get 0) (local.get 1))
            (i64.const 0))"#,
    ))
    .unwrap();
    let host = Arc::new(Remembering::default());
    let mut instance = instance_on(&code, host.clone()).unwrap();
    call(&mut *instance, 0, b"hello").unwrap();
    let asked = host.asked.lock().unwrap();
    let lines: Vec<Value> = asked.iter().map(|(_, args, ..)| serde_json::from_str(args).unwrap()).collect();
    assert_eq!((&lines[0]["message"], &lines[0]["level"]), (&json!("hello"), &json!("info")));
    assert_eq!(lines[1]["level"], "error");
    assert_eq!(asked[0].3.as_deref(), Some("say"));
}

#[test]
fn numbers_go_in_and_the_first_result_comes_out() {
    let code = load(&module(
        r#"(func (export "plugin_add") (param i32 i64) (result i64) (i64.add (i64.extend_i32_s (local.get 0)) (local.get 1)))
           (func (export "plugin_half") (param f64) (result f64) (f64.div (local.get 0) (f64.const 2)))
           (func (export "plugin_pause"))"#,
    ))
    .unwrap();
    let names: Vec<_> = code.facts().actions.iter().map(|name| name.as_str().to_owned()).collect();
    assert_eq!(names, ["add", "half", "pause"]);
    let mut instance = instance(&code);
    assert_eq!(call(&mut *instance, 0, b"[-2, 44]").unwrap(), b"42");
    assert_eq!(call(&mut *instance, 1, b"[3]").unwrap(), b"1.5");
    assert_eq!(call(&mut *instance, 2, b"").unwrap(), b"null");
    assert_eq!(call_async(&mut *instance, 0, b"[1, 2]").unwrap().unwrap(), b"3");
    for wrong in [&b"[1]"[..], b"[1, \"x\"]", b"{}", b"[1e300, 1]", b"[5000000000, 1]"] {
        assert_eq!(call(&mut *instance, 0, wrong).unwrap_err().code(), Code::InvalidInput);
    }
    assert_eq!(call(&mut *instance, 7, b"").unwrap_err().code(), Code::ActionNotFound);
}

#[test]
fn one_function_serves_the_actions_that_info_lists() {
    let code = load(
        r#"(module (memory (export "memory") 1)
        (data (i32.const 16) "{\"id\":\"probe\",\"actions\":[\"first\",{\"name\":\"second\",\"idempotent\":true}]}\00")
        (func (export "plugin_init") (param i32 i32) (result i32) (i32.sub (i32.load8_u (local.get 0)) (i32.const 123)))
        (func (export "plugin_start") (result i32) (i32.const 0))
        (func (export "plugin_stop") (result i32) (i32.const 9))
        (func (export "plugin_cleanup"))
        (func (export "plugin_get_info") (result i32) (i32.const 16))
        (func (export "plugin_call") (param i32 i32 i32) (result i64)
            (i32.store8 (i32.const 200) (i32.add (i32.const 48) (local.get 0)))
            (i64.const 0xc800000001)))"#,
    )
    .unwrap();
    let facts = code.facts();
    assert_eq!(facts.info.id, "probe");
    assert_eq!(facts.actions.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["first", "second"]);
    assert_eq!(facts.hooks, [Hook::Info, Hook::Init, Hook::Start, Hook::Stop, Hook::Cleanup]);
    let mut instance = instance(&code);
    let scope = Scope::default();
    // No allocator: inputs go into pages that the host adds.
    assert_eq!(instance.hook(Hook::Init, b"{}", &scope).unwrap(), Some(Vec::new()));
    assert_eq!(instance.hook(Hook::Health, b"", &scope).unwrap(), None);
    assert_eq!(call(&mut *instance, 1, b"x").unwrap(), b"1");
    let error = instance.hook(Hook::Init, b"\xff", &scope).unwrap_err();
    assert_eq!((error.code(), &error.record().data["code"]), (Code::PluginError, &json!("132")));
    let error = instance.hook(Hook::Stop, b"", &scope).unwrap_err();
    assert!(error.record().message.contains("plugin_stop returned error code: 9"), "{error}");
    assert_eq!(call(&mut *instance, 0, b"x").unwrap(), b"0");
}

#[test]
fn names_that_the_module_resolves_itself_keep_its_numbers() {
    let wasm = wat::parse_str(module(
        r#"(func (export "plugin_resolve_action") (param i32 i32) (result i32)
            (if (result i32) (i32.eq (local.get 1) (i32.const 4)) (then (i32.const 77)) (else (i32.const -1))))
           (func (export "plugin_call") (param i32 i32 i32) (result i64)
            (i32.store8 (i32.const 200) (local.get 0)) (i64.const 0xc800000001))"#,
    ))
    .unwrap();
    let code = load_with(
        &wasm,
        &json!({"actions": [{"name": "play", "idempotent": false}, {"name": "unknown", "idempotent": false}]}),
    )
    .unwrap();
    assert_eq!(code.facts().actions.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["play"]);
    assert_eq!(call(&mut *instance(&code), 0, b"").unwrap(), [77]);
}

#[test]
fn the_host_answers_in_two_steps() {
    let code = load(&module_with(
        r#"(import "midplane" "host_call" (func $ask (param i32 i32 i32 i32 i32 i32) (result i64)))
           (import "midplane" "host_result" (func $take (param i32)))"#,
        r#"(data (i32.const 32) "state.get")
           (func (export "plugin_ask") (param i32 i32) (result i64)
            (local $len i64)
            (local.set $len (call $ask (i32.const 32) (i32.const 9) (i32.const 0) (i32.const 0) (local.get 0) (local.get 1)))
            (call $take (i32.const 4096))
            (i64.or (i64.const 0x100000000000) (local.get $len)))"#,
    ))
    .unwrap();
    let host = Arc::new(Remembering::default());
    let mut asking = instance_on(&code, host.clone()).unwrap();
    assert_eq!(call(&mut *asking, 0, b"please").unwrap(), b"answer: please");
    assert_eq!(host.asked.lock().unwrap()[0].0, "state.get");
    assert!(call_async(&mut *asking, 0, b"").is_none(), "a guest that waits has no future of its own");
    let refuse = midplane_contract::Error::new(Code::PermissionDenied, "not granted").with("permission", "state.get");
    let host = Arc::new(Remembering { refuse: Some(refuse), ..Remembering::default() });
    let error = call(&mut *instance_on(&code, host).unwrap(), 0, b"").unwrap_err();
    assert_eq!((error.code(), &error.record().data["code"]), (Code::PluginError, &json!("permission_denied")));
    assert_eq!(error.record().data["data"]["permission"], "state.get");
}
