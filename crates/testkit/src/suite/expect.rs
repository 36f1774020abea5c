//! Comparing what came with what was expected.

use midplane_contract::manifest::cases::{Demanded, Expectation, ExpectedError};
use midplane_contract::{Code, Error, Kind};
use serde_json::Value;

use super::compare::{Extent, compare};
use super::excerpt;
use super::files::{self, Folder};
use super::verdict::{Failure, FailureKind};

/// Steps back that a regular expression of a schema may take on one text.
const BACKTRACKS: usize = 100_000;

/// Judges an answer; without an expectation anything but an error is right.
pub(super) fn judge(
    expected: Option<&Expectation>,
    answer: &Result<Vec<u8>, Error>,
    folder: &Folder,
) -> Result<(), Box<Failure>> {
    match (expected, answer) {
        (None, Ok(_)) => Ok(()),
        (None | Some(Expectation::Reply(_)), Err(error)) => Err(of_error(error)),
        (Some(Expectation::Error(wanted)), Err(error)) => expected_error(wanted, error),
        (Some(Expectation::Error(wanted)), Ok(reply)) => {
            let reason = "it answers where an error is expected";
            Err(Failure::new(FailureKind::WrongAnswer, reason).instead(describe(wanted), excerpt::bytes(reply)))
        }
        (Some(Expectation::Reply(demands)), Ok(reply)) => demands.iter().try_for_each(|demand| {
            met(&demand.demanded, reply, folder).map_err(|failure| failure.at(demand.spot.line()))
        }),
    }
}

/// What an error means where none was expected.
pub(super) fn of_error(error: &Error) -> Box<Failure> {
    let record = error.record();
    let own = own_code(error).map(|own| format!(" (its own code is `{own}`)")).unwrap_or_default();
    let causes = if record.cause.is_empty() { String::new() } else { format!("; cause: {}", record.cause.join(", ")) };
    let (kind, what) = match record.code {
        Code::DeadlineExceeded => (FailureKind::Timeout, "no answer came in time: "),
        Code::Crashed | Code::PeerGone => (FailureKind::Crash, "its process ended: "),
        Code::Panicked => (FailureKind::Crash, "it panicked: "),
        Code::Trapped => (FailureKind::Crash, "it trapped: "),
        Code::MemoryLimit => (FailureKind::Crash, "it reached its memory limit: "),
        // It is the host that says so: there is nothing yet that could answer.
        _ if matches!(record.kind, Kind::Load | Kind::Manifest | Kind::Dependency) => (FailureKind::Error, ""),
        _ => (FailureKind::Error, "it answers with an error: "),
    };
    let code = match record.code {
        Code::Crashed | Code::Panicked | Code::Trapped => String::new(),
        code => format!("{code}: "),
    };
    let reason = excerpt::text(&format!("{what}{code}{}{own}{causes}", record.message));
    let failure = Failure::new(kind, reason);
    match &record.remedy {
        Some(remedy) => failure.remedy(excerpt::text(remedy)),
        None => failure,
    }
}

/// The code that the plugin itself gave.
fn own_code(error: &Error) -> Option<&str> {
    let record = error.record();
    record.data.get("code").and_then(Value::as_str).filter(|_| record.code == Code::PluginError)
}

