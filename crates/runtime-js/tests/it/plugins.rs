//! The shapes of plugins, and what calls take and give.

use midplane_contract::{Code, HealthStatus, State};
use midplane_kernel::block_on;
use midplane_testkit::{eventually, log};
use serde_json::json;

use crate::stage::Stage;

/// Requirement 000, section 3.6.1, as printed.
const PRINTED: &str = "// JavaScript模块示例

export default {
  // 模块初始化
  async onInit() {
    console.log('Module initializing...');
    // 初始化资源、连接数据库等
  },
  
  // 模块启动
  async onStart() {
    console.log('Module started');
    // 启动后台任务等
  },
  
  // 模块停止
  async onStop() {
    console.log('Module stopping...');
    // 停止后台任务
  },
  
  // 模块清理
  async onCleanup() {
    console.log('Module cleaning up...');
    // 关闭连接、释放资源等
  },
  
  // 健康检查
  async onHealthCheck() {
    return { status: 'healthy', details: {} };
  },
};
";

#[test]
fn the_module_that_the_requirement_prints_lives_its_whole_life() {
    let stage = Stage::new();
    let id = stage.load("printed", PRINTED);
    assert_eq!(stage.kernel.status(&id).unwrap().state, State::Running);
    assert_eq!(block_on(stage.kernel.health(&id)).unwrap().status, HealthStatus::Healthy);
    block_on(stage.kernel.unload(&id)).unwrap();
    for line in ["Module initializing...", "Module started", "Module stopping...", "Module cleaning up..."] {
        assert!(eventually(|| log::heard("printed", line)), "{line}");
    }
}

#[test]
fn a_single_file_is_a_plugin_that_describes_itself() {
    let stage = Stage::new();
    for ending in ["js", "ts"] {
        let path = stage.folder().join(format!("light.{ending}"));
        let types = if ending == "ts" { ": any" } else { "" };
        let source = format!(
            "export default {{ info: {{ id: 'light-{ending}', version: '2.1.0', description: 'one file' }},
               greet(input{types}) {{ return 'hello ' + (input?.name ?? 'you'); }} }};"
        );
        std::fs::write(&path, source).unwrap();
        let id = block_on(stage.kernel.register(path)).unwrap();
        assert_eq!(id.as_str(), format!("light-{ending}"));
        block_on(stage.kernel.load(&id)).unwrap();
        assert_eq!(stage.json(&format!("light-{ending}/greet"), r#"{"name":"x"}"#), json!("hello x"));
    }
}

