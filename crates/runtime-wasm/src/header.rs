//! Tells core modules, components and everything else apart by the first eight bytes.

use midplane_contract::{Code, Error, Result};

/// What a WebAssembly file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Format {
    /// A plain module, by the ABI of `contract/core-wasm.md`.
    Core,
    /// A component of the world in `contract/plugin.wit`.
    Component,
}

impl Format {
    /// The word used in details and messages.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Core => "core module",
            Self::Component => "component",
        }
    }
}

const MAGIC: [u8; 4] = *b"\0asm";

/// Reads the header: four bytes of magic number, two of version, two of layer.
///
/// # Errors
/// `not_a_plugin`, and which of the checks failed.
pub(crate) fn format(bytes: &[u8]) -> Result<Format> {
    let Some((magic, rest)) = bytes.split_first_chunk::<4>() else {
        return Err(refuse(format!("invalid WASM file: too short ({} bytes)", bytes.len())));
    };
    if *magic != MAGIC {
        return Err(refuse(format!("invalid WASM file: wrong magic number {magic:02x?}, expected {MAGIC:02x?}")));
    }
    let Some(version) = rest.first_chunk::<4>() else {
        return Err(refuse("invalid WASM file: missing version"));
    };
    match version {
        [0x01, 0x00, 0x00, 0x00] => Ok(Format::Core),
        [0x0d, 0x00, 0x01, 0x00] => Ok(Format::Component),
        other => Err(refuse(format!(
            "unsupported WASM version {other:02x?}: modules have [01, 00, 00, 00], components [0d, 00, 01, 00]"
        ))),
    }
}

fn refuse(message: impl Into<String>) -> Error {
    Error::new(Code::NotAPlugin, message).remedy("name a WebAssembly module or component in `entry.main`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_of_a_header_has_its_own_words() {
        for (bytes, words) in [
            (&b""[..], "too short"),
            (b"\0as", "too short"),
            (b"\x7fELF\x02\x01\x01\0", "wrong magic number"),
            (b"\0asm", "missing version"),
            (b"\0asm\x01", "missing version"),
            (b"\0asm\x02\0\0\0", "unsupported WASM version"),
        ] {
            let error = format(bytes).unwrap_err();
            assert_eq!(error.code(), Code::NotAPlugin);
            assert!(error.record().message.contains(words), "{error}");
        }
        assert_eq!(format(b"\0asm\x01\0\0\0rest").unwrap(), Format::Core);
        assert_eq!(format(b"\0asm\x0d\0\x01\0rest").unwrap(), Format::Component);
    }
}
