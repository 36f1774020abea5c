//! How long loading, the first call and unloading take.

use std::time::{Duration, Instant};

use midplane_contract::{Code, PluginId, Result};
use midplane_kernel::{CallOptions, Kernel, block_on};
use serde::Serialize;

use super::checks::is_answer;
use super::stage::Stage;
use super::{Suite, plan};

/// Longest time for a call.
const CALL: Duration = Duration::from_secs(30);

/// How long each took, over all rounds.
#[derive(Debug, Clone, Serialize)]
pub struct Bench {
    /// The plugin's id.
    pub plugin: String,
    /// Runtime and placement.
    pub runtime: String,
    /// How many rounds there were, after one that is not counted.
    pub rounds: usize,
    /// The action that was called; `None` when there is none, and nothing was called.
    pub action: Option<String>,
    /// From the request to a started plugin.
    pub load: Spread,
    /// The first call after that.
    pub first_call: Spread,
    /// From the request until nothing is loaded.
    pub unload: Spread,
}

/// The least, the middle and the most of several times, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spread {
    /// The shortest.
    pub min_ms: f64,
    /// Half of them were not longer.
    pub median_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

impl Spread {
    /// Of these times.
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        let millis = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e3);
        let median = times.get(times.len().saturating_sub(1) / 2);
        Self { min_ms: millis(times.first()), median_ms: millis(median), max_ms: millis(times.last()) }
    }
}

impl Bench {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let line = |name: &str, spread: &Spread| {
            format!("{name:<12}{:>12.3}{:>12.3}{:>12.3}\n", spread.min_ms, spread.median_ms, spread.max_ms)
        };
        let mut text = format!("{} ({}), {} rounds\n", self.plugin, self.runtime, self.rounds);
        text.push_str(&format!("{:<12}{:>12}{:>12}{:>12}\n", "ms", "min", "median", "max"));
        text.push_str(&line("load", &self.load));
        if let Some(action) = &self.action {
            text.push_str(&line("first call", &self.first_call).replace('\n', &format!("  {action}\n")));
        }
        text.push_str(&line("unload", &self.unload));
        text
    }
}

/// Runs the rounds.
pub(super) fn run(suite: &Suite, rounds: usize) -> Result<Bench> {
    let mut plan = plan::make(suite)?;
    let config = plan.basis();
    let sample = plan.sample(&config).map(|sample| (sample.action, sample.input));
    let stage = &mut plan.stage;
    stage.fresh(&config)?;
    let generation = stage.status()?.generation;
    let runtime = generation.as_ref().map(|loaded| loaded.runtime.clone()).unwrap_or_default();
    let call = sample.or_else(|| generation?.actions.first().map(|action| (action.clone(), Vec::new())));
    let (mut load, mut first, mut unload) = (Vec::new(), Vec::new(), Vec::new());
    // The first round is of another kind: code is compiled, files come from the disk.
    for _ in 0..=rounds {
        unload.push(timed(stage, |kernel, id| block_on(kernel.unload(id)))?);
        load.push(timed(stage, |kernel, id| block_on(kernel.load(id)))?);
        if let Some((action, input)) = call.clone() {
            first.push(timed(stage, move |kernel, id| {
                let action = kernel.action(&format!("{id}/{action}"))?;
                alive(block_on(action.call_with(input, CallOptions::within(CALL))))
            })?);
        }
    }
    let spread = |mut times: Vec<Duration>| Spread::of(times.split_off(1.min(times.len())));
    let (plugin, action) = (stage.id().to_string(), call.map(|(action, _)| action));
    let (load, first_call, unload) = (spread(load), spread(first), spread(unload));
    Ok(Bench { plugin, runtime, rounds, action, load, first_call, unload })
}

fn timed(stage: &mut Stage, work: impl FnOnce(&Kernel, &PluginId) -> Result<()> + Send + 'static) -> Result<Duration> {
    stage.operate("a round", CALL * 6, move |kernel, id| {
        let begun = Instant::now();
        work(&kernel, &id).map(|()| begun.elapsed())
    })
}

/// An error that the action answers is an answer, and a panic that its runtime survives takes its time as well.
fn alive(answer: Result<Vec<u8>>) -> Result<()> {
    match answer {
        Err(error) if !is_answer(&error) && !matches!(error.code(), Code::Panicked | Code::Trapped) => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_the_middle() {
        let of = |millis: &[u64]| Spread::of(millis.iter().map(|ms| Duration::from_millis(*ms)).collect());
        assert_eq!(of(&[5, 1, 3]), Spread { min_ms: 1.0, median_ms: 3.0, max_ms: 5.0 });
        assert_eq!(of(&[2, 1]), Spread { min_ms: 1.0, median_ms: 1.0, max_ms: 2.0 });
        assert_eq!(of(&[]), Spread::default());
    }
}
