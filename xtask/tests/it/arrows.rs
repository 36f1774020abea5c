//! The dependency direction.

use xtask::arrows::violations;
use xtask::workspace::{self, Package};

fn package(name: &str, folder: &str, needs: &[&str]) -> Package {
    Package { name: name.to_owned(), folder: folder.to_owned(), needs: needs.iter().map(|n| (*n).to_owned()).collect() }
}

#[test]
fn every_arrow_between_crates_goes_down() {
    let packages = workspace::packages().expect("cargo describes the workspace");
    assert!(packages.iter().any(|p| p.name == "midplane-kernel"), "the kernel is not in the workspace: {packages:?}");
    let violations = violations(&packages);
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn a_kernel_that_depends_on_a_runtime_is_refused_by_the_arrow_s_name() {
    let mut packages = workspace::packages().expect("cargo describes the workspace");
    let kernel = packages.iter_mut().find(|p| p.name == "midplane-kernel").expect("there is a kernel");
    kernel.needs.push("midplane-runtime-wasm".to_owned());
    let violations = violations(&packages);
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert!(violations[0].contains("midplane-kernel -> midplane-runtime-wasm"), "{}", violations[0]);
}

#[test]
fn runtimes_do_not_see_each_other() {
    let wasm = package("midplane-runtime-wasm", "crates/runtime-wasm", &["midplane-runtime-native"]);
    let violations = violations(&[wasm]);
    assert!(violations[0].contains("midplane-runtime-wasm -> midplane-runtime-native"), "{violations:?}");
}

#[test]
fn the_sdk_and_the_examples_never_pull_in_the_host() {
    let sdk = package("midplane-sdk", "sdk/rust", &["midplane-kernel"]);
    let example = package("markdown", "examples/markdown", &["midplane-sdk", "midplane"]);
    let violations = violations(&[sdk, example]);
    assert!(violations[0].contains("midplane-sdk -> midplane-kernel"), "{violations:?}");
    assert!(violations[1].contains("markdown -> midplane "), "{violations:?}");
}

#[test]
fn a_crate_that_nobody_gave_a_room_is_refused() {
    let violations = violations(&[package("midplane-attic", "crates/attic", &[])]);
    assert!(violations[0].contains("midplane-attic (crates/attic) has no room"), "{violations:?}");
}
