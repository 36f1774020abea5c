//! Nothing is built twice.

use std::collections::{BTreeMap, BTreeSet};

use xtask::cargo;

/// For each package the sets of features that it is built with, tests among the builds or not.
fn features(edges: &str) -> BTreeMap<String, BTreeSet<String>> {
    let tree = ["tree", "--workspace", "-e", edges, "--prefix", "none", "--format", "{p}|{f}"];
    let text = cargo::output(&tree).expect("cargo describes the dependencies");
    let mut packages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines() {
        let Some((package, features)) = line.trim_end_matches(" (*)").split_once('|') else { continue };
        let package = package.trim_end_matches(" (*)").trim_end_matches(" (proc-macro)").to_owned();
        packages.entry(package).or_default().insert(features.to_owned());
    }
    packages
}

#[test]
fn tests_are_built_on_the_same_dependencies_as_programs() {
    let programs = features("normal,build");
    let with_tests = features("normal,build,dev");
    let twice: Vec<String> = programs
        .iter()
        .filter_map(|(package, features)| {
            let again: Vec<_> = features.difference(with_tests.get(package)?).collect();
            (!again.is_empty()).then(|| format!("{package}: {again:?} without tests, {:?} with", with_tests[package]))
        })
        .collect();
    assert!(
        twice.is_empty(),
        "a dev-dependency adds features to these, so that they and all above them are built twice; \
         put the feature into [workspace.dependencies]:\n{}",
        twice.join("\n")
    );
}
