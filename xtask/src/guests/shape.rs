//! What a WebAssembly file asks for and offers.

use anyhow::Result;
use wasmparser::{Parser, Payload};

/// The names of a file's outermost imports and exports, in order.
///
/// # Errors
/// When it is no WebAssembly.
pub(super) fn of(wasm: &[u8]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ImportSection(section) if depth == 0 => {
                for import in section.into_imports() {
                    let import = import?;
                    names.push(format!("import {}.{}", import.module, import.name));
                }
            }
            Payload::ExportSection(section) if depth == 0 => {
                for export in section {
                    names.push(format!("export {}", export?.name));
                }
            }
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    names.push(format!("import {}", import?.name.name));
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    names.push(format!("export {}", export?.name.name));
                }
            }
            _ => {}
        }
    }
    names.sort();
    Ok(names)
}
