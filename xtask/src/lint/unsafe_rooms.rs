//! `unsafe` stands only in the rooms that the contract lists.

use super::SourceFile;

/// Where it may stand: folders end in `/`, the rest are files without their `.rs`.
const ROOMS: &[&str] = &[
    "crates/runtime-native/",
    // Looks into the engine's buffers; loads what the engine made of the prelude; measures the raw limit.
    "crates/runtime-js/src/bytes",
    "crates/runtime-js/src/compiled",
    "crates/runtime-js/examples/raw_engine",
    "crates/runtime-wasm/src/compiled",
    // Maps compiled code to measure the raw limit.
    "crates/runtime-wasm/examples/raw_instantiate",
    "crates/runtime-wire/src/child",
    "crates/runtime-wire/src/launch",
    // Workers that tests start and let crash.
    "crates/runtime-wire/tests/",
    "sdk/rust/src/backend/",
];

/// What makes the word a keyword: a block, an item, an attribute's parenthesis.
const FOLLOWERS: &[&str] = &["{", "fn ", "impl ", "impl<", "extern ", "trait ", "("];

/// A Rust file with `unsafe` code outside those rooms. Tests are exempt: some have to crash on purpose.
#[must_use]
pub fn unsafe_outside_its_rooms(file: &SourceFile) -> Option<String> {
    if !file.has_extension("rs") || file.is_test() || ROOMS.iter().any(|room| file.path.starts_with(room)) {
        return None;
    }
    let text = file.text();
    let (number, _) = text.lines().enumerate().find(|(_, line)| has_unsafe_code(line))?;
    Some(format!("{}:{}: `unsafe` outside the rooms that the contract allows it in", file.path, number + 1))
}

/// Whether a line has the keyword in front of what it can stand in front of. Comments and plain words do not count.
fn has_unsafe_code(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let mut pieces = code.split("unsafe");
    let mut before = pieces.next().unwrap_or_default();
    pieces.any(|after| {
        let joined = before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '"' || c == '`');
        before = after;
        !joined && FOLLOWERS.iter().any(|next| after.trim_start().starts_with(next))
    })
}
