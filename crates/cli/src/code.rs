//! What a code file is, as the file itself says it. Nothing of it is run.

mod elf;
mod wasm;

use std::path::Path;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::exit::Outcome;
use crate::input;

/// Largest file that is looked into, in bytes.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Names shown of each list at most.
const NAMES: usize = 200;

/// Facts about a code file.
#[derive(Debug, Serialize)]
pub(crate) struct Facts {
    /// Where it is.
    pub(crate) path: String,
    /// Its bytes.
    pub(crate) size: u64,
    /// Of its content, as hexadecimal digits.
    pub(crate) sha256: String,
    /// What its content is.
    #[serde(flatten)]
    pub(crate) form: Form,
}

/// What a file's content is. Lists hold 200 names at most.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Form {
    /// `ELF shared library`, `WebAssembly component`, …
    pub(crate) format: String,
    /// The processor that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) processor: Option<String>,
    /// The linker's build id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) build_id: Option<String>,
    /// What it offers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) exports: Vec<String>,
    /// What it needs of others: host functions, libraries.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) imports: Vec<String>,
    /// Why no more can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) damaged: Option<String>,
}

/// Reads a file and says what it is. A damaged one is described as far as it can be.
///
/// # Errors
/// When it cannot be read or is too large.
pub(crate) fn facts(path: &Path) -> Outcome<Facts> {
    let content = input::file(path, LARGEST)?;
    let sha256 = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Facts { path: path.display().to_string(), size: content.len() as u64, sha256, form: form(&content) })
}

fn form(content: &[u8]) -> Form {
    let known: [(&[u8], &str); 6] = [
        (b"MZ", "Windows executable or library"),
        (b"\xcf\xfa\xed\xfe", "Mach-O file"),
        (b"\xca\xfe\xba\xbe", "Mach-O universal file"),
        (b"!<arch>\n", "static library"),
        (b"#!", "script"),
        (b"PK\x03\x04", "ZIP archive"),
    ];
    if content.starts_with(b"\x7fELF") {
        return elf::form(content);
    }
    if content.starts_with(b"\0asm") {
        return wasm::form(content);
    }
    let format = match known.iter().find(|(magic, _)| content.starts_with(magic)) {
        Some((_, name)) => name,
        None if content.is_empty() => "empty file",
        None if std::str::from_utf8(content).is_ok() => "text",
        None => "unknown",
    };
    Form { format: format.to_owned(), ..Form::default() }
}

/// Sorted, and no more than are shown.
fn names(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort();
    names.dedup();
    names.truncate(NAMES);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_apart() {
        assert_eq!(form(b"").format, "empty file");
        assert_eq!(form(b"hello").format, "text");
        assert_eq!(form(b"#!/bin/sh\n").format, "script");
        assert_eq!(form(b"\xff\xfe\xfd").format, "unknown");
    }

    #[test]
    fn the_program_of_this_test_is_an_elf_file_for_this_processor() {
        let form = facts(&std::env::current_exe().unwrap()).unwrap().form;
        assert!(form.format.starts_with("ELF"), "{}", form.format);
        assert_eq!(form.processor.as_deref(), Some(std::env::consts::ARCH));
        assert!(form.imports.iter().any(|library| library.starts_with("libc.so")), "{:?}", form.imports);
    }

    #[test]
    fn a_module_says_what_it_exports_and_imports() {
        let module =
            wat::parse_str(r#"(module (import "env" "log" (func (param i32 i32))) (memory (export "memory") 1))"#);
        let form = form(&module.unwrap());
        assert_eq!(form.format, "WebAssembly core module");
        assert_eq!((form.exports, form.imports), (vec!["memory".to_owned()], vec!["env.log".to_owned()]));
    }

    #[test]
    fn a_component_is_no_module() {
        let component = wat::parse_str(r#"(component (import "host" (instance)) (core module))"#).unwrap();
        let form = form(&component);
        assert_eq!((form.format.as_str(), form.imports), ("WebAssembly component", vec!["host".to_owned()]));
    }

    #[test]
    fn a_damaged_file_is_described_as_far_as_it_goes() {
        assert!(form(b"\0asm\x01\0\0\0\xff").damaged.is_some());
        assert!(form(b"\x7fELF\x02\x01\x01").damaged.is_some());
    }
}
