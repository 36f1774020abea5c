//! Engines that are missing, TypeScript, the SDK that is brought along, memory, and what a call costs.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use midplane_contract::{Code as Fault, Error, Limits, RuntimeKind};
use midplane_kernel::{Condition, LoadRequest, Scope};
use midplane_runtime_wire::WireRuntime;
use midplane_runtime_wire::engine::node::JavaScript;
use midplane_testkit::Scratch;

use crate::stage::{Loaded, call, load_with, request};

/// A plugin of this source, on an engine.
struct Plugin {
    scratch: Scratch,
    request: LoadRequest,
}

fn plugin(engine: &str, file: &str, source: &str) -> Plugin {
    let scratch = Scratch::new("js").unwrap();
    let folder = scratch.path().join("plugin");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(file), source).unwrap();
    let mut request = request(RuntimeKind::Js);
    Arc::make_mut(&mut request.manifest).entry.engine = Some(engine.into());
    request.main = folder.join(file);
    request.folder = folder;
    request.cache = scratch.path().join("cache");
    Plugin { scratch, request }
}

impl Plugin {
    fn with(self, file: &str, content: &str) -> Self {
        let path = self.request.folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    fn limited(mut self, mib: u64) -> Self {
        self.request.limits = Limits { memory: Some(mib << 20), ..Limits::default() };
        self
    }

    fn load(&self) -> Result<Loaded, Error> {
        load_with(&WireRuntime::new(RuntimeKind::Js, JavaScript::engines()), &self.request, 1)
    }
}

const ECHO: &str = "export default { actions: { echo: { raw: true, run: (input) => input } } }";

#[test]
fn the_sdk_is_brought_along_and_a_plugin_imports_it_without_installing_it() {
    let source = r#"
        import { PluginError, version } from "midplane";
        import { deep } from "./deep.mjs";
        export default { sdk: () => version, deep, own() { throw new PluginError("mine", "as asked"); } };"#;
    let deep = "import { PluginError } from 'midplane'; export const deep = () => PluginError.name;";
    let plugin = plugin("node", "plugin.mjs", source).with("deep.mjs", deep);
    let mut loaded = plugin.load().unwrap();
    assert_eq!(loaded.call("sdk", b"").unwrap(), b"\"0.1.0\"");
    assert_eq!(loaded.call("deep", b"").unwrap(), b"\"PluginError\"");
    assert_eq!(loaded.call("own", b"").unwrap_err().record().data["code"], "mine");
    assert_eq!(fs::read_dir(plugin.scratch.path().join("cache")).unwrap().count(), 1);
}

#[test]
fn an_sdk_that_the_plugin_installed_is_the_one_that_it_gets() {
    let installed = r#"{"name": "midplane", "version": "9.9.9", "type": "module", "exports": "./index.js"}"#;
    let plugin =
        plugin("node", "plugin.mjs", "import { version } from 'midplane'; export default { sdk: () => version };")
            .with("node_modules/midplane/package.json", installed)
            .with("node_modules/midplane/index.js", "export const version = 'its own';");
    assert_eq!(plugin.load().unwrap().call("sdk", b"").unwrap(), b"\"its own\"");
}

#[test]
fn packages_of_the_plugin_and_files_without_a_package_are_modules() {
    let package = r#"{"name": "pad", "main": "index.js"}"#;
    let plugin = plugin("node", "plugin.js", "import pad from 'pad'; export const two = () => pad(2);")
        .with("node_modules/pad/package.json", package)
        .with("node_modules/pad/index.js", "module.exports = (n) => String(n).padStart(4, '0');");
    assert_eq!(plugin.load().unwrap().call("two", b"").unwrap(), b"\"0002\"");
}

#[test]
fn an_engine_that_there_is_not_is_refused_by_name() {
    let error = plugin("rhino", "plugin.js", ECHO).load().err().unwrap();
    assert_eq!(error.code(), Fault::UnsupportedRuntime);
    assert!(error.record().message.contains("rhino"));
    assert!(error.record().remedy.as_deref().is_some_and(|remedy| remedy.contains("node, deno or bun")));
}

#[test]
fn what_is_no_plugin_says_where_and_why() {
    for (source, code, parts) in [
        ("no code at all", Fault::NotAPlugin, ["plugin.js", "SyntaxError"]),
        ("export default 7", Fault::NotAPlugin, ["plugin.js", "a number"]),
        ("export default { onHealthcheck() {} }", Fault::NotAPlugin, ["onHealthcheck", "onHealthCheck"]),
        ("import 'no-such-package'; export default {}", Fault::DependencyNotFound, ["plugin.js", "no-such-package"]),
        ("throw new Error('at the top'); export default {}", Fault::Panicked, ["plugin.js", "at the top"]),
    ] {
        let error = plugin("node", "plugin.js", source).load().err().unwrap();
        assert_eq!(error.code(), code, "{source}: {error:?}");
        assert!(parts.iter().all(|part| error.record().message.contains(part)), "{source}: {error}");
        assert!(error.record().remedy.is_some(), "{source}");
    }
}

#[test]
fn typescript_runs_or_says_which_node_would_read_it() {
    let source = "export default { half: (n: number): number => n / 2 };";
    match plugin("node", "plugin.ts", source).load() {
        Ok(mut loaded) => assert_eq!(loaded.call("half", b"4").unwrap(), b"2"),
        Err(error) => {
            assert_eq!(error.code(), Fault::UnsupportedRuntime);
            assert!(error.record().remedy.as_deref().is_some_and(|remedy| remedy.contains("22.18")), "{error:?}");
        }
    }
}

#[test]
fn memory_beyond_the_limit_is_refused_in_buffers_and_ends_the_process_in_the_heap() {
    let source = "
        const kept = [];
        export default {
            buffer: (mib) => new Uint8Array(mib << 20).fill(1).length,
            heap() { for (;;) kept.push({ some: [kept.length] }); },
        };";
    let mut loaded = plugin("node", "plugin.mjs", source).limited(64).load().unwrap();
    assert_eq!(loaded.call("buffer", b"16").unwrap(), (16 << 20).to_string().as_bytes());
    let error = loaded.call("buffer", b"512").unwrap_err();
    assert_eq!(error.code(), Fault::MemoryLimit, "{error:?}");
    assert!(matches!(loaded.instances[0].condition(), Condition::Ready), "a refused buffer ends nothing");
    let error = loaded.call("heap", b"").unwrap_err();
    assert_eq!(error.code(), Fault::MemoryLimit, "{error:?}");
}

#[test]
fn a_call_that_heeds_its_signal_is_cancelled_and_the_instance_goes_on() {
    let source = "
        let calls = 0;
        export default {
            wait: (_, { signal }) => new Promise((_, no) => signal.addEventListener('abort', () => no(new Error('stopped')))),
            count: () => ++calls,
        };";
    let mut loaded = plugin("node", "plugin.mjs", source).load().unwrap();
    assert_eq!(loaded.call("count", b"").unwrap(), b"1");
    let error = loaded.call_within("wait", b"", Duration::from_millis(50)).unwrap_err();
    assert_eq!(error.code(), Fault::DeadlineExceeded);
    assert_eq!(loaded.call("count", b"").unwrap(), b"2");
}

#[test]
fn deno_and_bun_run_the_same_plugins_where_they_are_installed() {
    let source = r#"
        import { PluginError } from "midplane";
        export default {
            actions: { echo: { raw: true, run: (input: Uint8Array) => input } },
            fail() { throw new PluginError("mine", "as asked"); },
        };"#;
    for engine in ["deno", "bun"] {
        let plugin = plugin(engine, "plugin.ts", source);
        match plugin.load() {
            Ok(mut loaded) => {
                let large: Vec<u8> = (0..3_u32 << 20).map(|n| n as u8).collect();
                assert!(loaded.call("echo", &large).unwrap() == large, "{engine}");
                assert_eq!(loaded.call("fail", b"").unwrap_err().record().data["code"], "mine", "{engine}");
                let details = &loaded.code.facts().details;
                assert!(details["engine"].as_str().unwrap().starts_with(engine), "{details:?}");
            }
            Err(error) => {
                assert_eq!(error.code(), Fault::UnsupportedRuntime, "{error:?}");
                assert!(error.record().message.contains("not installed"), "{error:?}");
                assert!(error.record().remedy.as_deref().is_some_and(|remedy| remedy.contains("MIDPLANE_")));
            }
        }
    }
}

#[test]
#[ignore = "a measurement"]
fn bench_of_a_node_echo_and_start() {
    let plugin = plugin("node", "plugin.mjs", ECHO);
    let mut loaded = plugin.load().unwrap();
    let echo = loaded.action("echo");
    for size in [64, 65_536] {
        let input = vec![7_u8; size];
        let mut rounds: Vec<Duration> = (0..15)
            .map(|_| {
                let start = Instant::now();
                for _ in 0..5_000 {
                    call(&mut *loaded.instances[0], echo, "echo", &input, &Scope::default()).unwrap();
                }
                start.elapsed() / 5_000
            })
            .collect();
        rounds.sort();
        println!("node, {size} B: median {:?}, best {:?}", rounds[7], rounds[0]);
    }
    let mut starts: Vec<Duration> = (0..15)
        .map(|_| {
            let start = Instant::now();
            plugin.load().unwrap().call("echo", b"x").unwrap();
            start.elapsed()
        })
        .collect();
    starts.sort();
    println!("node, spawn to first reply: median {:?}, best {:?}", starts[7], starts[0]);
}
