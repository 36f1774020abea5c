//! Memory, tables, instances, hostile pointers, and the cache of compiled code.

use std::os::unix::fs::{PermissionsExt, symlink};

use midplane_contract::{Code, Hook, Limits};
use midplane_kernel::{Condition, Runtime, Scope};
use midplane_runtime_wasm::{WasmConfig, WasmRuntime};
use serde_json::json;

use crate::kit::{
    ECHO, Folder, RUNTIME, call, call_async, component, component_text, instance, instance_on, limited, load,
    load_with, module, module_with, request,
};

fn small(memory: u64) -> Limits {
    Limits { memory: Some(memory), ..Limits::default() }
}

const BOMB: &str = r#"(func (export "plugin_bomb") (param i32 i32) (result i64)
    (loop $on
        (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable))
        (br $on))
    (i64.const 0))"#;

#[test]
fn a_memory_bomb_ends_as_memory_limit_with_the_limit() {
    let code = limited(&module(BOMB), small(4 << 20)).unwrap();
    let mut instance = instance(&code);
    let error = call(&mut *instance, 0, b"").unwrap_err();
    assert_eq!((error.code(), &error.record().data["limit"]), (Code::MemoryLimit, &json!(4 << 20)));
    assert!(error.record().message.contains("memory quota exceeded"), "{error}");
    assert!(instance.memory().unwrap() <= 4 << 20);
    assert!(matches!(instance.condition(), Condition::Spent(_)));
}

#[test]
fn a_component_that_finds_no_room_for_its_input_ends_as_memory_limit() {
    let wasm = component(&component_text("", "", ""));
    let code = load_with(&wasm, &json!({"limits": {"memory": 1 << 20}})).unwrap();
    let error = call(&mut *instance(&code), 0, &vec![0; 2 << 20]).unwrap_err();
    assert_eq!(error.code(), Code::MemoryLimit);
}

#[test]
fn an_input_larger_than_the_guests_memory_is_memory_limit_and_leaves_it_ready() {
    let code = limited(&module(ECHO), small(1 << 20)).unwrap();
    let mut instance = instance(&code);
    assert_eq!(call(&mut *instance, 0, &vec![0; 2 << 20]).unwrap_err().code(), Code::MemoryLimit);
    assert_eq!(call_async(&mut *instance, 0, &vec![0; 2 << 20]).unwrap().unwrap_err().code(), Code::MemoryLimit);
    assert_eq!(call(&mut *instance, 0, b"x").unwrap(), b"x");
}

