//! What the tests share: guests from text, folders that go away, and a host that remembers.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use midplane_contract::{Error, Limits, Manifest, Result};
use midplane_kernel::{
    Call, Code, Deadline, Host, HostRequest, Instance, InstanceContext, LoadRequest, Reply, Runtime, Scope, Within,
};
use midplane_runtime_wasm::{WasmConfig, WasmRuntime};
use serde_json::{Value, json};

/// One runtime for all tests, as in a process.
pub(crate) static RUNTIME: LazyLock<WasmRuntime> = LazyLock::new(|| WasmRuntime::new(WasmConfig::default()).unwrap());

/// A folder of this test's own, removed at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("midplane-wasm-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A load request for bytes, put into a folder.
pub(crate) fn request(folder: &Path, wasm: &[u8], manifest: &Value) -> LoadRequest {
    let main = folder.join("plugin.wasm");
    std::fs::write(&main, wasm).unwrap();
    let mut fields = json!({
        "id": "probe", "name": "Probe", "version": "1.0.0", "entry": {"main": "plugin.wasm", "runtime": "wasm"},
    });
    for (name, value) in manifest.as_object().unwrap() {
        fields[name] = value.clone();
    }
    let manifest: Manifest = serde_json::from_value(fields).unwrap();
    LoadRequest {
        limits: manifest.limits.clone(),
        instances: manifest.instances,
        manifest: Arc::new(manifest),
        folder: folder.to_owned(),
        main,
        generation: 1,
        placement: midplane_contract::Placement::InProcess,
        trust: midplane_contract::Trust::Normal,
        cache: folder.join("cache"),
    }
}

/// Loads a core module from text, or any file from its bytes, with a manifest's fields.
pub(crate) fn load_with(wasm: &[u8], manifest: &Value) -> Result<Arc<dyn Code>> {
    let folder = Folder::new();
    RUNTIME.load(&request(&folder.0, wasm, manifest))
}

pub(crate) fn load(text: &str) -> Result<Arc<dyn Code>> {
    load_with(&wat::parse_str(text).unwrap(), &json!({}))
}

pub(crate) fn limited(text: &str, limits: Limits) -> Result<Arc<dyn Code>> {
    load_with(&wat::parse_str(text).unwrap(), &json!({"limits": limits}))
}

/// Function, arguments, payload, and the action in which it was asked.
type Asked = (String, String, Vec<u8>, Option<String>);

/// The host of an instance: remembers what was asked, answers with what it was asked.
#[derive(Default)]
pub(crate) struct Remembering {
    pub(crate) asked: Mutex<Vec<Asked>>,
    pub(crate) refuse: Option<Error>,
}

impl Host for Remembering {
    fn request(&self, within: &Within<'_>, request: &HostRequest<'_>) -> Result<Vec<u8>> {
        self.asked.lock().unwrap().push((
            request.function.name().to_owned(),
            request.args.to_owned(),
            request.payload.to_vec(),
            within.action.map(str::to_owned),
        ));
        match &self.refuse {
            Some(error) => Err(error.clone()),
            None => Ok([b"answer: ", request.payload].concat()),
        }
    }

    fn lost(&self, _: Error) {}
}

pub(crate) fn instance(code: &Arc<dyn Code>) -> Box<dyn Instance> {
    instance_on(code, Arc::new(Remembering::default())).unwrap()
}

pub(crate) fn instance_on(code: &Arc<dyn Code>, host: Arc<dyn Host>) -> Result<Box<dyn Instance>> {
    code.instantiate(InstanceContext {
        plugin: "probe".parse().unwrap(),
        version: "1.0.0".to_owned(),
        generation: 1,
        number: 0,
        host,
    })
}

/// Calls an action by position, in time `within`.
pub(crate) fn call_within(instance: &mut dyn Instance, action: u32, input: &[u8], within: Duration) -> Result<Vec<u8>> {
    let scope = Scope { deadline: Deadline::After(within), ..Scope::default() };
    let mut buffer = Vec::new();
    let call = Call { action, name: "action", input, scope: &scope };
    instance.call_inline(&call, &mut Reply::buffer(&mut buffer, 64 << 20))?;
    Ok(buffer)
}

/// Calls an action by position, with time enough.
pub(crate) fn call(instance: &mut dyn Instance, action: u32, input: &[u8]) -> Result<Vec<u8>> {
    call_within(instance, action, input, Duration::from_secs(60))
}

/// As [`call`], as a future.
pub(crate) fn call_async(instance: &mut dyn Instance, action: u32, input: &[u8]) -> Option<Result<Vec<u8>>> {
    let (scope, mut buffer) = (Scope::within(Duration::from_secs(60)), Vec::new());
    let call = Call { action, name: "action", input, scope: &scope };
    let outcome = futures_lite::future::block_on(instance.call(&call, &mut Reply::buffer(&mut buffer, 64 << 20))?);
    Some(outcome.map(|()| buffer))
}

/// A core module: the entries that every plugin has, an allocator that only goes forward, and `rest`.
pub(crate) fn module(rest: &str) -> String {
    module_with("", rest)
}

