//! Stopping, reloading, unloading, and all of it many times.

use std::time::{Duration, Instant};

use midplane_contract::manifest::Reload;
use midplane_contract::{Code, State};
use midplane_kernel::block_on;

use super::{ASK, CALL, Done, Effort, Ground, Outcome, failed, is_answer, skip};
use crate::suite::verdict::FailureKind;
use crate::waiting::eventually_within;
use crate::{memory, process};

/// Bytes that the process may grow by.
const GROWTH: i64 = 10_000_000;
/// Time for what a process leaves behind to go.
const GONE: Duration = Duration::from_secs(10);
/// Time that a round of loads should take, where the numbers are not the requirement's.
const BUDGET: Duration = Duration::from_secs(8);

pub(super) fn stop_start(ground: &mut Ground<'_>) -> Done {
    ground.fresh()?;
    let action = ground.actions().into_iter().next();
    ground.stage.operate("stopping", ASK, |kernel, id| block_on(kernel.stop(&id)))?;
    expect_state(ground, State::Stopped, "a stop")?;
    if let Some(action) = action {
        refused(ground, &action, Code::NotRunning)?;
    }
    ground.stage.operate("starting", ASK, |kernel, id| block_on(kernel.start(&id)))?;
    expect_state(ground, State::Running, "a start")?;
    ground.alive()?;
    Ok(Vec::new())
}

fn expect_state(ground: &Ground<'_>, wanted: State, after: &str) -> Result<(), Outcome> {
    let state = ground.stage.status()?.state;
    match state == wanted {
        true => Ok(()),
        false => Err(failed(FailureKind::Lifecycle, format!("it is {state} after {after}, not {wanted}"))),
    }
}

fn refused(ground: &mut Ground<'_>, action: &str, wanted: Code) -> Result<(), Outcome> {
    match ground.stage.call(None, action, Vec::new(), CALL) {
        Err(error) if error.code() == wanted => Ok(()),
        Err(error) => Err(failed(FailureKind::Lifecycle, format!("a call gives {}, not {wanted}", error.code()))),
        Ok(_) => Err(failed(FailureKind::Lifecycle, format!("a call is answered, and should give {wanted}"))),
    }
}

pub(super) fn reload(ground: &mut Ground<'_>) -> Done {
    if ground.manifest.reload == Reload::Never {
        return Err(skip("its manifest says `reload: never`"));
    }
    ground.fresh()?;
    let number = |ground: &Ground<'_>| ground.stage.status().ok()?.generation.map(|generation| generation.number);
    let before = number(ground);
    ground.stage.operate("reloading", ASK * 3, |kernel, id| block_on(kernel.reload(&id)))?;
    let after = number(ground);
    if after <= before {
        return Err(failed(FailureKind::Lifecycle, format!("generation {after:?} follows {before:?}")));
    }
    ground.alive()?;
    Ok(Vec::new())
}

pub(super) fn unload(ground: &mut Ground<'_>) -> Done {
    ground.fresh()?;
    let call = ground.call();
    if let Some(call) = &call {
        // What it answers is for other checks; here it is about what is left behind.
        let _ = ground.stage.call(None, &call.action, call.input.clone(), CALL);
    }
    let generation = ground.stage.status()?.generation;
    let details = generation.as_ref().map(|generation| &generation.details);
    let process = details.and_then(process::of);
    ground.stage.unload()?;
    let status = ground.stage.status()?;
    if status.state != State::Registered || status.generation.is_some() {
        let left = status.generation.map(|left| format!(", with generation {}", left.number)).unwrap_or_default();
        return Err(failed(FailureKind::Leak, format!("it is {} after unloading{left}", status.state)));
    }
    if let Some(call) = call {
        refused(ground, &call.action, Code::NotLoaded)?;
    }
    if let Some(process) = process
        && !eventually_within(GONE, || !process::exists(process))
    {
        return Err(failed(FailureKind::Leak, format!("its process {process} still lives")));
    }
    ground.fresh()?;
    ground.alive()?;
    let stays = generation.and_then(|generation| generation.stays_loaded);
    Ok(stays.map(|why| format!("its code stays in memory: {why}")).into_iter().collect())
}

/// A leak grows every time; what allocators keep grows once, and what they kept from before hides a leak only at first.
/// Whatever else the process does meanwhile shows as well: one round in which it does not grow is enough.
pub(super) fn cycles(ground: &mut Ground<'_>) -> Done {
    const ROUNDS: usize = 4;
    ground.fresh()?;
    let begun = Instant::now();
    cycle(ground)?;
    let times = times(ground.effort, begun.elapsed());
    let warm_up = if ground.effort == Effort::Full { 50 } else { times };
    for _ in 0..warm_up {
        cycle(ground)?;
    }
    if memory::resident().is_none() {
        return Ok(vec![format!("{} loads; this system does not say how much memory is in use", times + warm_up)]);
    }
    let mut leak = String::new();
    for _ in 0..ROUNDS {
        let (memory, files) = (memory::resident(), open_files());
        for _ in 0..times {
            cycle(ground)?;
        }
        let (memory, files) = (signed(memory, memory::resident()), open_files().zip(files));
        let files = files.map_or(0, |(after, before)| after.saturating_sub(before));
        if memory < GROWTH && files < times.div_ceil(2).max(3) {
            return Ok(vec![format!("{times} loads changed the memory in use by {:+} kB", memory / 1000)]);
        }
        leak = format!("{times} loads made the process grow by {} kB and left {files} files open", memory / 1000);
    }
    Err(failed(FailureKind::Leak, format!("{leak}, in each of {ROUNDS} rounds")))
}

fn times(effort: Effort, each: Duration) -> usize {
    let most: usize = match effort {
        Effort::Quick => 3,
        Effort::Usual => 30,
        Effort::Full => return 1000,
    };
    let affordable = BUDGET.as_nanos() / each.as_nanos().max(1);
    usize::try_from(affordable).unwrap_or(usize::MAX).clamp(2, most)
}

/// Unloads and loads, and calls once.
fn cycle(ground: &mut Ground<'_>) -> Result<(), Outcome> {
    ground.stage.unload()?;
    ground.fresh()?;
    let Some(call) = ground.call() else { return Ok(()) };
    match ground.stage.call(None, &call.action, call.input, CALL) {
        Err(error) if ground.sample.is_some() || !is_answer(&error) => Err(error.into()),
        _ => Ok(()),
    }
}

/// Less is less: a process that shrinks does not leak.
fn signed(before: Option<u64>, after: Option<u64>) -> i64 {
    let whole = |bytes: Option<u64>| i64::try_from(bytes.unwrap_or_default()).unwrap_or(i64::MAX);
    whole(after) - whole(before)
}

fn open_files() -> Option<usize> {
    std::fs::read_dir("/proc/self/fd").ok().map(Iterator::count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrinking_is_no_leak() {
        assert_eq!(signed(Some(30_000_000), Some(10_000_000)), -20_000_000);
        assert!(signed(Some(30_000_000), Some(10_000_000)) < GROWTH);
        assert_eq!(signed(None, None), 0);
    }

    #[test]
    fn the_number_of_loads_follows_effort_and_speed() {
        let of = |effort, millis| times(effort, Duration::from_millis(millis));
        assert_eq!((of(Effort::Quick, 1), of(Effort::Usual, 1), of(Effort::Full, 9999)), (3, 30, 1000));
        assert_eq!((of(Effort::Usual, 800), of(Effort::Usual, 60_000)), (10, 2));
    }
}
