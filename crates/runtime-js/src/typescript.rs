//! TypeScript as JavaScript: types become blanks, everything else stays where it is, so that lines and columns of errors
//! are those of the author's file. What is more than types (enums, namespaces with code, parameter properties,
//! decorators) is refused by name and line.

mod blanks;
mod classes;
mod erase;
mod refuse;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use midplane_contract::{Code, Error, Result};
use oxc_allocator::Allocator;
use oxc_ast_visit::Visit;
use oxc_parser::Parser;
use oxc_span::SourceType;

use erase::Eraser;

/// Largest file in bytes. With [`STACK`] it bounds what the parser, which calls itself for each level of nesting, can
/// need: 4 KiB of stack for each byte.
const MOST: usize = 256 * 1024;

/// Stack for parsing. Only what is touched takes memory.
const STACK: usize = 1 << 30;

/// The file `name` without its types.
///
/// # Errors
/// `not_a_plugin` with line and column for what is no TypeScript or more than types; `limit_exceeded` over 256 KiB.
pub(crate) fn strip(name: &str, source: String) -> Result<String> {
    if source.len() > MOST {
        return Err(Error::new(Code::LimitExceeded, format!("{name} has more than {MOST} bytes of TypeScript"))
            .remedy("split it, or compile it to JavaScript")
            .with("which", "file")
            .with("limit", MOST));
    }
    let owned = name.to_owned();
    let work = move || catch_unwind(AssertUnwindSafe(|| stripped(&owned, &source)));
    let thread = thread::Builder::new()
        .name("midplane-typescript".to_owned())
        .stack_size(STACK)
        .spawn(work)
        .map_err(|error| Error::new(Code::Io, "no thread to read TypeScript with").caused_by(&error))?;
    match thread.join() {
        Ok(Ok(text)) => text,
        _ => Err(Error::new(Code::NotAPlugin, format!("{name}: the TypeScript parser failed on it"))
            .remedy("compile it to JavaScript")),
    }
}

fn stripped(name: &str, source: &str) -> Result<String> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, source, SourceType::ts().with_module(true)).parse();
    if let Some(first) = parsed.diagnostics.iter().next() {
        let at = first.labels.first().map_or(0, |label| label.offset() as usize);
        return Err(refuse::not_typescript(name, source, at, &first.to_string()));
    }
    let mut eraser = Eraser::new(source);
    eraser.visit_program(&parsed.program);
    match eraser.refused {
        Some((at, what)) => Err(refuse::more_than_types(name, source, at, what)),
        None => Ok(eraser.blanks.applied(source)),
    }
}

#[cfg(test)]
mod tests;
