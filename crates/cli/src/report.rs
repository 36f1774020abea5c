//! Errors, for people on stderr and for programs on stdout.

mod finding;
mod shown;
mod snippet;

use midplane::contract::manifest::Fault;
use midplane::{Code, Error};
use serde_json::{Value, json};

use crate::exit::{Exit, Stop};
use crate::notice;
use crate::output::Output;

pub(crate) use finding::Finding;
use shown::Shown;
pub(crate) use snippet::Source;

/// Shows why a command stopped, and says how the process ends. With `--output json` the document on stdout is
/// `{"error": …}`, for an interruption too; a reader that is gone gets nothing and is no fault.
pub(crate) fn stop(stop: Stop, output: Output) -> Exit {
    match stop {
        Stop::ReaderGone => Exit::Done,
        Stop::Interrupted if output.is_json() => {
            failed(&Error::new(Code::Cancelled, "interrupted"), Exit::Interrupted, output)
        }
        Stop::Interrupted => Exit::Interrupted,
        Stop::Failed(error, exit) => failed(&error, exit, output),
    }
}

fn failed(error: &Error, exit: Exit, output: Output) -> Exit {
    if !output.is_json() {
        people(error);
        return exit;
    }
    match output.json(&json!({ "error": program(error) })) {
        Ok(()) | Err(Stop::ReaderGone | Stop::Interrupted) => exit,
        Err(Stop::Failed(unwritten, _)) => {
            people(error);
            people(&unwritten);
            exit
        }
    }
}

/// An error as JSON shows it.
pub(crate) fn program(error: &Error) -> Value {
    error.to_json()
}

/// Shows an error to people: each fault of a manifest or of case files in its source, anything else as one report.
pub(crate) fn people(error: &Error) {
    let data = &error.record().data;
    let several = data.get("files").and_then(Value::as_array);
    let files: Vec<(Source, Vec<Fault>)> = match several {
        Some(files) => files.iter().filter_map(faulty).collect(),
        None => faulty(&Value::Object(data.clone())).into_iter().collect(),
    };
    if files.is_empty() {
        return Shown::of(error).print();
    }
    for (source, faults) in files {
        faults.iter().for_each(|fault| Finding::of_fault(fault, &source).print(&source));
    }
}

/// A file and its faults, and the file's text to show them in.
fn faulty(said: &Value) -> Option<(Source, Vec<Fault>)> {
    let file = said.get("file")?.as_str()?;
    let faults: Vec<Fault> = serde_json::from_value(said.get("faults")?.clone()).ok()?;
    (!faults.is_empty()).then(|| (Source::of(file, &faults), faults))
}

/// One line for a list of several.
pub(crate) fn line(error: &Error) -> String {
    let message = error.record().message.lines().next().unwrap_or_default();
    notice::tidy(&format!("{}: {message}", error.code()))
}
