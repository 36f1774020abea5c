//! Packed results: pointer and length in one `i64`, with one bit for errors. And checked access to guest memory.

use midplane_contract::Error;
use serde_json::{Map, Value};

use crate::fault::{Fault, invalid_access, plugin_error};

const ERROR: u64 = 1 << 31;

/// Takes a packed result apart. An error becomes the plugin's own error.
#[inline]
pub(crate) fn unpack(packed: u64, memory: &[u8]) -> Result<&[u8], Fault> {
    let (at, len) = ((packed >> 32) as u32, (packed & (ERROR - 1)) as u32);
    let bytes = slice(memory, at, len, "its result").map_err(Fault::Broken)?;
    if packed & ERROR == 0 { Ok(bytes) } else { Err(Fault::Clean(own_error(bytes))) }
}

/// The bytes that a guest's pointer and length name, checked without overflow.
#[inline]
pub(crate) fn slice<'a>(memory: &'a [u8], at: u32, len: u32, what: &str) -> Result<&'a [u8], Error> {
    let bytes = memory.get(at as usize..).and_then(|rest| rest.get(..len as usize));
    bytes.ok_or_else(|| invalid_access(what, at, len, memory.len()))
}

/// As [`slice`], to write.
#[inline]
pub(crate) fn slice_mut<'a>(memory: &'a mut [u8], at: u32, len: u32, what: &str) -> Result<&'a mut [u8], Error> {
    let size = memory.len();
    let bytes = memory.get_mut(at as usize..).and_then(|rest| rest.get_mut(..len as usize));
    bytes.ok_or_else(|| invalid_access(what, at, len, size))
}

/// Zero-terminated text at a guest's pointer.
pub(crate) fn text_at<'a>(memory: &'a [u8], at: u32, what: &str) -> Result<&'a [u8], Error> {
    let rest = memory.get(at as usize..).unwrap_or_default();
    let end = rest.iter().position(|byte| *byte == 0);
    end.and_then(|end| rest.get(..end)).ok_or_else(|| invalid_access(what, at, 1, memory.len()))
}

#[cold]
fn own_error(bytes: &[u8]) -> Error {
    let object: Option<Map<String, Value>> = serde_json::from_slice(bytes).ok();
    let Some(mut object) = object else {
        return plugin_error("failed".to_owned(), String::from_utf8_lossy(bytes).into_owned(), false, Map::new());
    };
    let text = |value: Option<Value>| value.and_then(|value| value.as_str().map(str::to_owned));
    let data = match object.remove("data") {
        Some(Value::Object(data)) => data,
        _ => Map::new(),
    };
    plugin_error(
        text(object.remove("code")).unwrap_or_else(|| "failed".to_owned()),
        text(object.remove("message")).unwrap_or_default(),
        object.get("recoverable").and_then(Value::as_bool).unwrap_or(false),
        data,
    )
}

#[cfg(test)]
mod tests {
    use midplane_contract::Code;

    use super::*;

    fn code(result: Result<&[u8], Fault>) -> Option<Code> {
        match result {
            Ok(_) => None,
            Err(Fault::Broken(error) | Fault::Clean(error)) => Some(error.code()),
            Err(Fault::Engine(_)) => Some(Code::Internal),
        }
    }

    #[test]
    fn pointers_and_lengths_outside_memory_are_found_without_overflow() {
        let memory = vec![7; 65_536];
        assert!(unpack((65_530 << 32) | 6, &memory).is_ok());
        assert!(unpack(0, &memory).is_ok());
        for packed in [(65_530_u64 << 32) | 7, u64::MAX >> 32 << 32 | 1, (0xffff_ffff << 32) | 0x7fff_ffff, 0x7fff_ffff]
        {
            assert_eq!(code(unpack(packed, &memory)), Some(Code::Trapped), "{packed:#x}");
        }
    }

    #[test]
    fn an_error_of_the_plugin_stays_whole() {
        let text = br#"{"code":"not_found","message":"no such song","recoverable":true,"data":{"id":3}}"#;
        let Err(Fault::Clean(error)) = unpack(ERROR | text.len() as u64, text) else { panic!("an error was expected") };
        let json = serde_json::to_value(error.record()).unwrap();
        assert_eq!(json["code"], "plugin_error");
        assert_eq!(json["message"], "no such song");
        assert_eq!(json["recoverable"], true);
        assert_eq!(json["data"]["code"], "not_found");
        assert_eq!(json["data"]["data"]["id"], 3);
    }
}
