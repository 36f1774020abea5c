//! The host that a plugin on a test bench sees.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::Asked;
use crate::backend::Backend;
use crate::{Error, Result};

/// Most random bytes in one request, as in a host.
const RANDOM: u64 = 65_536;

pub(super) type Answer = Box<dyn Fn(&Asked) -> Option<Result<Vec<u8>>>>;

/// Answers with what the test says, and without it what needs no other plugin and no operator.
pub(super) struct BenchHost {
    pub(super) asked: RefCell<Vec<Asked>>,
    pub(super) answers: Vec<Answer>,
    pub(super) config: Value,
    state: RefCell<BTreeMap<String, Vec<u8>>>,
    since: Instant,
}

impl BenchHost {
    pub(super) fn new() -> Self {
        Self {
            asked: RefCell::default(),
            answers: Vec::new(),
            config: json!({}),
            state: RefCell::default(),
            since: Instant::now(),
        }
    }

    fn built_in(&self, asked: &Asked) -> Result<Vec<u8>> {
        match asked.function.as_str() {
            "log" | "bus.publish" | "bus.subscribe" | "bus.unsubscribe" => Ok(Vec::new()),
            "metrics.count" | "metrics.gauge" | "metrics.observe" => Ok(Vec::new()),
            "config.get" => Ok(match asked.text("key") {
                Some(key) => self.config.get(key).unwrap_or(&Value::Null).to_string().into_bytes(),
                None => self.config.to_string().into_bytes(),
            }),
            "time.now" => Ok(json!(written(SystemTime::now())).to_string().into_bytes()),
            "time.monotonic" => Ok(self.since.elapsed().as_nanos().to_string().into_bytes()),
            "random" => random(asked.args.get("bytes").and_then(Value::as_u64).unwrap_or(0)),
            function => self.stored(function, asked),
        }
    }

    /// State in memory. Times to live end nothing here.
    fn stored(&self, function: &str, asked: &Asked) -> Result<Vec<u8>> {
        let mut state = self.state.borrow_mut();
        let key = asked.text("key").unwrap_or_default();
        match function {
            "state.get" => state
                .get(key)
                .cloned()
                .ok_or_else(|| Error::new("key_not_found", format!("the state has no value for {key}"))),
            "state.set" => {
                state.insert(key.to_owned(), asked.payload.clone());
                Ok(Vec::new())
            }
            "state.compare_and_set" => {
                let fits = state.get(key).map(Vec::as_slice) == asked.text("expected").map(str::as_bytes);
                if fits {
                    state.insert(key.to_owned(), asked.payload.clone());
                }
                Ok(fits.to_string().into_bytes())
            }
            "state.delete" => {
                state.remove(key);
                Ok(Vec::new())
            }
            "state.list" => {
                let prefix = asked.text("prefix").unwrap_or_default();
                let keys: Vec<_> = state.keys().filter(|key| key.starts_with(prefix)).collect();
                Ok(json!(keys).to_string().into_bytes())
            }
            _ => Err(Error::new("not_supported", format!("the test bench has no answer to {function}"))),
        }
    }
}

impl Backend for BenchHost {
    fn host(&self, function: &str, args: &str, payload: &[u8]) -> Result<Vec<u8>> {
        let args = if args.is_empty() { "{}" } else { args };
        let asked =
            Asked { function: function.to_owned(), args: serde_json::from_str(args)?, payload: payload.to_vec() };
        let answer = self.answers.iter().rev().find_map(|answer| answer(&asked));
        let answer = answer.unwrap_or_else(|| self.built_in(&asked));
        self.asked.borrow_mut().push(asked);
        answer
    }
}

fn random(bytes: u64) -> Result<Vec<u8>> {
    if bytes > RANDOM {
        return Err(Error::new("limit_exceeded", format!("at most {RANDOM} random bytes at once")));
    }
    // Each of these states is another one.
    let words = std::iter::repeat_with(|| RandomState::new().hash_one(0).to_le_bytes());
    Ok(words.flatten().take(usize::try_from(bytes).unwrap_or(0)).collect())
}

/// A time in RFC 3339, to the nanosecond. The calendar is Howard Hinnant's `civil_from_days`.
fn written(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let (days, seconds) = (since.as_secs() / 86_400 + 719_468, since.as_secs() % 86_400);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{:09}Z", since.subsec_nanos())
}