/// As [`module`], with imports, which stand first in a module.
pub(crate) fn module_with(imports: &str, rest: &str) -> String {
    format!(
        r#"(module {imports}
        (memory (export "memory") 2)
        (global $next (mut i32) (i32.const 65536))
        (func $alloc (export "plugin_alloc") (param $size i32) (result i32)
            (local $at i32)
            (local.set $at (global.get $next))
            (global.set $next (i32.add (local.get $at) (local.get $size)))
            (block $done (loop $grow
                (br_if $done (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
                (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) 
                    (then (global.set $next (local.get $at)) (return (i32.const 0))))
                (br $grow)))
            (local.get $at))
        (func (export "plugin_free") (param i32 i32))
        (func (export "plugin_init") (param i32 i32) (result i32) (i32.const 0))
        (func (export "plugin_start"))
        (func (export "plugin_stop"))
        (func (export "plugin_cleanup"))
        (func (export "plugin_get_info") (result i64) (i64.const 0))
        {rest})"#
    )
}

/// The reply that is the input again.
pub(crate) const ECHO: &str = r#"(func (export "plugin_echo") (param i32 i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1))))"#;

/// A component of the world, from a core module's text. `call` has the shape of the canonical ABI: number, pointer,
/// length; returns a pointer to the result.
pub(crate) fn component(core: &str) -> Vec<u8> {
    component_in(core, "package test:guest; world all { include midplane:plugin/plugin@1.0.0; }")
}

/// As [`component`], in the one world of another WIT text.
pub(crate) fn component_in(core: &str, world: &str) -> Vec<u8> {
    let mut resolve = wit_parser::Resolve::default();
    resolve.push_str("plugin.wit", include_str!("../../../../contract/plugin.wit")).unwrap();
    let package = resolve.push_str("world.wit", world).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    let mut module = wat::parse_str(core).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, wit_component::StringEncoding::UTF8).unwrap();
    wit_component::ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

/// A component's core module: actions `echo` (0), `fail` (1) and those of `rest`'s function `$more`.
pub(crate) fn component_text(imports: &str, rest: &str, more: &str) -> String {
    let guest = "midplane:plugin/guest@1.0.0#";
    format!(
        r#"(module {imports}
        (memory (export "memory") 2)
        (global $input (mut i32) (i32.const 8192))
        (global $room (mut i32) (i32.const 4096))
        (data (i32.const 1024) "{{\"id\":\"probe\",\"actions\":[\"echo\",\"fail\",\"more\"]}}")
        (data (i32.const 1200) "not_found")
        (data (i32.const 1220) "no such song")
        (data (i32.const 1240) "{{\"id\":3}}")
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
            (if (i32.gt_u (local.get 3) (global.get $room)) (then
                (global.set $input (i32.mul (memory.size) (i32.const 65536)))
                (if (i32.eq (memory.grow (i32.add (i32.shr_u (local.get 3) (i32.const 16)) (i32.const 1))) (i32.const -1))
                    (then unreachable))
                (global.set $room (local.get 3))))
            (global.get $input))
        (func (export "{guest}describe") (result i32)
            (i32.store (i32.const 64) (i32.const 1024))
            (i32.store (i32.const 68) (i32.const 47))
            (i32.store (i32.const 72) (i32.const 5))
            (i32.const 64))
        (func (export "{guest}identify") (param i32 i32))
        (func (export "{guest}resolve-action") (param i32 i32) (result i32)
            (i32.store (i32.const 80) (i32.const 1))
            (if (i32.eq (i32.load8_u (local.get 0)) (i32.const 101)) (then
                (i32.store (i32.const 84) (i32.const 0)) (return (i32.const 80))))
            (if (i32.eq (i32.load8_u (local.get 0)) (i32.const 102)) (then
                (i32.store (i32.const 84) (i32.const 1)) (return (i32.const 80))))
            (if (i32.eq (i32.load8_u (local.get 0)) (i32.const 109)) (then
                (i32.store (i32.const 84) (i32.const 2)) (return (i32.const 80))))
            (i32.store (i32.const 80) (i32.const 0))
            (i32.const 80))
        {rest}
        (func $more (param i32 i32) {more})
        (func (export "{guest}call") (param i32 i32 i32) (result i32)
            (i32.store (i32.const 96) (i32.const 0))
            (i32.store (i32.const 100) (local.get 1))
            (i32.store (i32.const 104) (local.get 2))
            (if (i32.eq (local.get 0) (i32.const 1)) (then
                (i32.store (i32.const 96) (i32.const 1))
                (i32.store (i32.const 100) (i32.const 1200)) (i32.store (i32.const 104) (i32.const 9))
                (i32.store (i32.const 108) (i32.const 1220)) (i32.store (i32.const 112) (i32.const 12))
                (i32.store8 (i32.const 116) (i32.const 1))
                (i32.store (i32.const 120) (i32.const 1240)) (i32.store (i32.const 124) (i32.const 8))))
            (if (i32.eq (local.get 0) (i32.const 2)) (then (call $more (local.get 1) (local.get 2))))
            (i32.const 96))
        (func (export "{guest}hook") (param i32 i32 i32) (result i32)
            (i32.store8 (i32.const 160) (i32.const 0))
            (i32.store8 (i32.const 164) (i32.eq (local.get 0) (i32.const 2)))
            (i32.store (i32.const 168) (local.get 1))
            (i32.store (i32.const 172) (local.get 2))
            (i32.const 160)))"#
    )
}
