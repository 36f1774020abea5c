//! WebAssembly: core modules and components.

use wasmparser::{BinaryReaderError, Encoding, Parser, Payload};

use super::{Form, names};

/// What a file that begins as WebAssembly is.
pub(super) fn form(content: &[u8]) -> Form {
    let mut outline = Outline::default();
    let damaged = outline.read(content).err().map(|error| error.to_string());
    let format = match outline.encoding {
        Some(Encoding::Component) => "WebAssembly component",
        _ => "WebAssembly core module",
    };
    Form {
        format: format.to_owned(),
        exports: names(outline.exports),
        imports: names(outline.imports),
        damaged,
        ..Form::default()
    }
}

#[derive(Default)]
struct Outline {
    encoding: Option<Encoding>,
    exports: Vec<String>,
    imports: Vec<String>,
}

impl Outline {
    /// Reads the outermost module or component; what is nested in a component is its own affair.
    fn read(&mut self, content: &[u8]) -> Result<(), BinaryReaderError> {
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(content) {
            let payload = payload?;
            match &payload {
                Payload::Version { encoding, .. } => {
                    depth += 1;
                    self.encoding.get_or_insert(*encoding);
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                _ if depth == 1 => self.section(payload)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn section(&mut self, payload: Payload<'_>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    self.imports.push(format!("{}.{}", import.module, import.name));
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    self.exports.push(export?.name.to_owned());
                }
            }
            Payload::ComponentImportSection(imports) => {
                for import in imports {
                    self.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports {
                    self.exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
        Ok(())
    }
}
