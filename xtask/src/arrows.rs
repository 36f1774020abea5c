//! Which crate may depend on which: the dependency direction of the architecture, as one table.
//!
//! The check is a pure function over arrows, so that a test can draw a forbidden one. Dev-dependencies are exempt.

use crate::workspace::Package;

/// A room of the house and the rooms below it that it may use.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// The crate, or a folder ending in `/` for every crate in it.
    pub name: &'static str,
    /// What it may depend on.
    pub may_use: &'static [&'static str],
}

const CONTRACT: &str = "midplane-contract";
const KERNEL: &str = "midplane-kernel";
const NATIVE: &str = "midplane-runtime-native";
const WASM: &str = "midplane-runtime-wasm";
const CONNECT: &str = "midplane-runtime-connect";
const FETCH: &str = "midplane-fetch";
const GRPC: &str = "midplane-runtime-grpc";
const JS: &str = "midplane-runtime-js";
const WIRE: &str = "midplane-runtime-wire";
const STORE: &str = "midplane-store";
const STORE_REDIS: &str = "midplane-store-redis";
const LIBRARY: &str = "midplane";
const SDK: &str = "midplane-sdk";
const NODE: &str = "midplane-node";
const TESTKIT: &str = "midplane-testkit";

/// The whole house. A crate that is not here fails the check: adding a crate means deciding where it stands.
pub const ROOMS: &[Room] = &[
    Room { name: CONTRACT, may_use: &[] },
    Room { name: KERNEL, may_use: &[CONTRACT] },
    // Runtimes never see each other.
    Room { name: NATIVE, may_use: &[CONTRACT, KERNEL] },
    Room { name: WASM, may_use: &[CONTRACT, KERNEL] },
    Room { name: JS, may_use: &[CONTRACT, KERNEL] },
    Room { name: WIRE, may_use: &[CONTRACT, KERNEL] },
    Room { name: GRPC, may_use: &[CONTRACT, KERNEL] },
    // Connections carry the wire; what speaks it at the host's end is the same for both.
    Room { name: CONNECT, may_use: &[CONTRACT, KERNEL, WIRE] },
    Room { name: STORE, may_use: &[CONTRACT, KERNEL] },
    Room { name: STORE_REDIS, may_use: &[CONTRACT, KERNEL] },
    Room { name: FETCH, may_use: &[CONTRACT, KERNEL] },
    Room { name: TESTKIT, may_use: &[CONTRACT, KERNEL] },
    Room {
        name: LIBRARY,
        may_use: &[CONTRACT, KERNEL, NATIVE, WASM, JS, WIRE, GRPC, CONNECT, STORE, STORE_REDIS, FETCH],
    },
    // What a host answers needs a kernel, and no runtime.
    Room { name: NODE, may_use: &[CONTRACT, KERNEL] },
    // `midplane test` is the suite of the test kit.
    Room { name: "midplane-cli", may_use: &[LIBRARY, NODE, TESTKIT] },
    // What plugin authors install never pulls in the host.
    Room { name: SDK, may_use: &[CONTRACT] },
    Room { name: "examples/", may_use: &[SDK] },
    Room { name: "crates/testkit/guests/", may_use: &[SDK] },
    // The bench puts each runtime's raw limit beside the whole.
    Room { name: "midplane-bench", may_use: &[CONTRACT, KERNEL, NATIVE, WASM, JS, WIRE, GRPC, LIBRARY] },
    Room { name: "xtask", may_use: &[] },
];

/// Everything wrong with the arrows between these packages, one sentence each; empty when they all go down.
#[must_use]
pub fn violations(packages: &[Package]) -> Vec<String> {
    packages.iter().flat_map(package_violations).collect()
}

fn package_violations(package: &Package) -> Vec<String> {
    let Some(room) = room_of(package) else {
        return vec![format!(
            "the crate {} ({}) has no room: say in xtask/src/arrows.rs what it may depend on",
            package.name, package.folder
        )];
    };
    let forbidden = package.needs.iter().filter(|to| !room.may_use.contains(&to.as_str()));
    forbidden.map(|to| forbidden_arrow(&package.name, to, room)).collect()
}

fn room_of(package: &Package) -> Option<&'static Room> {
    ROOMS.iter().find(|room| match room.name.ends_with('/') {
        true => package.folder.starts_with(room.name),
        false => room.name == package.name,
    })
}

fn forbidden_arrow(from: &str, to: &str, room: &Room) -> String {
    let allowed = if room.may_use.is_empty() { "nothing of ours".to_owned() } else { room.may_use.join(", ") };
    format!("the arrow {from} -> {to} is not allowed: {from} may depend on {allowed} (architecture, section 6)")
}
