//! Rules that hold between fields. They read the tree, not the model, so that they speak even where other faults
//! keep the model from being made.

mod lists;
mod numbers;
mod process;
mod remote;

use super::document::{Document, Spelling};
use super::words;
use crate::RuntimeKind;
use crate::reading::fault::{Fault, FaultCode, Faults};
use crate::reading::rule::Rule;
use crate::reading::walk::{Place, missing};

/// Collects every contradiction.
pub(super) fn agree(document: &Document<'_>, faults: &mut Faults) {
    identity(document, faults);
    entry(document, faults);
    runtime(document, faults);
    process::agree(document, faults);
    remote::agree(document, faults);
    once(document, faults);
    kind(document, faults);
    numbers::agree(document, faults);
    lists::agree(document, faults);
}

/// A fault at a part.
fn at(document: &Document<'_>, path: &[&str], code: FaultCode, message: String, remedy: &str) -> Fault {
    Fault::new(code, document.mark(path), &document.path(path), message, remedy)
}

/// Where no id is written, the name has to be one.
fn identity(document: &Document<'_>, faults: &mut Faults) {
    if document.part(&["id"]).is_some() {
        return;
    }
    if document.spelling == Spelling::Flat {
        let about = "The plugin's id: 1 to 128 of a-z 0-9 . _ -";
        return missing("id", document.root.at, &Place::ROOT, about, faults);
    }
    let Some(node) = document.part(&["name"]) else { return };
    if let Some(Err(broken)) = node.text().map(|name| Rule::Id.check(name)) {
        let message = format!("`name` is the id where no `id` is written, and {}", broken.message);
        let remedy = format!("{}, or write an `id` beside the name", broken.remedy);
        faults.push(Fault::new(broken.code, node.at, &document.path(&["name"]), message, remedy));
    }
}

fn entry(document: &Document<'_>, faults: &mut Faults) {
    let (main, point) = (document.part(&["entry", "main"]), document.part(&["entry_point"]));
    if main.is_some() && point.is_some() {
        let message = "the code is named twice, by `entry.main` and by `entry_point`".to_owned();
        faults.push(at(document, &["entry_point"], FaultCode::Conflict, message, "keep `entry.main`"));
    }
    let executable = document.entry("executable").or_else(|| document.entry("endpoints"));
    let nowhere_to_write = document.spelling == Spelling::Enveloped && document.root.get("spec").is_none();
    if main.is_none()
        && point.is_none()
        && executable.is_none()
        && document.spelling != Spelling::Package
        && !nowhere_to_write
    {
        let path: &[&str] = match document.spelling {
            Spelling::Enveloped if document.part(&["entry"]).is_none() => &["entry_point"],
            _ => &["entry", "main"],
        };
        let message = format!("nothing says what to run: there is no `{}`", path.join("."));
        let remedy = "write the path of the code, inside the plugin's folder";
        faults.push(at(document, path, FaultCode::MissingField, message, remedy));
    }
}

/// The runtime is written, or the file's ending says it; and what is written does not contradict itself.
fn runtime(document: &Document<'_>, faults: &mut Faults) {
    let Some(word) = document.runtime_word() else {
        let names_file = document.entry("executable").or_else(|| document.entry("endpoints")).is_none();
        if names_file && document.main().is_some_and(|main| !main.is_empty() && words::runtime_of_main(main).is_none())
        {
            let message = "the runtime is not written, and the file's ending does not tell it".to_owned();
            let remedy = "write `entry.runtime`: native, wasm, js, python, process, remote or script";
            faults.push(at(document, &["entry", "runtime"], FaultCode::MissingField, message, remedy));
        }
        return;
    };
    if document.spelling != Spelling::Enveloped {
        return;
    }
    let (Some(kind), Some(spec_type)) = (words::runtime(word), document.text(&["type"])) else { return };
    let required = match spec_type {
        "dynamic_library" | "native" => RuntimeKind::Native,
        "webassembly" | "wasm" => RuntimeKind::Wasm,
        "grpc" | "remote" => RuntimeKind::Remote,
        _ => return,
    };
    if kind != required {
        let message = format!("`type: {spec_type}` and the runtime `{word}` contradict each other");
        faults.push(at(document, &["type"], FaultCode::Conflict, message, "make them agree, or leave the runtime out"));
    }
}

/// Parts that may stand in one of two places, not in both.
fn once(document: &Document<'_>, faults: &mut Faults) {
    let pairs: [(&[&str], &[&str]); 9] = [
        (&["actions"], &["interfaces", "actions"]),
        (&["file_types"], &["interfaces", "file_types"]),
        (&["limits", "call_deadline"], &["limits", "call_deadline_ms"]),
        (&["limits", "hook_deadline"], &["limits", "hook_deadline_ms"]),
        (&["limits", "memory"], &["resources", "max_memory"]),
        (&["limits", "cpu"], &["resources", "max_cpu"]),
        (&["resources", "max_memory_mb"], &["resources", "max_memory"]),
        (&["min_version"], &["compatibility", "min_version"]),
        (&["max_version"], &["compatibility", "max_version"]),
    ];
    for (one, other) in pairs {
        if document.part(one).is_some() && document.part(other).is_some() {
            let message = format!("`{}` and `{}` say the same thing", one.join("."), other.join("."));
            faults.push(at(document, other, FaultCode::Conflict, message, "keep one of them"));
        }
    }
    let config_has_schema = document.part(&["config", "schema"]).is_some() && document.spelling == Spelling::Enveloped;
    let two_runtimes = document.part(&["entry", "runtime"]).is_some() && document.part(&["runtime"]).is_some();
    if two_runtimes && document.spelling == Spelling::Enveloped {
        let message = "`entry.runtime` and `runtime` say the same thing".to_owned();
        faults.push(at(document, &["runtime"], FaultCode::Conflict, message, "keep one of them"));
    }
    if config_has_schema && document.part(&["config_schema"]).is_some() {
        let message = "`config.schema` and `config_schema` say the same thing".to_owned();
        faults.push(at(document, &["config_schema"], FaultCode::Conflict, message, "keep one of them"));
    }
}

fn kind(document: &Document<'_>, faults: &mut Faults) {
    let Some(kind) = document.text(&["kind"]) else { return };
    if document.spelling == Spelling::Enveloped && !["plugin", "module"].contains(&kind.to_lowercase().as_str()) {
        let shown: String = kind.chars().take(64).collect();
        let message = format!("`kind: {shown}` is not what a plugin's manifest says");
        faults.push(at(document, &["kind"], FaultCode::UnknownWord, message, "write `kind: Plugin`").warning());
    }
}
