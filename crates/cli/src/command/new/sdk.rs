//! The SDKs as a part of this program, until they are published: what a project needs to build comes with it.

/// Files of an SDK: where each lies in its folder, and its content.
pub(super) type Files = &'static [(&'static str, &'static [u8])];

macro_rules! files {
    ($folder:literal: $($path:literal),+ $(,)?) => {
        &[$(($path, include_bytes!(concat!("../../../../../", $folder, "/", $path)))),+]
    };
}

/// `sdk/rust` without its manifest, which leans on the workspace, and without its tests.
pub(super) const RUST: Files = files![
    "sdk/rust":
        "src/backend.rs",
        "src/backend/component.rs",
        "src/backend/core_module.rs",
        "src/backend/guest.rs",
        "src/backend/native.rs",
        "src/backend/native/abi.rs",
        "src/backend/world.bin",
        "src/context.rs",
        "src/context/bus.rs",
        "src/context/clock.rs",
        "src/context/log.rs",
        "src/context/metrics.rs",
        "src/context/plugins.rs",
        "src/context/settings.rs",
        "src/context/state.rs",
        "src/context/web.rs",
        "src/definition.rs",
        "src/definition/hooks.rs",
        "src/error.rs",
        "src/event.rs",
        "src/health.rs",
        "src/hook.rs",
        "src/info.rs",
        "src/lib.rs",
        "src/payload.rs",
        "src/plugin.rs",
        "src/reply.rs",
        "src/running.rs",
        "src/testing.rs",
        "src/testing/host.rs",
];

/// `sdk/go` without its tests.
pub(super) const GO: Files = files![
    "sdk/go":
        "api.go",
        "bus.go",
        "carrier_other.go",
        "carrier_unix.go",
        "context.go",
        "doc.go",
        "error.go",
        "go.mod",
        "guarded.go",
        "hooks.go",
        "info.go",
        "internal/confine/confine.go",
        "internal/confine/system_linux.go",
        "internal/confine/system_other.go",
        "internal/module/doc.go",
        "internal/module/exports.go",
        "internal/module/hooks.go",
        "internal/module/imports.go",
        "internal/native/bridge.h",
        "internal/native/doc.go",
        "internal/native/entries.go",
        "internal/native/midplane.h",
        "internal/native/table.c",
        "internal/native/turn.go",
        "internal/seam/hook.go",
        "internal/seam/seam.go",
        "internal/wire/arrive.go",
        "internal/wire/ask.go",
        "internal/wire/conn.go",
        "internal/wire/context.go",
        "internal/wire/frame.go",
        "internal/wire/job.go",
        "internal/wire/load.go",
        "internal/wire/reply.go",
        "internal/wire/stream.go",
        "internal/wire/watch.go",
        "log.go",
        "metrics.go",
        "midplanetest/bench.go",
        "midplanetest/host.go",
        "payload.go",
        "plugin.go",
        "serve.go",
        "serve_cshared.go",
        "serve_wasip1.go",
        "service.go",
        "state.go",
        "web.go",
];

/// The header of the contract, and those over it.
pub(super) const C: Files = &[
    ("midplane.h", include_bytes!("../../../../../contract/midplane.h")),
    ("midplane_api.h", include_bytes!("../../../../../sdk/c/midplane_api.h")),
    ("midplane_json.h", include_bytes!("../../../../../sdk/c/midplane_json.h")),
    ("midplane_plugin.h", include_bytes!("../../../../../sdk/c/midplane_plugin.h")),
    ("midplane_testing.h", include_bytes!("../../../../../sdk/c/midplane_testing.h")),
];

/// The types of the JavaScript SDK, for editors. Its code is brought along by the host.
pub(super) const TYPES: Files = files!["sdk/js": "index.d.ts"];

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::{env, fs};

    use super::*;

    /// The files below a folder of the repository, as the tables name them.
    fn below(folder: &str) -> Vec<String> {
        midplane_testkit::files_below(&repository().join(folder)).unwrap()
    }

    fn repository() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    fn listed(files: Files) -> Vec<String> {
        files.iter().map(|(path, _)| (*path).to_owned()).collect()
    }

    #[test]
    fn no_file_of_the_rust_sdk_is_forgotten() {
        let mut found = below("sdk/rust");
        found.retain(|path| path.starts_with("src/") && !path.ends_with("tests.rs"));
        assert_eq!(found, listed(RUST));
    }

    #[test]
    fn no_file_of_the_go_sdk_is_forgotten() {
        let mut found = below("sdk/go");
        found.retain(|path| !path.ends_with("_test.go") && path != "README.md");
        assert_eq!(found, listed(GO));
    }

    #[test]
    fn the_rust_sdk_depends_on_what_its_copy_says() {
        let own = fs::read_to_string(repository().join("sdk/rust/Cargo.toml")).unwrap();
        let copy = include_str!("../../../templates/rust/sdk.toml");
        let names = |text: &str| -> Vec<String> {
            let part = text.split("\n[dependencies]\n").nth(1).unwrap();
            let part = part.split("\n[").next().unwrap();
            let lines = part.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
            lines.map(|line| line.split(['.', ' ']).next().unwrap().to_owned()).collect()
        };
        assert_eq!(names(&own), names(copy));
        let workspace = fs::read_to_string(repository().join("Cargo.toml")).unwrap();
        for line in copy.lines().filter(|line| line.starts_with("serde")) {
            assert!(workspace.contains(line), "{line}");
        }
    }

    #[test]
    fn the_versions_that_a_project_begins_with_are_the_workspaces() {
        let workspace = fs::read_to_string(repository().join("Cargo.lock")).unwrap();
        let ours = include_str!("../../../templates/rust/package.lock");
        let packages: Vec<&str> = ours.split("[[package]]").skip(1).filter(|one| one.contains("checksum")).collect();
        assert!(packages.len() > 5);
        for package in packages {
            let stamp: Vec<&str> = package.trim().lines().take(4).collect();
            assert!(workspace.contains(&stamp.join("\n")), "not the workspace's: {package}");
        }
    }
}
