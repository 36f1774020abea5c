//! What the linker really mapped: which library an address belongs to, and its build id, read from memory.

/// A library as it stands in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mapped {
    /// The path it was opened by.
    pub(crate) path: String,
    /// The linker's build id, in hex.
    pub(crate) build_id: Option<String>,
    /// Address ranges of its segments, begin and end.
    pub(crate) segments: Vec<(usize, usize)>,
    /// Those of them that can be executed.
    pub(crate) executable: Vec<(usize, usize)>,
}

impl Mapped {
    /// Whether all bytes from an address on are in one segment.
    pub(crate) fn holds(&self, address: usize, len: usize) -> bool {
        address.checked_add(len).is_some_and(|end| self.segments.iter().any(|seg| seg.0 <= address && end <= seg.1))
    }

    /// Whether there is code at an address.
    pub(crate) fn executes(&self, address: usize) -> bool {
        self.executable.iter().any(|segment| (segment.0..segment.1).contains(&address))
    }
}

#[cfg(target_os = "linux")]
pub(crate) use linux::all;

/// Everything mapped. Other systems offer no way to ask that is read here; checks against it are then left out.
#[cfg(not(target_os = "linux"))]
pub(crate) fn all() -> Option<Vec<Mapped>> {
    None
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::{CStr, c_int, c_void};

    use super::Mapped;
    use crate::image::hex;

    /// `NT_GNU_BUILD_ID`.
    const BUILD_ID: u32 = 3;

    /// Every object that the linker has mapped into this process.
    pub(crate) fn all() -> Option<Vec<Mapped>> {
        let mut found: Vec<Mapped> = Vec::new();
        // SAFETY: the callback gets the vector that is passed here, and only while this call runs.
        unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut found).cast()) };
        Some(found)
    }

    unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, _: usize, found: *mut c_void) -> c_int {
        // SAFETY: the linker passes a valid struct, with `dlpi_phnum` headers and a path that ends in zero; it holds its
        // lock, so nothing is unmapped meanwhile.
        unsafe {
            let info = &*info;
            let mut mapped = Mapped::default();
            if !info.dlpi_name.is_null() {
                mapped.path = CStr::from_ptr(info.dlpi_name).to_string_lossy().into_owned();
            }
            let headers: &[_] = if info.dlpi_phnum == 0 {
                &[]
            } else {
                std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum))
            };
            for header in headers {
                let begin = (info.dlpi_addr as usize).wrapping_add(header.p_vaddr as usize);
                let end = begin.wrapping_add(header.p_memsz as usize);
                match header.p_type {
                    libc::PT_LOAD => {
                        mapped.segments.push((begin, end));
                        if header.p_flags & libc::PF_X != 0 {
                            mapped.executable.push((begin, end));
                        }
                    }
                    libc::PT_NOTE => {
                        let notes = std::slice::from_raw_parts(begin as *const u8, header.p_memsz as usize);
                        mapped.build_id = mapped.build_id.or_else(|| build_id(notes));
                    }
                    _ => {}
                }
            }
            (*found.cast::<Vec<Mapped>>()).push(mapped);
        }
        0
    }

    /// Finds the build id among notes: name size, description size, type, then both, each padded to 4 bytes.
    fn build_id(mut notes: &[u8]) -> Option<String> {
        loop {
            let (header, rest) = notes.split_at_checked(12)?;
            let word = |at: usize| {
                header.get(at..at + 4).and_then(|word| word.first_chunk()).map(|word| u32::from_ne_bytes(*word))
            };
            let (name_len, len, kind) = (word(0)? as usize, word(4)? as usize, word(8)?);
            let (name, rest) = rest.split_at_checked(name_len.next_multiple_of(4))?;
            let description = rest.get(..len)?;
            if kind == BUILD_ID && name == b"GNU\0" {
                return Some(hex(description));
            }
            notes = rest.get(len.next_multiple_of(4)..)?;
        }
    }
}
