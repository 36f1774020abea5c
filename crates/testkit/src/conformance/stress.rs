//! Many at once, and many in a row.

use std::thread;

use midplane_kernel::block_on;

use super::site::{Site, told};
use super::{Outcome, ensure};
use crate::memory;

pub(super) fn concurrent(site: &Site<'_>) -> Outcome {
    let id = site.load("busy")?;
    calls_from(site, &id, 64, 10)
}

pub(super) fn many_calls(site: &Site<'_>) -> Outcome {
    let id = site.load("busier")?;
    let before = memory::resident();
    calls_from(site, &id, 100, if site.subject.full() { 1_000 } else { 20 })?;
    let counts = site.kernel.slot(&id).map_err(told)?.counts();
    let expected = if site.subject.full() { 100_000 } else { 2_000 };
    ensure!((counts.calls, counts.errors) == (expected, 0), "{expected} calls are counted as {counts:?}");
    grown(before, 64)
}

/// So many tasks at once, each with so many calls of its own, half of them on the caller's thread.
fn calls_from(site: &Site<'_>, id: &midplane_contract::PluginId, tasks: usize, calls: usize) -> Outcome {
    let action = site.action(id, "echo")?;
    thread::scope(|scope| {
        let task = |number: usize| {
            let action = action.clone();
            move || -> Outcome {
                for call in 0..calls {
                    let input = format!("task {number}, call {call}").into_bytes();
                    let reply = if number.is_multiple_of(2) {
                        block_on(action.call(input.clone())).map_err(told)?
                    } else {
                        let mut reply = Vec::new();
                        action.call_inline(&input, &mut reply).map_err(told)?;
                        reply
                    };
                    ensure!(reply == input, "task {number}, call {call} got {}", String::from_utf8_lossy(&reply));
                }
                Ok(())
            }
        };
        let tasks: Vec<_> = (0..tasks).map(|number| scope.spawn(task(number))).collect();
        tasks.into_iter().try_for_each(|task| task.join().map_err(|_| "a task panicked".to_owned())?)
    })
}

/// Loads and unloads in a row: the process must not grow by 10 MB. A leak grows every time; what the allocator keeps for
/// another thread grows once, and memory that it kept from before hides a leak only at first.
pub(super) fn cycles(site: &Site<'_>) -> Outcome {
    let id = site.register("cycled", site.subject.policy())?;
    let times = if site.subject.full() { 1_000 } else { 60 };
    let cycle = || -> Outcome {
        for _ in 0..times {
            block_on(site.kernel.load(&id)).map_err(told)?;
            site.call(&id, "echo", "x").map_err(told)?;
            block_on(site.kernel.unload(&id)).map_err(told)?;
        }
        Ok(())
    };
    let mut weighed = Err(String::new());
    for round in 0..4 {
        let before = memory::resident();
        cycle()?;
        weighed = grown(before, 10);
        if round > 0 && weighed.is_ok() {
            break;
        }
    }
    weighed
}

fn grown(before: Option<u64>, most: u64) -> Outcome {
    const MB: u64 = 1_000_000;
    let (Some(before), Some(after)) = (before, memory::resident()) else { return Ok(()) };
    let grown = after.saturating_sub(before);
    ensure!(grown < most * MB, "the process grew by {} kB, more than {most} MB", grown / 1000);
    Ok(())
}
