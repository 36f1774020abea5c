//! How each engine is started.

use std::ffi::OsString;
use std::path::Path;

use midplane_contract::{Code, Error, Result};
use midplane_kernel::LoadRequest;

use super::super::search::{FoundProgram, Version, text};
use super::Engine;
use crate::program::{Program, WIRE_FD};

const MIB: u64 = 1024 * 1024;
/// Deno and Bun cannot make a socket of a descriptor: there the wire is standard input and output.
const AS_STANDARD: &str = r#"exec "$0" "$@" <&3 >&3 3>&-"#;
/// A smaller heap than this, in MiB, does not hold the engine itself.
const SMALLEST_HEAP: u64 = 16;
/// The largest half of V8's young generation, in MiB, as V8 has it without being told.
const LARGEST_SEMI_SPACE: u64 = 16;

/// The command line that runs the SDK's runner.
///
/// # Errors
/// `unsupported_runtime` for TypeScript on a Node that cannot read it.
pub(super) fn build(engine: Engine, found: &FoundProgram, sdk: &Path, request: &LoadRequest) -> Result<Program> {
    let mut command = found.path.clone();
    let heap = request.limits.memory.map(heap_of);
    let mut args: Vec<OsString> = Vec::new();
    if engine != Engine::Node {
        args.extend(["-c".into(), AS_STANDARD.into(), command.into_os_string()]);
        command = "/bin/sh".into();
    }
    match engine {
        Engine::Node => {
            args.extend(heap.into_iter().flatten().map(Into::into));
            args.extend(for_version(found.version).into_iter().map(Into::into));
            if is_typescript(&request.main) {
                args.extend(stripping(found)?.map(Into::into));
            }
        }
        Engine::Deno => {
            // Its own permissions would say the same thing a second time: what a process may do is the jail's to hold.
            args.extend(["run", "--allow-all", "--no-prompt", "--quiet"].map(Into::into));
            args.extend(heap.map(|heap| format!("--v8-flags={}", heap.join(",")).into()));
            args.extend(imports(sdk, &request.folder));
        }
        Engine::Bun => args.push("run".into()),
    }
    args.push(sdk.join("run.js").into());
    args.extend(["worker".into(), "--fd".into(), WIRE_FD.to_string().into()]);
    args.extend(request.manifest.entry.args.iter().map(Into::into));
    Ok(Program { command, args, env: Vec::new() })
}

/// What keeps V8's heap within a memory limit, in bytes.
///
/// The young generation, up to three semi-spaces, counts as well: V8 says when its heap is full, but dies of a signal
/// when the system gives it no page for what it believes to be its own.
fn heap_of(limit: u64) -> [String; 2] {
    let heap = (limit / MIB).max(SMALLEST_HEAP);
    let semi = (heap / 16).min(LARGEST_SEMI_SPACE);
    [format!("--max-semi-space-size={semi}"), format!("--max-old-space-size={}", heap - 3 * semi)]
}

/// How Deno finds `midplane`, and the plugin's packages, though the runner lies elsewhere. A plugin with a configuration
/// of its own names all imports there.
fn imports(sdk: &Path, folder: &Path) -> Vec<OsString> {
    let own = ["deno.json", "deno.jsonc"].map(|name| folder.join(name)).into_iter().find(|path| path.is_file());
    if let Some(own) = own {
        return vec!["--config".into(), own.into()];
    }
    let packages = folder.join("node_modules").is_dir().then(|| "--node-modules-dir=manual".into());
    packages.into_iter().chain(["--import-map".into(), sdk.join("import-map.json").into()]).collect()
}

/// What makes a `.js` file beside no `package.json` an ES module, and keeps Node from explaining how it found out.
fn for_version(version: Version) -> Vec<&'static str> {
    let mut flags = Vec::new();
    let (major, minor, _) = version;
    if matches!((major, minor), (18, 19..) | (20, 10..=18) | (21, _) | (22, 0..=6)) {
        flags.push("--experimental-default-type=module");
    }
    if (20, 11) <= (major, minor) && major != 21 {
        flags.push("--disable-warning=MODULE_TYPELESS_PACKAGE_JSON");
    }
    flags
}

fn is_typescript(main: &Path) -> bool {
    main.extension().is_some_and(|extension| extension == "ts" || extension == "mts")
}

/// The flag with which Node leaves types out, if this one needs it.
fn stripping(found: &FoundProgram) -> Result<Option<&'static str>> {
    let (major, minor, _) = found.version;
    match (major, minor) {
        (22, 18..) | (23, 6..) | (24.., _) => Ok(None),
        (22, 6..) | (23, _) => Ok(Some("--experimental-strip-types")),
        _ => {
            let message =
                format!("{} is version {}, which cannot read TypeScript", found.path.display(), text(found.version));
            Err(Error::new(Code::UnsupportedRuntime, message)
                .remedy("compile the plugin to JavaScript, leave out entry.engine, or install Node.js 22.18 or newer")
                .with("required", ">=22.18.0")
                .with("found", text(found.version)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(version: Version) -> FoundProgram {
        FoundProgram { path: "/opt/node".into(), version }
    }

    #[test]
    fn typescript_needs_a_node_that_reads_it() {
        let error = stripping(&found((20, 20, 2))).unwrap_err();
        assert_eq!(error.code(), Code::UnsupportedRuntime);
        assert!(error.record().message.contains("20.20.2"));
        assert!(error.record().remedy.as_deref().is_some_and(|remedy| remedy.contains("22.18")));
        assert_eq!(stripping(&found((22, 6, 0))).unwrap(), Some("--experimental-strip-types"));
        assert_eq!(stripping(&found((22, 18, 0))).unwrap(), None);
        assert_eq!(stripping(&found((24, 0, 0))).unwrap(), None);
    }

    #[test]
    fn the_heap_is_as_large_as_the_limit() {
        assert_eq!(heap_of(64 * MIB), ["--max-semi-space-size=4", "--max-old-space-size=52"]);
        assert_eq!(heap_of(1024 * MIB), ["--max-semi-space-size=16", "--max-old-space-size=976"]);
        assert_eq!(heap_of(0), ["--max-semi-space-size=1", "--max-old-space-size=13"]);
    }

    #[test]
    fn each_node_gets_only_flags_that_it_knows() {
        assert_eq!(for_version((18, 0, 0)), Vec::<&str>::new());
        assert_eq!(for_version((18, 20, 8)), ["--experimental-default-type=module"]);
        assert_eq!(for_version((20, 20, 2)), ["--disable-warning=MODULE_TYPELESS_PACKAGE_JSON"]);
        assert_eq!(for_version((24, 1, 0)), ["--disable-warning=MODULE_TYPELESS_PACKAGE_JSON"]);
    }
}
