//! Imports: within the folder, and nowhere else.

use midplane_contract::{Code, Limits};
use midplane_kernel::block_on;
use serde_json::json;

use crate::stage::Stage;

#[test]
fn modules_of_the_folder_import_each_other() {
    let stage = Stage::new();
    stage.load_with(
        "several",
        &[
            (
                "src/main.js",
                "import { two } from './lib/two'; import data from '../data.json' with { type: 'json' };
               export default { sum: async () => two + data.three + (await import('./late.js')).four };",
            ),
            ("src/lib/two.ts", "import { one } from './one.js'; export const two: number = one + 1;"),
            ("src/lib/one.js", "export const one = 1;"),
            ("src/late.js", "export const four = 4;"),
            ("data.json", "{\"three\": 3}"),
        ],
        Limits::default(),
    );
    assert_eq!(stage.json("several/sum", ""), json!(9));
}

#[test]
fn imports_that_leave_the_folder_are_denied_by_name() {
    let stage = Stage::new();
    std::fs::write(stage.folder().join("x.js"), "export default 1;").unwrap();
    for (id, specifier, code) in [
        ("above", "../x.js", Code::PermissionDenied),
        ("far", "../../x", Code::PermissionDenied),
        ("absolute", "/etc/passwd", Code::PermissionDenied),
        ("address", "file:///etc/passwd", Code::PermissionDenied),
        ("package", "lodash", Code::NotSupported),
        ("builtin", "node:fs", Code::NotSupported),
        ("std", "std", Code::NotSupported),
        ("os", "os", Code::NotSupported),
        ("absent", "./nothing.js", Code::NotAPlugin),
    ] {
        let source = format!("import x from '{specifier}'; export const a = () => x;");
        let error = stage.fails_to_load(id, &[("plugin.js", &source)]);
        assert_eq!(error.code(), code, "{id}: {error}");
        assert!(error.record().message.contains(specifier), "{id}: {error}");
        assert!(error.record().remedy.is_some());
    }
}

#[cfg(unix)]
#[test]
fn links_out_of_the_folder_are_denied() {
    let stage = Stage::new();
    std::fs::write(stage.folder().join("secret.js"), "export default 'secret';").unwrap();
    let files = [("plugin.js", "import x from './link.js'; export const a = () => x;")];
    let folder = stage.write("linked", &files);
    std::os::unix::fs::symlink(stage.folder().join("secret.js"), folder.join("link.js")).unwrap();
    assert_eq!(stage.fails_to_load("linked", &files).code(), Code::PermissionDenied);
}

#[test]
fn imports_that_come_later_are_denied_as_well() {
    let stage = Stage::new();
    stage.load(
        "later",
        "export default {
           async escapes() { return (await import('../../x.js')).default; },
           async caught() { try { await import('/etc/passwd'); } catch (error) { return error.message; } },
         };",
    );
    assert_eq!(stage.call("later/escapes", "").unwrap_err().code(), Code::PermissionDenied);
    assert!(stage.call("later/caught", "").unwrap().contains("leads out"));
}

#[test]
fn the_sdk_is_there_to_import() {
    let stage = Stage::new();
    stage.load(
        "importing",
        "import { PluginError, definePlugin, version } from 'midplane';
         export default definePlugin({
           same: async (input, ctx) => { try { await ctx.host('nothing.such'); } catch (e) { return e instanceof PluginError && e.code; } },
           version: () => version,
         });",
    );
    assert_eq!(stage.json("importing/same", ""), json!("not_supported"));
    assert!(stage.json("importing/version", "").is_string());
}

#[test]
fn every_instance_of_a_generation_runs_the_code_that_was_loaded() {
    let stage = Stage::new();
    let id = stage.load_with(
        "steady",
        &[
            ("plugin.js", "import { v } from './v.js'; export default { v: () => v, bad: () => { for (;;); } };"),
            ("v.js", "export const v = 1;"),
        ],
        Limits::default(),
    );
    stage
        .write("steady", &[("plugin.js", "export default { v: () => 3, bad() {} };"), ("v.js", "export const v = 2;")]);
    stage.errors_within("steady/bad", 50);
    assert_eq!(stage.json("steady/v", ""), json!(1));
    block_on(stage.kernel.reload(&id)).unwrap();
    assert_eq!(stage.json("steady/v", ""), json!(3));
}