#[test]
fn a_module_that_wants_too_much_from_the_start_is_refused() {
    let text = module("").replace(r#"(memory (export "memory") 2)"#, r#"(memory (export "memory") 32)"#);
    assert_eq!(limited(&text, small(1 << 20)).err().unwrap().code(), Code::MemoryLimit);
}

#[test]
fn a_guest_that_copes_with_denied_growth_goes_on_and_a_later_trap_is_a_trap() {
    let code = limited(
        &module(
            r#"(func (export "plugin_ask") (param i32 i32) (result i64) (drop (memory.grow (i32.const 1000))) (i64.const 0))
               (func (export "plugin_trap") (param i32 i32) (result i64) unreachable)"#,
        ),
        small(1 << 20),
    )
    .unwrap();
    let mut instance = instance(&code);
    assert_eq!(call(&mut *instance, 0, b"").unwrap(), b"");
    assert_eq!(call(&mut *instance, 1, b"").unwrap_err().code(), Code::Trapped);
}

#[test]
fn a_table_bomb_is_a_limit_that_is_named() {
    let code = load(&module(
        r#"(table $t 1 funcref)
           (func (export "plugin_bomb") (param i32 i32) (result i64)
            (loop $on
                (if (i32.eq (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1)) (then unreachable))
                (br $on))
            (i64.const 0))"#,
    ))
    .unwrap();
    let error = call(&mut *instance(&code), 0, b"").unwrap_err();
    assert_eq!((error.code(), &error.record().data["which"]), (Code::LimitExceeded, &json!("table_elements")));
    let huge = load(&module("(table 10000000 funcref)")).err().unwrap();
    assert_eq!(huge.code(), Code::LimitExceeded, "{huge}");
}

#[test]
fn pointers_outside_memory_are_invalid_accesses() {
    for (name, packed) in [
        ("past the end", "0x0001fff0_00000100"),
        ("far past the end", "0xfffffff0_7fffffff"),
        ("a huge length", "0x00000000_7fffffff"),
        ("an error outside", "0xffffffff_80000010"),
    ] {
        let code = load(&module(&format!(
            r#"(func (export "plugin_lie") (param i32 i32) (result i64) (i64.const {packed}))"#
        )))
        .unwrap();
        let mut instance = instance(&code);
        let error = call(&mut *instance, 0, b"").unwrap_err();
        assert_eq!(error.code(), Code::Trapped, "{name}");
        assert!(error.record().message.contains("invalid memory access"), "{name}: {error}");
        assert!(matches!(instance.condition(), Condition::Spent(_)), "{name}");
    }
}

#[test]
fn an_allocator_that_lies_cannot_make_the_host_write_outside() {
    let text = module(ECHO).replace(
        "(local.get $at))\n        (func (export \"plugin_free\")",
        "(i32.const -16))\n        (func (export \"plugin_free\")",
    );
    let code = load(&text).unwrap();
    let error = call(&mut *instance(&code), 0, b"0123456789abcdef0").unwrap_err();
    assert!(error.record().message.contains("invalid memory access"), "{error}");
}

#[test]
fn imports_check_the_pointers_that_they_get() {
    for (import, shape, arguments) in [
        ("env\" \"log", "(param i32 i32)", "(i32.const -8) (i32.const 16)"),
        ("env\" \"log", "(param i32 i32)", "(i32.const 8) (i32.const -1)"),
        ("midplane\" \"panicked", "(param i32 i32)", "(i32.const 0x7fffffff) (i32.const 0x7fffffff)"),
        ("midplane\" \"log", "(param i32 i32 i32)", "(i32.const 9) (i32.const -1) (i32.const -1)"),
    ] {
        let code = load(&module_with(
            &format!(r#"(import "{import}" (func $f {shape}))"#),
            &format!(
                r#"(func (export "plugin_lie") (param i32 i32) (result i64) (call $f {arguments}) (i64.const 0))"#
            ),
        ))
        .unwrap();
        let error = call(&mut *instance(&code), 0, b"").unwrap_err();
        assert_eq!(error.code(), Code::Trapped);
        assert!(error.record().message.contains("invalid memory access"), "{import}: {error}");
    }
}

#[test]
fn accesses_outside_memory_by_the_guest_itself_are_traps() {
    let code = load(&module(
        r#"(func (export "plugin_wild") (param i32 i32) (result i64) (i64.load (i32.const -8)))
           (func (export "plugin_zero") (param i32 i32) (result i64) (i64.div_u (i64.const 1) (i64.const 0)))"#,
    ))
    .unwrap();
    let error = call(&mut *instance(&code), 0, b"").unwrap_err();
    assert_eq!((error.code(), &error.record().data["trap"]), (Code::Trapped, &json!("memory_out_of_bounds")));
    let error = call(&mut *instance(&code), 1, b"").unwrap_err();
    assert_eq!(error.record().data["trap"], "integer_division_by_zero");
}

#[test]
fn a_trap_in_init_is_reported_and_the_next_instance_is_whole() {
    let text = module(ECHO).replace(
        "(i32.const 0))\n        (func (export \"plugin_start\")",
        "(i32.div_u (i32.const 1) (i32.load8_u (local.get 0))))\n        (func (export \"plugin_start\")",
    );
    let code = load(&text).unwrap();
    let mut first = instance(&code);
    assert_eq!(first.hook(Hook::Init, b"\0", &Scope::default()).unwrap_err().code(), Code::Trapped);
    assert!(first.hook(Hook::Start, b"", &Scope::default()).is_err());
    assert_eq!(call(&mut *instance(&code), 0, b"x").unwrap(), b"x");
}

#[test]
fn a_plugin_has_no_more_instances_than_it_may() {
    let code = load(&module(ECHO)).unwrap();
    let mut living: Vec<_> = (0..20).map(|_| instance(&code)).collect();
    let error = instance_on(&code, std::sync::Arc::new(crate::kit::Remembering::default())).err().unwrap();
    assert_eq!((error.code(), &error.record().data["limit"]), (Code::LimitExceeded, &json!(20)));
    living.pop();
    living.push(instance(&code));
    assert_eq!(call(&mut **living.last_mut().unwrap(), 0, b"x").unwrap(), b"x");
}

#[test]
fn a_full_pool_is_a_limit_and_not_a_failure_of_the_host() {
    let config = WasmConfig { pool: 3, instances_per_plugin: 100, ..WasmConfig::default() };
    let runtime = WasmRuntime::new(config).unwrap();
    let folder = Folder::new();
    let code = runtime.load(&request(&folder.0, &wat::parse_str(module(ECHO)).unwrap(), &json!({}))).unwrap();
    let living: Vec<_> = (0..3).map(|_| instance(&code)).collect();
    let error = instance_on(&code, std::sync::Arc::new(crate::kit::Remembering::default())).err().unwrap();
    assert_eq!((error.code(), &error.record().data["which"]), (Code::LimitExceeded, &json!("instances")));
    drop(living);
    assert_eq!(call(&mut *instance(&code), 0, b"x").unwrap(), b"x");
}

#[test]
fn a_thousand_plugins_live_side_by_side() {
    let folder = Folder::new();
    let codes: Vec<_> = (0..1_000)
        .map(|number| {
            // Each file differs, so nothing is shared but the engine.
            let text = module(&format!("{ECHO} (global i32 (i32.const {number}))"));
            RUNTIME.load(&request(&folder.0, &wat::parse_str(text).unwrap(), &json!({}))).unwrap()
        })
        .collect();
    let mut living: Vec<_> = codes.iter().map(instance).collect();
    for one in &mut living {
        assert_eq!(call(&mut **one, 0, b"x").unwrap(), b"x");
    }
}

#[test]
fn the_file_may_not_be_larger_than_configured() {
    let runtime = WasmRuntime::new(WasmConfig { file: 100, pool: 10, ..WasmConfig::default() }).unwrap();
    let folder = Folder::new();
    let wasm = wat::parse_str(module(ECHO)).unwrap();
    let error = runtime.load(&request(&folder.0, &wasm, &json!({}))).err().unwrap();
    assert_eq!((error.code(), &error.record().data["which"]), (Code::LimitExceeded, &json!("file")));
}

/// Loads with a runtime of its own, as a process of its own would, and says where the compiled code came from.
fn compiled_by(folder: &Folder) -> String {
    let runtime = WasmRuntime::new(WasmConfig { pool: 10, ..WasmConfig::default() }).unwrap();
    let code = runtime.load(&request(&folder.0, &wat::parse_str(module(ECHO)).unwrap(), &json!({}))).unwrap();
    assert_eq!(call(&mut *instance(&code), 0, b"x").unwrap(), b"x");
    code.facts().details["compiled_by"].as_str().unwrap().to_owned()
}

fn cached(folder: &Folder) -> std::path::PathBuf {
    let mut files: Vec<_> =
        std::fs::read_dir(folder.0.join("cache")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "one file and no drafts: {files:?}");
    files.remove(0)
}

#[test]
fn compiled_code_is_taken_from_the_cache_until_one_byte_of_it_flips() {
    let folder = Folder::new();
    assert_eq!(compiled_by(&folder), "compiler");
    assert_eq!(compiled_by(&folder), "cache");
    let file = cached(&folder);
    let whole = std::fs::read(&file).unwrap();
    for at in [0, 40, whole.len() / 2, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        std::fs::write(&file, &flipped).unwrap();
        assert_eq!(compiled_by(&folder), "compiler", "byte {at}");
        assert_eq!(compiled_by(&folder), "cache", "byte {at}: the entry was replaced");
    }
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(compiled_by(&folder), "compiler");
    std::fs::write(&file, b"").unwrap();
    assert_eq!(compiled_by(&folder), "compiler");
}

#[test]
fn compiled_code_in_use_is_shared_within_the_process() {
    let (one, other) = (Folder::new(), Folder::new());
    let wasm = wat::parse_str(module(&format!("{ECHO} (global i32 (i32.const 424242))"))).unwrap();
    let first = RUNTIME.load(&request(&one.0, &wasm, &json!({}))).unwrap();
    let second = RUNTIME.load(&request(&other.0, &wasm, &json!({}))).unwrap();
    assert_eq!(second.facts().details["compiled_by"], "process");
    assert_eq!(first.facts().build_id, second.facts().build_id);
}

#[test]
fn a_cache_that_others_may_write_is_not_used() {
    let folder = Folder::new();
    assert_eq!(compiled_by(&folder), "compiler");
    let (cache, file) = (folder.0.join("cache"), cached(&folder));
    let mode =
        |path: &std::path::Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    for (path, wrong, right) in [(&cache, 0o777, 0o700), (&cache, 0o770, 0o700), (&file, 0o666, 0o600)] {
        mode(path, wrong);
        assert_eq!(compiled_by(&folder), "compiler", "{} with mode {wrong:o}", path.display());
        if path.exists() {
            mode(path, right);
        }
    }
    assert_eq!(compiled_by(&folder), "cache");
}

#[test]
fn symlinks_are_not_followed_in_the_cache() {
    let folder = Folder::new();
    assert_eq!(compiled_by(&folder), "compiler");
    let (cache, file, elsewhere) = (folder.0.join("cache"), cached(&folder), folder.0.join("elsewhere"));
    std::fs::rename(&file, &elsewhere).unwrap();
    symlink(&elsewhere, &file).unwrap();
    assert_eq!(compiled_by(&folder), "compiler");
    assert!(!file.is_symlink(), "a real file took the link's place");
    let real = folder.0.join("real");
    std::fs::rename(&cache, &real).unwrap();
    symlink(&real, &cache).unwrap();
    assert_eq!(compiled_by(&folder), "compiler");
}
