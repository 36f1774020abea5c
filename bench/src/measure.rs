//! Measuring two things in turn, so that both see the same weather.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::Result;
use midplane::Action;
use serde::Serialize;

use crate::target::Target;

/// How much time a row may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// Rounds of raw and ours in turn.
    pub rounds: usize,
    /// Time that each half of a round should take.
    pub half: Duration,
}

impl Effort {
    /// For a verdict.
    pub(crate) const FULL: Self = Self { rounds: 41, half: Duration::from_millis(25) };
    /// For a first look.
    pub(crate) const QUICK: Self = Self { rounds: 11, half: Duration::from_millis(10) };
}

/// One of the two sides: does its thing so many times, and says how long that took without what does not count.
pub(crate) type Side<'a> = dyn FnMut(u64) -> Result<Duration> + 'a;

/// One of the two sides where all that it does counts.
pub(crate) type Work<'a> = dyn FnMut(u64) -> Result<()> + 'a;

/// A measured row.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measured {
    /// What was measured.
    pub row: &'static str,
    /// Nanoseconds of the raw limit, median of the rounds.
    pub raw: f64,
    /// Nanoseconds of ours.
    pub ours: f64,
    /// Ours against raw, in the target's measure: median over the rounds.
    pub reached: f64,
    /// What it has to reach.
    pub target: Target,
    /// Whether it does; `None` where nothing is asked for.
    pub met: Option<bool>,
    /// Distance between the quartiles of `reached`, in the target's measure.
    pub spread: f64,
    /// Repetitions in all, of each side.
    pub n: u64,
    /// Where the target comes from, and what raw is.
    pub note: &'static str,
}

/// Measures both sides in turn, wholly, and judges. Every repetition of ours is burdened with the handicap.
pub(crate) fn in_turn(
    row: &'static str,
    note: &'static str,
    target: Target,
    effort: Effort,
    (raw, ours): (&mut Work<'_>, &mut Work<'_>),
) -> Result<Measured> {
    let mut raw = |times| timed(|| raw(times));
    let mut ours = |times| timed(|| ours(times));
    in_turn_by_themselves(row, note, target, effort, (&mut raw, &mut ours))
}

/// How long something takes.
pub(crate) fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let started = Instant::now();
    work().map(|()| started.elapsed())
}

/// The same for sides that measure themselves.
pub(crate) fn in_turn_by_themselves(
    row: &'static str,
    note: &'static str,
    target: Target,
    effort: Effort,
    (raw, ours): (&mut Side<'_>, &mut Side<'_>),
) -> Result<Measured> {
    let repeat_raw = calibrate(raw, effort.half)?;
    let repeat_ours = calibrate(ours, effort.half)?;
    let (mut raws, mut our, mut reached) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        let raw = once(raw, repeat_raw)?;
        let ours = once(ours, repeat_ours)?;
        reached.push(target.reached(raw, ours));
        raws.push(raw);
        our.push(ours);
    }
    let middle = quantile(&mut reached, 0.5);
    let ours = quantile(&mut our, 0.5);
    Ok(Measured {
        row,
        raw: quantile(&mut raws, 0.5),
        ours,
        reached: middle,
        target,
        met: target.is_met_by(middle, ours),
        spread: quantile(&mut reached, 0.75) - quantile(&mut reached, 0.25),
        n: repeat_ours.saturating_mul(effort.rounds as u64),
        note,
    })
}

/// How many repetitions take about so long. Also warms up.
fn calibrate(side: &mut Side<'_>, time: Duration) -> Result<u64> {
    let mut repeat = 1;
    loop {
        let took = side(repeat)?;
        if took >= time / 4 {
            let wanted = time.as_secs_f64() / took.as_secs_f64() * repeat as f64;
            return Ok((wanted as u64).max(1));
        }
        repeat = repeat.saturating_mul(4);
    }
}

fn once(side: &mut Side<'_>, repeat: u64) -> Result<f64> {
    Ok(side(repeat)?.as_nanos() as f64 / repeat as f64)
}

fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    let at = (last as f64 * share).round() as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}

/// Calls an action so many times, each time into the same buffer.
pub(crate) fn inline(action: &Action, input: &[u8], reply: &mut Vec<u8>, times: u64, handicap: Duration) -> Result<()> {
    for _ in 0..times {
        reply.clear();
        spin(handicap);
        action.call_inline(black_box(input), black_box(reply))?;
    }
    Ok(())
}

/// How long it takes to make something so many times; taking it down again does not count.
pub(crate) fn made<T>(times: u64, mut make: impl FnMut() -> Result<T>) -> Result<Duration> {
    let mut took = Duration::ZERO;
    for _ in 0..times {
        let started = Instant::now();
        let made = make()?;
        took += started.elapsed();
        drop(made);
    }
    Ok(took)
}

/// Waits so long without giving the processor away.
pub(crate) fn spin(time: Duration) {
    if time.is_zero() {
        return;
    }
    let started = Instant::now();
    while started.elapsed() < time {
        std::hint::spin_loop();
    }
}
