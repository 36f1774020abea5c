use midplane_contract::{Code as Fault, Hook, Limits, Placement, RuntimeKind};
use midplane_kernel::call::ChunkSink;
use midplane_kernel::{Reply, Runtime, Scope};
use serde_json::json;

use crate::workshop::{Workshop, call, call_into};

#[test]
fn a_c_plugin_says_what_it_is_and_answers() {
    let shop = Workshop::new();
    let code = shop.load(&shop.cc("echo.c", "libecho.so", &[])).unwrap();
    let facts = code.facts();
    assert_eq!((facts.info.id.as_str(), facts.info.version.as_str()), ("test.echo", "1.0.0"));
    assert_eq!(facts.hooks, [Hook::Info, Hook::Init]);
    assert_eq!(facts.stays_loaded, None);
    assert!(facts.details["symbols"].as_array().unwrap().contains(&json!("midplane_plugin")));
    let mut instance = shop.instance(&*code).unwrap();
    assert_eq!(call(&*code, &mut *instance, "answer", b"").unwrap(), b"one");
    assert_eq!(call(&*code, &mut *instance, "echo", b"").unwrap(), b"");
    assert_eq!(call(&*code, &mut *instance, "echo", b"\0\xffbytes").unwrap(), b"\0\xffbytes");
}

#[test]
fn a_payload_of_16_mib_comes_back_whole() {
    let shop = Workshop::new();
    let payload: Vec<u8> = (0..16 * 1024 * 1024_u32).map(|i| (i % 251) as u8).collect();
    for main in [shop.cc("echo.c", "libecho.so", &[]), shop.rust("fixture_one")] {
        let code = shop.load(&main).unwrap();
        let mut instance = shop.instance(&*code).unwrap();
        assert!(call(&*code, &mut *instance, "echo", &payload).unwrap() == payload);
    }
}

#[test]
fn a_reply_over_the_cap_is_limit_exceeded() {
    let shop = Workshop::new();
    let code = shop.load(&shop.cc("echo.c", "libecho.so", &[])).unwrap();
    let mut instance = shop.instance(&*code).unwrap();
    let mut buffer = Vec::new();
    let mut reply = Reply::buffer(&mut buffer, 10);
    let error = call_into(&*code, &mut *instance, "echo", b"eleven bytes", &mut reply).unwrap_err();
    assert_eq!(error.code(), Fault::LimitExceeded);
}

#[test]
fn an_error_of_the_plugins_own_stays_whole() {
    let shop = Workshop::new();
    for main in [shop.cc("echo.c", "libecho.so", &[]), shop.rust("fixture_one")] {
        let code = shop.load(&main).unwrap();
        let mut instance = shop.instance(&*code).unwrap();
        let error = call(&*code, &mut *instance, "fail", b"").unwrap_err();
        assert_eq!(error.code(), Fault::PluginError);
        assert_eq!(error.record().message, "nobody is at the door");
        assert!(error.record().recoverable);
        let whole = json!({"code": "no_such_guest", "message": "nobody is at the door", "recoverable": true, "data": {"door": 3}});
        assert_eq!(json!(error.record().data), whole);
    }
}

#[test]
fn the_host_is_asked_within_the_call() {
    let shop = Workshop::new();
    for main in [shop.cc("echo.c", "libecho.so", &[]), shop.rust("fixture_one")] {
        shop.host.asked.lock().unwrap().clear();
        let code = shop.load(&main).unwrap();
        let mut instance = shop.instance(&*code).unwrap();
        let answer = call(&*code, &mut *instance, "ask", b"state.get").unwrap();
        assert!(answer.starts_with(b"state.get {") && answer.ends_with(b"} payload"), "{answer:?}");
        assert!(shop.host.asked.lock().unwrap().last().unwrap().ends_with("in ask"));
    }
}

#[test]
fn a_refusal_of_the_host_reaches_the_plugin_with_its_code() {
    let shop = Workshop::new();
    let code = shop.load(&shop.rust("fixture_one")).unwrap();
    let mut instance = shop.instance(&*code).unwrap();
    let error = call(&*code, &mut *instance, "ask", b"secret.get").unwrap_err();
    assert_eq!(error.code(), Fault::PluginError);
    assert_eq!(error.record().data["code"], "permission_denied");
    assert_eq!(error.record().data["data"], json!({"permission": "secret.get:a"}));
    let error = call(&*code, &mut *instance, "ask", b"no.such.function").unwrap_err();
    assert_eq!(error.record().data["code"], "not_supported");
}

