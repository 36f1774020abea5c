//! Every way in which a call can fail to answer.

use std::hint::black_box;

use midplane_sdk::prelude::*;
use serde::Deserialize;
use serde_json::Map;

use crate::Probe;

/// Input of `fail`: the error to answer with.
#[derive(Debug, Deserialize)]
struct Failure {
    code: String,
    message: String,
    #[serde(default)]
    recoverable: bool,
    #[serde(default)]
    data: Map<String, Value>,
}

/// Input of `hang`. No input at all is good as well.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Hang {
    /// A file whose appearance ends it, in native builds.
    release: Option<String>,
}

/// Input of `exit`.
#[derive(Debug, Deserialize)]
struct Exit {
    code: i32,
}

pub(crate) fn define(definition: Definition<Probe>) -> Definition<Probe> {
    definition
        .action("fail", |_, Json(failure): Json<Failure>, _| fail(failure))
        .describe("{code, message, recoverable, data}: answers with this error")
        .action("panic", |_, message: String, _| panic_with(&message))
        .describe("Panics with the input as its message")
        .action("abort", |_, (), _| -> Result<()> { std::process::abort() })
        .describe("Ends the process by SIGABRT, or traps")
        .action("exit", |_, Json(exit): Json<Exit>, _| -> Result<()> { std::process::exit(exit.code) })
        .describe("{code}: ends the process with this code, or traps")
        .action("recurse", |_, (), _| Ok(Json(recurse(0))))
        .describe("Calls itself until the stack is full")
        .action("hang", |_, Json(hang): Json<Option<Hang>>, context| {
            hang_until(hang.unwrap_or_default().release.as_deref(), context);
            Ok(())
        })
        .describe(
            "{release?}: logs `hanging`, then loops until it is interrupted; native builds also until the file exists",
        )
}

fn fail(failure: Failure) -> Result<()> {
    let mut error = Error::new(failure.code, failure.message);
    if failure.recoverable {
        error = error.recoverable();
    }
    for (key, value) in failure.data {
        error = error.with(&key, value);
    }
    Err(error)
}

#[expect(clippy::panic, reason = "the suite asks for a panic")]
fn panic_with(message: &str) -> Result<()> {
    panic!("{message}");
}

/// No tail call and a frame that cannot be folded away, so that the stack really fills.
#[expect(unconditional_recursion, reason = "that is what the suite asks for")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    recurse(black_box(depth + 1)) + frame.iter().sum::<u64>()
}

/// Loops without ever giving way. The log line lets a test wait for the loop to have begun.
///
/// In native builds the appearance of the file `release` ends it: inside the host's process nothing else can.
pub(crate) fn hang_until(release: Option<&str>, context: &Context<'_>) {
    context.info("hanging");
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
        #[cfg(not(target_family = "wasm"))]
        if let Some(file) = release {
            if std::path::Path::new(file).exists() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        #[cfg(target_family = "wasm")]
        let _ = release;
    }
}
