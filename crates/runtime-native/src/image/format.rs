//! What a file that is no library of this system looks like, so that the refusal can say it.

use std::path::Path;

use midplane_contract::{Code, Error, Kind};

/// The refusal of a file without the format's magic number.
pub(super) fn refusal(path: &Path, bytes: &[u8]) -> Error {
    let (code, what, remedy) = recognize(bytes);
    let path = path.display();
    let error = Error::new(code, format!("{path} is {what}, not a native library of this system")).remedy(remedy);
    match code {
        Code::UnsupportedPlatform => {
            error.kind(Kind::Load).with("required", std::env::consts::OS).with("found", platform(bytes))
        }
        _ => error,
    }
}

const REBUILD: &str = "build the plugin for this system";
const NAME_THE_LIBRARY: &str = "set entry.main to the library that the build made";

fn recognize(bytes: &[u8]) -> (Code, &'static str, &'static str) {
    match bytes {
        [] => (Code::NotAPlugin, "empty", "build the plugin again"),
        [b'M', b'Z', ..] => (Code::UnsupportedPlatform, "a Windows library or program", REBUILD),
        [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..] | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, ..] => {
            (Code::UnsupportedPlatform, "a macOS library or program", REBUILD)
        }
        [0x7f, b'E', b'L', b'F', ..] => (Code::UnsupportedPlatform, "a Linux or BSD library or program", REBUILD),
        [0, b'a', b's', b'm', ..] => (Code::NotAPlugin, "WebAssembly", "set entry.runtime to wasm"),
        [b'!', b'<', b'a', b'r', b'c', b'h', b'>', ..] => {
            (Code::NotAPlugin, "a static library", "link it as a shared library: cc -shared, crate-type cdylib")
        }
        [b'#', b'!', ..] => (Code::NotAPlugin, "a script", "set entry.runtime to script, process or python"),
        _ if bytes.iter().take(512).all(|byte| matches!(byte, 9..=13 | 32..=126 | 128..)) => {
            (Code::NotAPlugin, "a text file", NAME_THE_LIBRARY)
        }
        _ => (Code::NotAPlugin, "a file of an unknown format", NAME_THE_LIBRARY),
    }
}

fn platform(bytes: &[u8]) -> &'static str {
    match bytes {
        [b'M', b'Z', ..] => "windows",
        [0x7f, ..] => "linux",
        _ => "macos",
    }
}
