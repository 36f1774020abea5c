//! ELF: the library format of Linux and the BSDs. Format: System V gABI, and glibc's `elf.h` for what GNU added.

use std::path::Path;

use midplane_contract::{Code, Error, Kind, Result};
use object::elf;
use object::endian::Endianness;
use object::read::elf::{Dyn, ElfFile, FileHeader, ProgramHeader};
use object::{Object, ObjectSymbol, SymbolFlags};

use super::{Facts, format};
use crate::abi;

#[cfg(target_pointer_width = "64")]
type Header = elf::FileHeader64<Endianness>;
#[cfg(target_pointer_width = "32")]
type Header = elf::FileHeader32<Endianness>;
type Elf<'data> = ElfFile<'data, Header>;

/// Exported symbols that are kept to be shown.
const SHOWN_SYMBOLS: usize = 256;

/// Judges a file by its headers.
pub(super) fn judge(path: &Path, bytes: &[u8]) -> Result<Facts> {
    if !cfg!(any(target_os = "linux", target_os = "android", target_os = "freebsd")) {
        return foreign(path, bytes);
    }
    if !bytes.starts_with(&elf::ELFMAG) {
        return Err(format::refusal(path, bytes));
    }
    check_architecture(path, bytes)?;
    check_length(path, bytes)?;
    let file = Elf::parse(bytes).map_err(|error| not_elf(path, &error.to_string()))?;
    check_shared(path, &file)?;
    let facts = Facts {
        build_id: file.build_id().ok().flatten().map(hex),
        symbols: exported(&file),
        stays_loaded: stays_loaded(&file),
    };
    check_entry(path, &file)?;
    Ok(facts)
}

/// Systems whose library format is not read here: only what belongs elsewhere is refused, the linker judges the rest.
fn foreign(path: &Path, bytes: &[u8]) -> Result<Facts> {
    let fits = if cfg!(windows) {
        bytes.starts_with(b"MZ")
    } else {
        matches!(bytes, [0xcf, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, ..])
    };
    if fits { Ok(Facts::default()) } else { Err(format::refusal(path, bytes)) }
}

/// Class, byte order and machine stand in the first 20 bytes, and are looked at before anything that they decide.
fn check_architecture(path: &Path, bytes: &[u8]) -> Result<()> {
    let (Some(&class), Some(&order), Some(&[first, second])) =
        (bytes.get(4), bytes.get(5), bytes.get(18..20).and_then(|two| two.first_chunk::<2>()))
    else {
        return Err(cut_off(path, bytes.len(), size_of::<Header>() as u64));
    };
    let machine = if order == elf::ELFDATA2MSB {
        u16::from_be_bytes([first, second])
    } else {
        u16::from_le_bytes([first, second])
    };
    let (our_class, our_order) = (
        if cfg!(target_pointer_width = "64") { elf::ELFCLASS64 } else { elf::ELFCLASS32 },
        if cfg!(target_endian = "little") { elf::ELFDATA2LSB } else { elf::ELFDATA2MSB },
    );
    if class == our_class && order == our_order && our_machine().is_none_or(|ours| ours == machine) {
        return Ok(());
    }
    let bits = if class == elf::ELFCLASS64 { 64 } else { 32 };
    let found = format!("{}, {bits} bits", machine_name(machine));
    Err(Error::new(
        Code::WrongArchitecture,
        format!("{} was built for {found}; this host is {}", path.display(), std::env::consts::ARCH),
    )
    .remedy(format!("build the plugin for {}", std::env::consts::ARCH))
    .with("required", std::env::consts::ARCH)
    .with("found", found))
}

fn our_machine() -> Option<u16> {
    Some(match std::env::consts::ARCH {
        "x86_64" => elf::EM_X86_64,
        "aarch64" => elf::EM_AARCH64,
        "x86" => elf::EM_386,
        "arm" => elf::EM_ARM,
        "riscv64" | "riscv32" => elf::EM_RISCV,
        "powerpc64" => elf::EM_PPC64,
        "s390x" => elf::EM_S390,
        "loongarch64" => elf::EM_LOONGARCH,
        _ => return None,
    })
}

fn machine_name(machine: u16) -> String {
    let name = match machine {
        elf::EM_X86_64 => "x86_64",
        elf::EM_AARCH64 => "aarch64",
        elf::EM_386 => "x86",
        elf::EM_ARM => "arm",
        elf::EM_RISCV => "riscv",
        elf::EM_PPC64 => "powerpc64",
        elf::EM_S390 => "s390x",
        elf::EM_LOONGARCH => "loongarch64",
        _ => return format!("ELF machine {machine}"),
    };
    name.to_owned()
}

/// A file that ends before what its own headers promise: a copy or download that broke off.
fn check_length(path: &Path, bytes: &[u8]) -> Result<()> {
    let length = bytes.len();
    let Ok(header) = Header::parse(bytes) else { return Err(cut_off(path, length, size_of::<Header>() as u64)) };
    let promised = promised(header, bytes).map_err(|error| not_elf(path, &error.to_string()))?;
    if promised > length as u64 { Err(cut_off(path, length, promised)) } else { Ok(()) }
}