fn describe(wanted: &ExpectedError) -> String {
    let code = wanted.code.as_deref().map_or("any error".to_owned(), |code| format!("the error `{code}`"));
    match wanted.message.as_slice() {
        [] => code,
        parts => format!(
            "{code} with {} in its message",
            parts.iter().map(|part| format!("`{part}`")).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// Whether an error is the one that was expected.
pub(super) fn expected_error(wanted: &ExpectedError, error: &Error) -> Result<(), Box<Failure>> {
    let record = error.record();
    let codes = [Some(record.code.as_str()), own_code(error)];
    let code_fits = wanted.code.as_deref().is_none_or(|code| codes.contains(&Some(code)));
    let told = || std::iter::once(&record.message).chain(&record.cause);
    let says = |part: &String| told().any(|text| text.contains(part.as_str()));
    if code_fits && wanted.message.iter().all(says) {
        return Ok(());
    }
    let own = own_code(error).map(|own| format!(" / {own}")).unwrap_or_default();
    let got = excerpt::text(&format!("{}{own}: {}", record.code, record.message));
    let failure = of_error(error);
    let kind = if failure.kind == FailureKind::Error { FailureKind::WrongAnswer } else { failure.kind };
    Err(Failure::new(kind, "another error came than the one expected").instead(describe(wanted), got))
}

fn met(demanded: &Demanded, reply: &[u8], folder: &Folder) -> Result<(), Box<Failure>> {
    match demanded {
        Demanded::Json(value) => same_json(value, reply, Extent::Exact),
        Demanded::Subset(value) => same_json(value, reply, Extent::Subset),
        Demanded::Text(text) => same_text(text, reply),
        Demanded::Base64(text) => same_bytes(&files::decode(text).unwrap_or_default(), reply),
        Demanded::File(path) => {
            let content = folder.content(path).map_err(|error| of_error(&error))?;
            match std::str::from_utf8(&content) {
                Ok(text) => same_text(text, reply),
                Err(_) => same_bytes(&content, reply),
            }
        }
        Demanded::Contains(parts) => contains(parts, reply),
        Demanded::Schema(value) => fits(value, reply),
        Demanded::Empty(empty) if reply.is_empty() == *empty => Ok(()),
        Demanded::Empty(empty) => {
            let wanted = if *empty { "nothing" } else { "a reply with bytes in it" };
            Err(wrong("the reply is not as empty as expected").instead(wanted, excerpt::bytes(reply)))
        }
    }
}

fn wrong(reason: impl Into<String>) -> Box<Failure> {
    Failure::new(FailureKind::WrongAnswer, reason)
}

fn parsed(reply: &[u8]) -> Result<Value, Box<Failure>> {
    serde_json::from_slice(reply)
        .map_err(|error| wrong(format!("the reply is not JSON: {error}")).instead("JSON", excerpt::bytes(reply)))
}

fn same_json(expected: &Value, reply: &[u8], extent: Extent) -> Result<(), Box<Failure>> {
    let got = parsed(reply)?;
    let Some(difference) = compare(expected, &got, extent) else { return Ok(()) };
    let place = if difference.path.is_empty() { "as a whole".to_owned() } else { format!("at {}", difference.path) };
    let shown = |value: Option<&Value>| value.map_or("nothing".to_owned(), excerpt::json);
    let failure = wrong(format!("the reply is another value {place}"));
    let failure = failure.instead(shown(difference.expected), shown(difference.got));
    Err(if difference.path.is_empty() {
        failure
    } else {
        failure.remedy(format!("the whole reply is {}", excerpt::json(&got)))
    })
}

fn same_text(expected: &str, reply: &[u8]) -> Result<(), Box<Failure>> {
    let Ok(got) = std::str::from_utf8(reply) else {
        return Err(wrong("the reply is not UTF-8 text").instead(excerpt::text(expected), excerpt::bytes(reply)));
    };
    if expected == got {
        return Ok(());
    }
    let (wanted, came, line, column) = excerpt::difference(expected, got);
    Err(wrong(format!("the reply is another text from line {line}, column {column} on")).instead(wanted, came))
}

fn same_bytes(expected: &[u8], reply: &[u8]) -> Result<(), Box<Failure>> {
    if expected == reply {
        return Ok(());
    }
    let at = expected.iter().zip(reply).take_while(|(a, b)| a == b).count();
    let from = |bytes: &[u8]| match bytes.get(at..).unwrap_or_default() {
        [] => format!("{} bytes in all", bytes.len()),
        rest => excerpt::bytes(rest),
    };
    let reason =
        format!("the reply has {} bytes and differs from byte {at} on, of {} expected", reply.len(), expected.len());
    Err(wrong(reason).instead(from(expected), from(reply)))
}

fn contains(parts: &[String], reply: &[u8]) -> Result<(), Box<Failure>> {
    let text = String::from_utf8_lossy(reply);
    match parts.iter().find(|part| !text.contains(part.as_str())) {
        None => Ok(()),
        Some(part) => {
            Err(wrong("the reply does not contain a text").instead(excerpt::text(part), excerpt::bytes(reply)))
        }
    }
}

/// A schema that replies are checked against. Nothing is fetched for it.
pub(super) fn schema(schema: &Value) -> Result<jsonschema::Validator, String> {
    jsonschema::options()
        .offline()
        .with_pattern_options(jsonschema::PatternOptions::fancy_regex().backtrack_limit(BACKTRACKS))
        .build(schema)
        .map_err(|error| excerpt::text(&error.to_string()))
}

fn fits(value: &Value, reply: &[u8]) -> Result<(), Box<Failure>> {
    let got = parsed(reply)?;
    let validator = schema(value).map_err(|why| wrong(format!("the schema cannot be used: {why}")))?;
    let faults: Vec<String> = validator
        .iter_errors(&got)
        .take(5)
        .map(|error| format!("{}: {}", error.instance_path().as_str(), excerpt::text(&error.to_string())))
        .collect();
    match faults.is_empty() {
        true => Ok(()),
        false => Err(wrong("the reply does not fit the schema").instead(faults.join("\n"), excerpt::json(&got))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_once_what_happened_and_whose_word_it_is() {
        let reason = |code, message: &str| of_error(&Error::new(code, message)).reason;
        assert_eq!(reason(Code::Crashed, "the worker died"), "its process ended: the worker died");
        assert_eq!(
            reason(Code::NotAPlugin, "plugin.js:6:32: SyntaxError"),
            "not_a_plugin: plugin.js:6:32: SyntaxError"
        );
        assert_eq!(reason(Code::PluginError, "no milk"), "it answers with an error: plugin_error: no milk");
    }
}
