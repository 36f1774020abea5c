//! Actions that take and give WebAssembly's own numbers, as JSON.

use midplane_contract::{Code, Error, Result};
use serde_json::{Number, Value};
use wasmtime::{FuncType, Val, ValType};

/// Reads a JSON array of numbers as the parameters of a function. No bytes at all stand for `[]`.
///
/// # Errors
/// `invalid_input`: not an array, the wrong number of values, or one that does not fit its type, by position.
pub(super) fn parameters(shape: &FuncType, input: &[u8]) -> Result<Vec<Val>> {
    let values: Vec<Value> = match input {
        [] => Vec::new(),
        _ => serde_json::from_slice(input).map_err(|error| wrong(shape, &format!("no JSON array: {error}")))?,
    };
    if values.len() != shape.params().len() {
        return Err(wrong(shape, &format!("{} values where {} are wanted", values.len(), shape.params().len())));
    }
    let pairs = values.iter().zip(shape.params()).enumerate();
    pairs
        .map(|(position, (value, kind))| {
            number(value, &kind).ok_or_else(|| wrong(shape, &format!("value {position}, {value}, is no {kind}")))
        })
        .collect()
}

/// The function's result as JSON: `null` without one, and for numbers that JSON has no way to write.
pub(super) fn result(results: &[Val]) -> Vec<u8> {
    let value = match results.first() {
        Some(Val::I32(number)) => Value::from(*number),
        Some(Val::I64(number)) => Value::from(*number),
        Some(Val::F32(bits)) => float(f64::from(f32::from_bits(*bits))),
        Some(Val::F64(bits)) => float(f64::from_bits(*bits)),
        _ => Value::Null,
    };
    value.to_string().into_bytes()
}

fn float(number: f64) -> Value {
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

fn number(value: &Value, kind: &ValType) -> Option<Val> {
    Some(match kind {
        ValType::I32 => {
            let wide = value.as_i64()?;
            Val::I32(i32::try_from(wide).ok().or_else(|| u32::try_from(wide).ok().map(u32::cast_signed))?)
        }
        ValType::I64 => Val::I64(value.as_i64().or_else(|| value.as_u64().map(u64::cast_signed))?),
        #[expect(clippy::cast_possible_truncation, reason = "a number for a 32-bit float is rounded, as everywhere")]
        ValType::F32 => Val::F32((value.as_f64()? as f32).to_bits()),
        ValType::F64 => Val::F64(value.as_f64()?.to_bits()),
        _ => return None,
    })
}

fn wrong(shape: &FuncType, what: &str) -> Error {
    let wanted: Vec<String> = shape.params().map(|kind| kind.to_string()).collect();
    Error::new(Code::InvalidInput, format!("this action takes a JSON array of [{}]: {what}", wanted.join(", ")))
        .remedy("send as many numbers as the function has parameters, each of its type")
}
