//! Interpreters, and what plugins are made of.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use midplane_contract::{Code as Fault, Hook, Limits};
use midplane_kernel::{Condition, Scope};

use super::place::{Place, request_of, runtime};
use crate::stage::{Loaded, load_with};

fn loaded(code: &str) -> (Place, Loaded) {
    let place = Place::new();
    let folder = place.plugin("p", &[("plugin.py", code)]);
    let loaded = place.load(&folder, &[]).unwrap();
    (place, loaded)
}

#[test]
fn nine_lines_are_a_plugin() {
    let code = "import midplane

plugin = midplane.Plugin()

@plugin.action
def greet(input, ctx):
    return {'hello': input['name']}
";
    let (_place, mut loaded) = loaded(code);
    assert_eq!(loaded.call("greet", br#"{"name":"Ada"}"#).unwrap(), br#"{"hello":"Ada"}"#);
    let error = loaded.call("greet", b"no json").unwrap_err();
    assert_eq!(error.code(), Fault::InvalidInput);
}

#[test]
fn a_plain_module_is_a_plugin_and_imports_its_neighbours() {
    let place = Place::new();
    let code = "import words
def on_init(config, ctx): words.greeting = config['greeting']
def on_health_check(): return 'degraded'
def greet(input): return words.greeting + ' ' + input
actions = {'say.hello': greet}
";
    let folder = place.plugin("p", &[("plugin.py", code), ("words.py", "greeting = ''")]);
    let mut loaded = place.load(&folder, &[]).unwrap();
    let scope = Scope::within(Duration::from_secs(10));
    loaded.instances[0].hook(Hook::Init, br#"{"greeting":"hi"}"#, &scope).unwrap();
    assert_eq!(loaded.call("say.hello", b"\"Ada\"").unwrap(), b"\"hi Ada\"");
    let health = loaded.instances[0].hook(Hook::Health, b"", &scope).unwrap().unwrap();
    assert_eq!(health, br#"{"status":"degraded"}"#);
    assert!(!folder.join("__pycache__").exists(), "a plugin's folder is not written to");
}

#[test]
fn coroutines_run_on_a_loop_are_cancelled_and_ask_the_host() {
    let code = "import asyncio
async def wait(input, ctx):
    ctx.info('waiting')
    try:
        await asyncio.sleep(1000)
    finally:
        seen.append('cancelled')
async def remember(input, ctx):
    await ctx.state.set('it', 'something')
    return await ctx.state.get('it')
async def count(input, ctx):
    for number in range(3): yield str(number)
def plain(input, ctx): return seen
seen = []
actions = [wait, remember, count, plain]
";
    let (_place, mut loaded) = loaded(code);
    let error = loaded.call_within("wait", b"", Duration::from_millis(200)).unwrap_err();
    assert_eq!(error.code(), Fault::DeadlineExceeded);
    assert!(matches!(loaded.instances[0].condition(), Condition::Ready));
    assert_eq!(loaded.call("plain", b"").unwrap(), br#"["cancelled"]"#);
    assert_eq!(loaded.call("remember", b"").unwrap(), b"something");
    assert_eq!(loaded.call("count", b"").unwrap(), b"012");
}

#[test]
fn a_blocked_action_ends_at_its_deadline_and_the_process_goes_on() {
    let code = "import time, os
def sleep(input, ctx): time.sleep(1000)
def spin(input, ctx):
    while True: pass
def stubborn(input, ctx):
    while True:
        try: time.sleep(1000)
        except BaseException: pass
def pid(input, ctx): return os.getpid()
actions = [sleep, spin, stubborn, pid]
";
    let (_place, mut loaded) = loaded(code);
    let before = loaded.call("pid", b"").unwrap();
    for action in ["sleep", "spin"] {
        let error = loaded.call_within(action, b"", Duration::from_millis(100)).unwrap_err();
        assert_eq!(error.code(), Fault::DeadlineExceeded);
        assert_eq!(loaded.call("pid", b"").unwrap(), before, "{action} cost the process");
    }
    let error = loaded.call_within("stubborn", b"", Duration::from_millis(100)).unwrap_err();
    assert_eq!(error.code(), Fault::DeadlineExceeded);
    assert!(matches!(loaded.instances[0].condition(), Condition::Spent(_)));
}

#[test]
fn what_is_no_plugin_is_told_with_its_line() {
    let place = Place::new();
    for (code, part) in [
        ("def broken(:\n", "plugin.py:1"),
        ("import no_such_package_anywhere\n", "no_such_package_anywhere"),
        ("x = 1\n", "no action"),
        ("def on_intt(config): pass\n", "on_intt"),
    ] {
        let folder = place.plugin("p", &[("plugin.py", code)]);
        let error = place.load(&folder, &[]).err().unwrap();
        assert_eq!(error.code(), Fault::NotAPlugin, "{error:?}");
        assert!(error.record().message.contains(part) && error.record().remedy.is_some(), "{error}");
    }
    let folder = place.plugin("p", &[("plugin.py", "1 / 0\n")]);
    let error = place.load(&folder, &[]).err().unwrap();
    assert_eq!(error.code(), Fault::Panicked);
    assert!(error.record().message.contains("ZeroDivisionError"), "{error}");
}

#[test]
fn an_interpreter_that_is_named_is_taken_or_refused() {
    let place = Place::new();
    let folder = place.plugin("p", &[("plugin.py", "def f(): return 1\nactions = [f]")]);
    let error = place.load(&folder, &[("MIDPLANE_PYTHON", "/nowhere/python")]).err().unwrap();
    assert_eq!(error.code(), Fault::UnsupportedRuntime);
    assert!(error.record().message.contains("/nowhere/python"), "{error}");
    let remedy = error.record().remedy.clone().unwrap();
    assert!(remedy.contains("MIDPLANE_PYTHON") && remedy.contains("apt install"), "{remedy}");
    let old = folder.join("old");
    fs::write(&old, "#!/bin/sh\nprintf 'cpython\\n3.6.15\\n/usr/bin/old\\n'\n").unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).unwrap();
    let error = place.load(&folder, &[("MIDPLANE_PYTHON", "./old")]).err().unwrap();
    assert_eq!(error.code(), Fault::UnsupportedRuntime);
    assert!(error.record().message.contains("is cpython 3.6.15") && error.record().message.contains("3.9"), "{error}");
    let usual = fs::canonicalize("/usr/bin/python3").unwrap();
    place.load(&folder, &[("MIDPLANE_PYTHON", usual.to_str().unwrap())]).unwrap();
}

#[test]
fn nothing_of_the_users_python_reaches_a_plugin() {
    let place = Place::new();
    let code = "import sys
def path(): return sys.path
actions = [path]
";
    let folder = place.plugin("p", &[("plugin.py", code)]);
    let mut loaded = place.load(&folder, &[("PYTHONPATH", "/elsewhere"), ("PYTHONSTARTUP", "/elsewhere")]).unwrap();
    let path = String::from_utf8(loaded.call("path", b"").unwrap()).unwrap();
    assert!(!path.contains("elsewhere") && !path.contains("site-packages") && !path.contains(".local"), "{path}");
}

#[test]
fn a_memory_limit_is_an_error_of_the_call_and_not_the_end() {
    let place = Place::new();
    let code = "def fill(input): return len(bytearray(input))\nactions = [fill]";
    let folder = place.plugin("p", &[("plugin.py", code)]);
    let mut request = request_of(&folder, &place.cache(), &[]);
    request.limits = Limits { memory: Some(64 << 20), ..Limits::default() };
    let mut loaded = load_with(&runtime(), &request, 1).unwrap();
    let error = loaded.call("fill", b"500000000").unwrap_err();
    assert_eq!((error.code(), &error.record().data["limit"]), (Fault::MemoryLimit, &(64 << 20).into()));
    assert_eq!(loaded.call("fill", b"30000000").unwrap(), b"30000000");
}
