//! Manifests as authors write them, in three spellings, and what is said when they are wrong.

mod faults;
mod process;
mod spellings;

use super::*;

/// The manifest, which must be without errors.
fn manifest(name: &str, text: &str) -> Manifest {
    let parsed = parse(name, text.as_bytes());
    match parsed.manifest {
        Some(manifest) => manifest,
        None => panic!("{:#?}", parsed.faults),
    }
}

/// `CODE PATH LINE:COLUMN` of each fault.
fn faults(text: &str) -> Vec<String> {
    let parsed = parse("plugin.yaml", text.as_bytes());
    parsed.faults.iter().map(|f| format!("{} {} {}:{}", f.code, f.path, f.line, f.column)).collect()
}
