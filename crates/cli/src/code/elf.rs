//! ELF files: libraries and programs of Linux and its relatives.

use object::elf::DT_NEEDED;
use object::read::elf::{ElfFile, ElfFile32, ElfFile64, FileHeader};
use object::{Architecture, Endianness, Object, ObjectKind, ObjectSymbol};

use super::{Form, names};

/// What a file that begins as ELF is.
pub(super) fn form(content: &[u8]) -> Form {
    match ElfFile64::<Endianness>::parse(content) {
        Ok(file) => of(&file),
        Err(wide) => match ElfFile32::<Endianness>::parse(content) {
            Ok(file) => of(&file),
            Err(_) => Form { format: "ELF file".to_owned(), damaged: Some(wide.to_string()), ..Form::default() },
        },
    }
}

fn of<'data, Header: FileHeader>(file: &ElfFile<'data, Header>) -> Form {
    let format = match file.kind() {
        ObjectKind::Dynamic => "ELF shared library or program",
        ObjectKind::Executable => "ELF program",
        ObjectKind::Relocatable => "ELF object, not linked",
        _ => "ELF file",
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let exported = file.dynamic_symbols().filter(|symbol| symbol.is_definition() && symbol.is_global());
    let exports = exported.filter_map(|symbol| symbol.name().ok().map(str::to_owned));
    Form {
        format: format.to_owned(),
        processor: Some(processor(file.architecture())),
        build_id: file.build_id().ok().flatten().map(|id| id.iter().map(|byte| format!("{byte:02x}")).collect()),
        exports: names(exports.filter(|name| !name.is_empty())),
        imports: names(libraries(file).into_iter().map(text)),
        damaged: None,
    }
}

/// The libraries that the linker has to bring. What is damaged names none.
fn libraries<'data, Header: FileHeader>(file: &ElfFile<'data, Header>) -> Vec<&'data [u8]> {
    let Ok(table) = file.elf_section_table().dynamic_table(file.endian(), file.data()) else { return Vec::new() };
    let needed = table.iter().filter(|entry| entry.tag == DT_NEEDED);
    needed.filter_map(|entry| table.string(entry).ok()).collect()
}

/// The processor's name, as Rust and the manifest call it.
fn processor(architecture: Architecture) -> String {
    match architecture {
        Architecture::X86_64 => "x86_64".to_owned(),
        Architecture::I386 => "x86".to_owned(),
        Architecture::Aarch64 => "aarch64".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}
