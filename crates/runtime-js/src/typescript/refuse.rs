//! What cannot be stripped, said so that the author finds it.

use midplane_contract::{Code, Error};

/// The file is no TypeScript.
pub(super) fn not_typescript(name: &str, source: &str, at: usize, why: &str) -> Error {
    let (line, column) = place(source, at);
    Error::new(Code::NotAPlugin, format!("{name}:{line}:{column}: {why}"))
        .remedy("correct the source")
        .with("line", line)
        .with("column", column)
}

/// The file has something that is more than types.
pub(super) fn more_than_types(name: &str, source: &str, at: usize, what: &str) -> Error {
    let (line, column) = place(source, at);
    let remedy = match what {
        "an enum" => "write `const Color = { Red: 0 } as const`, or compile the plugin to JavaScript",
        "a parameter property" => "declare the field and assign it in the constructor",
        "a type assertion in angle brackets" => "write `value as Type`",
        _ => {
            "use what goes away with the types (TypeScript's `erasableSyntaxOnly`), or compile the plugin to JavaScript"
        }
    };
    Error::new(Code::NotAPlugin, format!("{name}:{line}:{column}: {what} is more than types and cannot be stripped"))
        .remedy(remedy)
        .with("line", line)
        .with("column", column)
}

/// Line and column of a byte, both from 1; columns are characters.
fn place(source: &str, at: usize) -> (usize, usize) {
    let before = source.get(..at).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
