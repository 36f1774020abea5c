//! Many calls at once.

use std::thread;
use std::time::{Duration, Instant};

use midplane_contract::Error;
use midplane_kernel::{Action, CallOptions, block_on};

use super::{Done, Effort, Ground, Sample, is_answer, skip};
use crate::suite::expect::{judge, of_error};
use crate::suite::files::Folder;
use crate::suite::verdict::{Failure, Outcome};

/// Longest time for one of the calls, waiting included.
const CALL: Duration = Duration::from_secs(30);
/// Time that all calls together should take, where the plugin is slow and the numbers are not the requirement's.
const BUDGET: Duration = Duration::from_secs(10);
/// Longest time for all of them.
const ALL: Duration = Duration::from_secs(1800);

/// From so many tasks so many calls each.
#[derive(Debug, PartialEq, Eq)]
struct Load {
    tasks: usize,
    calls: usize,
}

impl Load {
    /// Fewer for a plugin that takes long for one call, unless everything is asked for.
    fn of(effort: Effort, each: Duration) -> Self {
        let (tasks, calls): (usize, usize) = match effort {
            Effort::Quick => (8, 10),
            Effort::Usual => (50, 20),
            Effort::Full => return Self { tasks: 100, calls: 1000 },
        };
        let affordable = BUDGET.as_nanos() / each.as_nanos().max(1);
        let all = usize::try_from(affordable).unwrap_or(usize::MAX).clamp(4, tasks * calls);
        let tasks = tasks.min(all);
        Self { tasks, calls: (all / tasks).max(1) }
    }
}

pub(super) fn at_once(ground: &mut Ground<'_>) -> Done {
    ground.fresh()?;
    let Some(sample) = ground.call() else { return Err(skip("it has no action that could be called")) };
    // An empty call may be refused; a call that an author's case makes is answered.
    let strict = ground.sample.is_some();
    let begun = Instant::now();
    let first = ground.stage.call(None, &sample.action, sample.input.clone(), CALL);
    first.map(drop).or_else(|error| if !strict && is_answer(&error) { Ok(()) } else { Err(error) })?;
    let load = Load::of(ground.effort, begun.elapsed());
    let folder = ground.folder.clone();
    let address = format!("{}/{}", ground.stage.id(), sample.action);
    let action = ground.stage.kernel().action(&address)?;
    let note = format!("{} tasks with {} calls of `{}` each", load.tasks, load.calls, sample.action);
    let trouble = ground.stage.operate("many calls at once", ALL, move |_, _| {
        Ok(thread::scope(|scope| {
            let tasks: Vec<_> =
                (0..load.tasks).map(|_| scope.spawn(|| task(&action, &sample, strict, load.calls, &folder))).collect();
            let joined = |task: thread::ScopedJoinHandle<'_, _>| task.join().unwrap_or((0, None));
            tasks.into_iter().map(joined).fold((0, None), |(sum, first), (count, one)| (sum + count, first.or(one)))
        }))
    })?;
    if let (wrong, Some(failure)) = trouble {
        let part = format!("{wrong} of the calls went wrong ({note}), the first");
        return Err(Outcome::Failed(failure.in_part(&part)));
    }
    ground.alive()?;
    Ok(vec![note])
}

/// One task's calls: how many went wrong, and how the first of them.
fn task(
    action: &Action,
    sample: &Sample,
    strict: bool,
    calls: usize,
    folder: &Folder,
) -> (usize, Option<Box<Failure>>) {
    let (mut wrong, mut first) = (0, None);
    for _ in 0..calls {
        let answer = block_on(action.call_with(sample.input.clone(), CallOptions::within(CALL)));
        if let Err(failure) = weigh(&answer, sample, strict, folder) {
            wrong += 1;
            first.get_or_insert(failure);
        }
    }
    (wrong, first)
}

fn weigh(answer: &Result<Vec<u8>, Error>, sample: &Sample, strict: bool, folder: &Folder) -> Result<(), Box<Failure>> {
    match answer {
        Err(error) if !strict && is_answer(error) => Ok(()),
        Err(error) => Err(of_error(error)),
        Ok(_) => judge(sample.expect.as_ref(), answer, folder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_plugin_gets_fewer_calls_unless_everything_is_asked_for() {
        let of = |effort, millis| Load::of(effort, Duration::from_millis(millis));
        assert_eq!(of(Effort::Usual, 0), Load { tasks: 50, calls: 20 });
        assert_eq!(of(Effort::Usual, 1_000), Load { tasks: 10, calls: 1 });
        assert_eq!(of(Effort::Usual, 100), Load { tasks: 50, calls: 2 });
        assert_eq!(of(Effort::Usual, 60_000), Load { tasks: 4, calls: 1 });
        assert_eq!(of(Effort::Quick, 1), Load { tasks: 8, calls: 10 });
        assert_eq!(of(Effort::Full, 1_000), Load { tasks: 100, calls: 1000 });
    }
}
