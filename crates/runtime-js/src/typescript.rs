//! TypeScript as JavaScript: types become blanks, everything else stays where it is, so that lines and columns of errors
//! are those of the author's file. What is more than types (enums, namespaces with code, parameter properties,
//! decorators) is refused by name and line.

mod blanks;
mod classes;
mod erase;
mod refuse;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

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

/// Time for one file: a hundred times what the largest sensible one needs. The parser tries generics out and goes back
/// where they were none, so there are texts that keep it busy for minutes.
const TIME: Duration = Duration::from_secs(5);

/// Parsers that were given up and still run. With this many, no further file is read.
const GIVEN_UP: usize = 2;
static RUNNING_ON: AtomicUsize = AtomicUsize::new(0);

/// The file `name` without its types.
///
/// # Errors
/// `not_a_plugin` with line and column for what is no TypeScript or more than types; `limit_exceeded` over 256 KiB,
/// `deadline_exceeded` over 5 s, `overloaded` while two such files are still being read.
pub(crate) fn strip(name: &str, source: String) -> Result<String> {
    if source.len() > MOST {
        return Err(Error::new(Code::LimitExceeded, format!("{name} has more than {MOST} bytes of TypeScript"))
            .remedy("split it, or compile it to JavaScript")
            .with("which", "file")
            .with("limit", MOST));
    }
    if RUNNING_ON.load(Ordering::SeqCst) >= GIVEN_UP {
        return Err(Error::new(
            Code::Overloaded,
            format!("{name} is not read: other TypeScript keeps the parser busy"),
        )
        .remedy("try again later, or compile it to JavaScript"));
    }
    let (owned, (send, receive)) = (name.to_owned(), mpsc::channel());
    let work = move || {
        let done = catch_unwind(AssertUnwindSafe(|| stripped(&owned, &source)));
        if send.send(done).is_err() {
            RUNNING_ON.fetch_sub(1, Ordering::SeqCst);
        }
    };
    thread::Builder::new()
        .name("midplane-typescript".to_owned())
        .stack_size(STACK)
        .spawn(work)
        .map_err(|error| Error::new(Code::Io, "no thread to read TypeScript with").caused_by(&error))?;
    match receive.recv_timeout(TIME) {
        Ok(Ok(text)) => text,
        Err(RecvTimeoutError::Timeout) => {
            RUNNING_ON.fetch_add(1, Ordering::SeqCst);
            // A parser that ends in this very moment finds nobody who listens, or is counted for nothing.
            match receive.try_recv() {
                Ok(_) => RUNNING_ON.fetch_sub(1, Ordering::SeqCst),
                Err(_) => 0,
            };
            Err(Error::new(Code::DeadlineExceeded, format!("{name} could not be read as TypeScript within {TIME:?}"))
                .remedy("compile it to JavaScript"))
        }
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