/// Where the last table or segment ends.
fn promised<H: FileHeader>(header: &H, bytes: &[u8]) -> object::read::Result<u64> {
    let order = header.endian()?;
    let table_end = |offset: u64, count: u16, size: u16| offset.saturating_add(u64::from(count) * u64::from(size));
    let tables = table_end(header.e_phoff(order).into(), header.e_phnum(order), header.e_phentsize(order))
        .max(table_end(header.e_shoff(order).into(), header.e_shnum(order), header.e_shentsize(order)));
    // A segment table that is cut off itself is covered by `tables`.
    let segments = header.program_headers(order, bytes).unwrap_or_default().iter();
    let ends = segments.map(|segment| segment.p_offset(order).into().saturating_add(segment.p_filesz(order).into()));
    Ok(ends.fold(tables, u64::max))
}

fn cut_off(path: &Path, length: usize, promised: u64) -> Error {
    Error::new(
        Code::InvalidInput,
        format!("{} is cut off: it has {length} bytes, its headers promise at least {promised}", path.display()),
    )
    .kind(Kind::Load)
    .remedy("copy or build the library again")
    .with("required", promised)
    .with("found", length as u64)
}

fn not_elf(path: &Path, why: &str) -> Error {
    Error::new(Code::NotAPlugin, format!("{} is no valid ELF library: {why}", path.display()))
        .remedy("build the library again")
}

/// Programs and object files are ELF as well.
fn check_shared(path: &Path, file: &Elf<'_>) -> Result<()> {
    let kind = match file.elf_header().e_type(file.endian()) {
        elf::ET_DYN if dynamic(file, elf::DT_FLAGS_1).is_some_and(|flags| flags & u64::from(elf::DF_1_PIE) != 0) => {
            "a program"
        }
        elf::ET_DYN => return Ok(()),
        elf::ET_EXEC => "a program",
        elf::ET_REL => "an object file",
        elf::ET_CORE => "a core dump",
        _ => "no shared library",
    };
    Err(Error::new(Code::NotAPlugin, format!("{} is {kind}, not a shared library", path.display()))
        .remedy("link it as a shared library (cc -shared, crate-type cdylib), or set entry.runtime to process"))
}

fn check_entry(path: &Path, file: &Elf<'_>) -> Result<()> {
    // Looked at first: with the tag of the SDK it has the entry, but no runtime of its own behind it.
    if file.dynamic_symbols().any(|symbol| symbol.name().is_ok_and(|name| name.starts_with("go:link."))) {
        return Err(Error::new(
            Code::NotAPlugin,
            format!(
                "{} was built with Go's -buildmode=plugin, which only the very same Go program can open",
                path.display()
            ),
        )
        .remedy(C_SHARED));
    }
    // Without section headers nothing is known of the symbols; the linker will find the entry or not.
    if file.elf_section_table().is_empty() || file.dynamic_symbols().any(|symbol| defines(&symbol, abi::ENTRY)) {
        return Ok(());
    }
    let missing = missing_entry(path);
    Err(if carries_go(file) { missing.remedy(C_SHARED) } else { missing })
}

/// How a Go plugin becomes a library.
const C_SHARED: &str = "build it with: go build -tags midplane_cshared -buildmode=c-shared (see sdk/go)";

fn carries_go(file: &Elf<'_>) -> bool {
    file.section_by_name(".go.buildinfo").is_some()
}

/// The refusal of a library without the entry.
pub(crate) fn missing_entry(path: &Path) -> Error {
    Error::new(Code::MissingSymbol, format!("{} does not export {}", path.display(), abi::ENTRY))
        .remedy("use midplane_sdk::plugin! (Rust) or MIDPLANE_PLUGIN (C), and export the symbol")
        .with("symbol", abi::ENTRY)
}

fn defines<'data>(symbol: &impl ObjectSymbol<'data>, name: &str) -> bool {
    !symbol.is_undefined() && symbol.name() == Ok(name)
}

fn exported(file: &Elf<'_>) -> Vec<String> {
    let defined = file.dynamic_symbols().filter(|symbol| symbol.is_definition() && symbol.is_global());
    defined.filter_map(|symbol| symbol.name().ok().map(str::to_owned)).take(SHOWN_SYMBOLS).collect()
}

/// Why the linker will not unmap the library, where its headers say so. What registers destructors of thread-local
/// variables while it runs is seen only when it is unloaded.
fn stays_loaded(file: &Elf<'_>) -> Option<String> {
    let flagged = dynamic(file, elf::DT_FLAGS_1).is_some_and(|flags| flags & u64::from(elf::DF_1_NODELETE) != 0);
    if carries_go(file) {
        return Some("it carries the Go runtime, whose threads never end".to_owned());
    }
    if flagged {
        return Some("it was linked with -z nodelete".to_owned());
    }
    // glibc marks a library as not deletable when a symbol of this kind is bound to it.
    let unique = file.dynamic_symbols().find(|symbol| {
        matches!(symbol.flags(), SymbolFlags::Elf { st_info, .. } if st_info >> 4 == elf::STB_GNU_UNIQUE)
            && symbol.is_definition()
    });
    if let Some(symbol) = unique {
        let name = symbol.name().unwrap_or("?");
        return Some(format!("it defines the unique symbol {name} (C++: compile with -fno-gnu-unique)"));
    }
    let registers = file.dynamic_symbols().any(|symbol| symbol.name() == Ok("__cxa_thread_atexit"));
    registers.then(|| "it has C++ thread_local variables with destructors".to_owned())
}

fn dynamic(file: &Elf<'_>, tag: i64) -> Option<u64> {
    let order = file.endian();
    let mut segments = file.elf_program_headers().iter();
    let entries = segments.find_map(|segment| segment.dynamic(order, file.data()).ok().flatten())?;
    entries.iter().find(|entry| entry.tag(order) == tag).map(|entry| entry.val(order))
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