#[test]
fn a_log_line_from_c_is_valid_json() {
    let shop = Workshop::new();
    let code = shop.load(&shop.cc("echo.c", "libecho.so", &[])).unwrap();
    let mut instance = shop.instance(&*code).unwrap();
    call(&*code, &mut *instance, "ask", b"config.get").unwrap();
    let asked = shop.host.asked.lock().unwrap();
    let args = asked[0].strip_prefix("log ").and_then(|line| line.strip_suffix("  in ask")).unwrap();
    let args: serde_json::Value = serde_json::from_str(args).unwrap();
    assert_eq!(args, json!({"level": "info", "message": "asking \"the\" host\n"}));
}

#[test]
fn background_work_is_asked_outside_of_any_call_and_a_panic_of_the_host_stays_there() {
    let shop = Workshop::new();
    let code = shop.load(&shop.cc("echo.c", "libecho.so", &[])).unwrap();
    let mut instance = shop.instance(&*code).unwrap();
    let error = call(&*code, &mut *instance, "background", b"").unwrap_err();
    assert_eq!(error.code(), Fault::PluginError);
    assert_eq!(*shop.host.asked.lock().unwrap(), ["random   in -"]);
}

#[test]
fn a_streamed_reply_comes_in_chunks_and_ends_when_nobody_reads() {
    struct Reader(Vec<Vec<u8>>);
    impl ChunkSink for Reader {
        fn chunk(&mut self, bytes: &[u8]) -> midplane_contract::Result<()> {
            if self.0.len() == 3 {
                return Err(midplane_contract::Error::new(Fault::Cancelled, "enough"));
            }
            self.0.push(bytes.to_vec());
            Ok(())
        }
    }

    let shop = Workshop::new();
    let code = shop.load(&shop.rust("fixture_one")).unwrap();
    let mut instance = shop.instance(&*code).unwrap();
    let mut reader = Reader(Vec::new());
    call_into(&*code, &mut *instance, "chunks", b"12345678ab", &mut Reply::stream(&mut reader, 1024)).unwrap();
    assert_eq!(reader.0, [&b"1234"[..], b"5678", b"ab"]);
    let error =
        call_into(&*code, &mut *instance, "chunks", b"more", &mut Reply::stream(&mut reader, 1024)).unwrap_err();
    assert_eq!(error.code(), Fault::Cancelled);
}

#[test]
fn a_configuration_that_the_plugin_refuses_is_an_error_of_its_own() {
    let shop = Workshop::new();
    let code = shop.load(&shop.cc("echo.c", "libecho.so", &[])).unwrap();
    let mut instance = shop.instance(&*code).unwrap();
    assert_eq!(instance.hook(Hook::Init, b"{}", &Scope::default()).unwrap(), Some(Vec::new()));
    let error = instance.hook(Hook::Init, b"{\"a\":1}", &Scope::default()).unwrap_err();
    assert_eq!(error.record().data["code"], "bad_config");
    assert_eq!(instance.hook(Hook::Start, b"", &Scope::default()).unwrap(), None);
}

#[test]
fn instances_of_one_library_have_states_of_their_own() {
    let shop = Workshop::new();
    let code = shop.load(&shop.rust("fixture_one")).unwrap();
    let (mut first, mut second) = (shop.instance(&*code).unwrap(), shop.instance(&*code).unwrap());
    assert_eq!(call(&*code, &mut *first, "count", b"").unwrap(), b"1");
    assert_eq!(call(&*code, &mut *first, "count", b"").unwrap(), b"2");
    assert_eq!(call(&*code, &mut *second, "count", b"").unwrap(), b"1");
}

#[test]
fn the_runtime_serves_native_in_process_and_says_what_it_cannot_hold() {
    let shop = Workshop::new();
    assert_eq!(shop.runtime.serves(), (RuntimeKind::Native, Placement::InProcess));
    assert!(shop.runtime.unenforceable(&Limits::default()).is_empty());
    let limits = Limits { memory: Some(1 << 20), threads: Some(2), queue: Some(4), ..Limits::default() };
    assert_eq!(shop.runtime.unenforceable(&limits), ["memory", "threads"]);
}