#[test]
fn the_example_in_one_file_greets() {
    let stage = Stage::new();
    let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/greeter-js/plugin.js");
    let id = block_on(stage.kernel.register(example)).unwrap();
    block_on(stage.kernel.load(&id)).unwrap();
    assert_eq!(stage.json("greeter-js/greet", r#"{"name":"Ada"}"#), json!("Hello, Ada!"));
    assert_eq!(stage.json("greeter-js/greet", ""), json!("Hello, world!"));
    assert_eq!(block_on(stage.kernel.health(&id)).unwrap().details["greeted"], 2);
}

#[test]
fn bytes_leave_the_engine_whatever_buffer_they_lie_in() {
    let stage = Stage::new();
    let source = "
        const text = [109, 105, 100, 112, 108, 97, 110, 101];
        const filled = (buffer) => { new Uint8Array(buffer).set(text); return buffer; };
        export default { actions: { raw: { raw: true, run: (input) => input.subarray(2, 4) }, grow(size) {
            const buffer = filled(new ArrayBuffer(8, { maxByteLength: 1 << 20 })), view = new Uint8Array(buffer);
            buffer.resize(size);
            return view;
        }, shrunk() {
            const buffer = filled(new ArrayBuffer(8, { maxByteLength: 16 })), view = new Uint8Array(buffer, 4, 4);
            buffer.resize(6);
            return view;
        }, taken() {
            const view = new Uint8Array(filled(new ArrayBuffer(8)));
            view.buffer.transfer();
            return view;
        }, shared: () => new Uint8Array(filled(new SharedArrayBuffer(8)), 3),
        empty: () => new Uint8Array(0) } };";
    stage.load("buffers", source);
    let sizes = [("raw", "midplane", 2), ("grow", "100000", 100_000), ("grow", "3", 3)];
    for (action, input, size) in sizes.into_iter().chain([("shared", "", 5), ("empty", "", 0)]) {
        let reply = stage.call(&format!("buffers/{action}"), input).unwrap();
        assert_eq!(reply.len(), size, "{action}");
        assert!("midplane".contains(reply.trim_end_matches('\0')), "{action}: {reply}");
    }
    // What lies outside of its buffer, or has none any longer, has no bytes, and the engine goes on.
    for action in ["shrunk", "taken"] {
        assert_eq!(stage.call(&format!("buffers/{action}"), "").unwrap_err().code(), Code::Panicked);
    }
    assert_eq!(stage.call("buffers/raw", "midplane").unwrap(), "dp");
}

#[test]
fn results_become_bytes_as_the_contract_says() {
    let stage = Stage::new();
    stage.load(
        "values",
        "export const actions = {
            nothing: () => undefined, null: () => null, text: () => 'a\u{e4}', number: async (n) => n + 1,
            bytes: () => new Uint8Array([104, 105]).subarray(1), buffer: () => new Uint8Array([104, 105]).buffer,
            view: () => new DataView(new Uint8Array([104, 105, 106]).buffer, 1),
            then: () => ({ then: (done) => done({ a: 1 }) }),
            *generator() { yield 'a'; yield new Uint8Array([98]); },
            async *chunks() { yield 'a'; await null; yield 'b'; },
            function: () => () => 1, big: () => 10n,
            raw: { raw: true, run: (b) => `${b.length}\\ud800` }, wrong: { raw: true, run: () => 5 },
        };",
    );
    let call = |action: &str, input: &str| stage.call(&format!("values/{action}"), input);
    for (action, input, reply) in [
        ("nothing", "", ""),
        ("null", "", "null"),
        ("text", "", "\"aä\""),
        ("number", "41", "42"),
        ("bytes", "", "i"),
        ("buffer", "", "hi"),
        ("view", "", "ij"),
        ("then", "", "{\"a\":1}"),
        ("generator", "", "ab"),
        ("chunks", "", "ab"),
        ("raw", "xyz", "3\u{fffd}"),
    ] {
        assert_eq!(call(action, input).unwrap(), reply, "{action}");
    }
    for action in ["function", "big", "wrong"] {
        assert_eq!(call(action, "").unwrap_err().code(), Code::Panicked, "{action}");
    }
    let error = call("number", "{not json").unwrap_err();
    assert_eq!(error.code(), Code::PluginError);
    assert_eq!(error.record().data["code"], "invalid_input");
}

#[test]
fn what_is_thrown_arrives_as_the_contract_says() {
    let stage = Stage::new();
    stage.load(
        "thrown",
        "import { PluginError } from 'midplane';
         class Odd extends Error { get name() { return 'Odd'; } }
         export default {
           own() { throw new PluginError('sold_out', 'none left', { recoverable: true, data: { sku: 7 } }); },
           plain: async () => { throw { code: 'x', message: 'y' }; },
           odd() { throw new Odd('well'); },
           bug() { undefined.x; },
           text() { throw 'just text'; },
           nasty() { throw { get code() { throw new Error(); } }; },
         };",
    );
    let error = |action: &str| stage.call(&format!("thrown/{action}"), "").unwrap_err();
    let own = error("own");
    assert_eq!((own.code(), own.record().recoverable), (Code::PluginError, true));
    assert_eq!((&own.record().data["code"], &own.record().data["data"]), (&json!("sold_out"), &json!({ "sku": 7 })));
    assert_eq!(error("plain").record().data["code"], "x");
    assert_eq!(error("odd").record().data["code"], "Odd");
    let bug = error("bug");
    assert_eq!(bug.code(), Code::Panicked);
    assert!(bug.record().data["stack"].as_str().unwrap().contains("plugin.js:7:"), "{:?}", bug.record());
    assert_eq!(error("text").code(), Code::Panicked);
    assert_eq!(error("nasty").code(), Code::Panicked);
}

#[test]
fn a_plugin_knows_its_call_and_its_configuration() {
    let stage = Stage::new();
    stage.load(
        "knowing",
        "export default {
           seen: {}, onInit(config) { this.seen = config; },
           tell(input, ctx) {
             return { id: ctx.plugin.id, version: ctx.plugin.version, action: ctx.action, caller: ctx.caller,
               cancelled: ctx.cancelled, aborted: ctx.signal.aborted, late: ctx.deadline > Date.now() - 1000,
               config: ctx.config, frozen: Object.isFrozen(ctx.config), seen: this.seen };
           },
           async asks(input, ctx) { return [(await ctx.random(8)).length, (await ctx.time.now()) instanceof Date]; },
           async denied(input, ctx) { await ctx.state.get('k'); },
         };",
    );
    assert_eq!(
        stage.json("knowing/tell", ""),
        json!({ "id": "knowing", "version": "1.0.0", "action": "tell", "caller": [], "cancelled": false, "aborted": false,
            "late": true, "config": {}, "frozen": true, "seen": {} })
    );
    assert_eq!(stage.json("knowing/asks", ""), json!([8, true]));
    let denied = stage.call("knowing/denied", "").unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied, "{denied:?}");
}

#[test]
fn a_module_that_is_no_plugin_is_told_so_with_its_line() {
    let stage = Stage::new();
    for (id, source, what) in [
        ("syntax", "export default {\n  a( {\n", "plugin.js:"),
        ("throws", "\nthrow new TypeError('not today');", "plugin.js:2:"),
        ("misspelt", "export default { onInitt() {} };", "onInit"),
        ("number", "export default 5;", "number"),
    ] {
        let error = stage.fails_to_load(id, &[("plugin.js", source)]);
        assert_eq!(error.code(), Code::NotAPlugin, "{id}: {error}");
        assert!(error.record().message.contains(what), "{id}: {error}");
    }
}

#[test]
fn each_plugin_and_each_instance_has_an_environment_of_its_own() {
    let stage = Stage::new();
    let source = "globalThis.shared = (globalThis.shared ?? 0) + 1; export const count = () => ++globalThis.shared;";
    stage.load("one", source);
    stage.load("two", source);
    assert_eq!(stage.json("one/count", ""), json!(2));
    assert_eq!(stage.json("one/count", ""), json!(3));
    assert_eq!(stage.json("two/count", ""), json!(2));
    let id = stage.load("three", source);
    block_on(stage.kernel.unload(&id)).unwrap();
    block_on(stage.kernel.load(&id)).unwrap();
    assert_eq!(stage.json("three/count", ""), json!(2));
}
