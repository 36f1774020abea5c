//! Input that no action expects.

use midplane_contract::{Code, Error};

use super::{CALL, Done, Ground, failed, is_answer};
use crate::suite::excerpt;
use crate::suite::expect::of_error;
use crate::suite::verdict::{FailureKind, Outcome};

/// Bytes of the large inputs.
const LARGE: usize = 1024 * 1024;
/// Lists within lists in the nested one: more than any stack of a careless parser holds.
const NESTED: usize = 200_000;

fn inputs() -> [(&'static str, Vec<u8>); 4] {
    let garbage = b"\xff\xfe\x00\x80{]\"\\u12 \xc3\x28 %s%n ../../ \r\n\x1b[2J\x00\xf5".to_vec();
    let large = [b"\"".as_slice(), &vec![b'x'; LARGE - 2], b"\""].concat();
    [("no bytes", Vec::new()), ("garbage", garbage), ("1 MiB", large), ("nested JSON", vec![b'['; NESTED])]
}

/// An error is a good answer. What panics or traps has to answer again; what hangs or dies has failed.
pub(super) fn odd(ground: &mut Ground<'_>, action: &str) -> Done {
    ground.fresh()?;
    let mut notes = Vec::new();
    for (what, input) in inputs() {
        let answer = ground.stage.call(None, action, input, CALL);
        if let Err(error) = answer {
            notes.extend(weigh(what, &error)?);
        }
        ground.alive().map_err(|outcome| after(what, outcome))?;
    }
    // One of them may have broken what only the next call shows.
    if let Err(error) = ground.stage.call(None, action, Vec::new(), CALL) {
        weigh("no bytes once more", &error).map(drop)?;
    }
    Ok(notes)
}

fn weigh(what: &str, error: &Error) -> Result<Option<String>, Outcome> {
    match error.code() {
        Code::Panicked | Code::Trapped | Code::MemoryLimit => {
            let message = excerpt::text(&error.record().message);
            Ok(Some(format!("{what}: it {} ({message}); an error of its own tells a caller more", verb(error.code()))))
        }
        Code::DeadlineExceeded => {
            let reason = format!("{what}: no answer within its time: {}", excerpt::text(&error.record().message));
            Err(failed(FailureKind::Timeout, reason))
        }
        _ if is_answer(error) => Ok(None),
        _ => Err(Outcome::Failed(of_error(error).in_part(what))),
    }
}

fn verb(code: Code) -> &'static str {
    match code {
        Code::Panicked => "panics",
        Code::Trapped => "traps",
        _ => "reaches its memory limit",
    }
}

fn after(what: &str, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Failed(failure) => Outcome::Failed(failure.in_part(what)),
        other => other,
    }
}
