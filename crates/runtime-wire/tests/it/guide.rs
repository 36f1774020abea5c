//! The programs printed in the guide run.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use midplane_contract::manifest::Entry;
use midplane_contract::{Code as Fault, RuntimeKind};
use midplane_runtime_wire::WireRuntime;
use midplane_runtime_wire::engine::executable::Executable;
use midplane_runtime_wire::engine::script::Script;
use midplane_testkit::Scratch;

use crate::stage::{Loaded, load_with, request};

/// The blocks of this language on a page.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let path = format!("{}/../../{page}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).unwrap();
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

fn load(kind: RuntimeKind, name: &str, code: &str) -> (Scratch, Loaded) {
    let scratch = Scratch::new("guide").unwrap();
    let main = scratch.path().join(name);
    fs::write(&main, code).unwrap();
    fs::set_permissions(&main, fs::Permissions::from_mode(0o755)).unwrap();
    let mut wanted = request(kind);
    (wanted.folder, wanted.main, wanted.cache) = (scratch.path().into(), main, scratch.path().join("cache"));
    Arc::make_mut(&mut wanted.manifest).entry = Entry::new(name, kind);
    let runtime = match kind {
        RuntimeKind::Script => WireRuntime::new(kind, Script),
        _ => WireRuntime::new(kind, Executable),
    };
    let loaded = load_with(&runtime, &wanted, 1).unwrap();
    (scratch, loaded)
}

#[test]
fn the_text_plugin_of_the_guide_answers() {
    let code = &blocks("docs/guide/any-language.md", "perl")[0];
    let (_scratch, mut plugin) = load(RuntimeKind::Script, "plugin.pl", code);
    assert_eq!(plugin.call("greet", br#"{"name":"Ada"}"#).unwrap(), br#"{"text":"Hello, Ada!"}"#);
    assert_eq!(plugin.call("greet", b"").unwrap(), br#"{"text":"Hello, world!"}"#);
}

#[test]
fn the_wire_plugin_of_the_guide_answers() {
    let code = &blocks("docs/guide/any-language.md", "perl")[1];
    let (_scratch, mut plugin) = load(RuntimeKind::Process, "plugin", code);
    let input: Vec<u8> = (0..262_144).map(|n| n as u8).collect();
    assert!(plugin.call("echo", &input).unwrap() == input);
    assert_eq!(plugin.call("greet", br#"{"name":"Ada"}"#).unwrap(), br#"{"text":"Hello, Ada!"}"#);
    let error = plugin.call("greet", b"no JSON").unwrap_err();
    assert_eq!(error.code(), Fault::Panicked);
    assert!(error.record().message.contains("at character offset"), "{error}");
    let error = plugin.call("echo", &vec![0; 262_145]).unwrap_err();
    assert_eq!(error.code(), Fault::LimitExceeded);
    assert_eq!(plugin.call("echo", b"on").unwrap(), b"on");
}

#[test]
fn the_plugins_of_the_bash_sdk_answer() {
    let blocks = blocks("sdk/bash/README.md", "bash");
    let (_scratch, mut plugin) = load(RuntimeKind::Script, "plugin.sh", &blocks[0]);
    assert_eq!(plugin.call("greet", br#"{"name":"Ada"}"#).unwrap(), b"Hello, Ada!");
    let counter = format!(". \"$MIDPLANE_SH\"\n{}run\n", blocks[1]);
    let (_scratch, mut plugin) = load(RuntimeKind::Script, "plugin.sh", &counter);
    assert_eq!(plugin.call("next", b"").unwrap(), b"1");
    assert_eq!(plugin.call("next", b"").unwrap(), b"2");
}

#[test]
fn the_tests_of_the_bash_sdk_and_its_example_pass() {
    for test in ["sdk/bash/tests/run.sh", "examples/disk-usage/tests/run.sh"] {
        let path = format!("{}/../../{test}", env!("CARGO_MANIFEST_DIR"));
        let output = std::process::Command::new("bash").arg(path).env_remove("MIDPLANE_SH").output().unwrap();
        assert!(output.status.success(), "{test}: {}", String::from_utf8_lossy(&output.stdout));
    }
}
