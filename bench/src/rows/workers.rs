//! Calls into workers over framed Unix sockets.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use midplane::{Action, Placement, RuntimeKind};
use midplane_runtime_wire::{Hosting, Program, WireRuntime};

use super::Row;
use crate::measure::{Effort, Measured, in_turn, inline, spin};
use crate::one_core::OneCore;
use crate::plugins::{Bench, Setting};
use crate::socket::Echo;
use crate::target::Target;

/// Calls under way at once in the second row.
const IN_FLIGHT: u32 = 64;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row { name: "worker 64 B, call_inline, one core", run: on_one_core },
        Row { name: "worker 64 B, call_inline, any core", run: on_any_core },
        Row { name: "worker 64 B, 64 calls in flight", run: many },
    ]
}

/// What the calls cost: the waking of another core takes longer than all the rest.
fn on_one_core(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    // The design's figures: a raw socket 8 µs, a framed one on an async runtime 13 µs. Ours is not to be the slower.
    let note = "raw: two processes and a Unix socket, one thread each; target: framed sockets on tokio, 13 µs to 8";
    one(row, note, Target::TimesRaw(13.0 / 8.0), effort, handicap, OneCore::hold)
}

/// What they cost where the scheduler likes to have them.
fn on_any_core(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    let note = "raw: two processes and a Unix socket, one thread each, on one core or two as the scheduler likes";
    one(row, note, Target::Shown, effort, handicap, || Ok(()))
}

fn one<Held>(
    row: &'static str,
    note: &'static str,
    target: Target,
    effort: Effort,
    handicap: Duration,
    hold: impl FnOnce() -> Result<Held>,
) -> Result<Measured> {
    let setting = Setting { id: "worker-echo", placement: Placement::Worker, instances: 1 };
    let bench = Bench::new()?;
    bench.load(setting, &bench.native(setting)?)?;
    let action = bench.kernel.action("worker-echo/echo")?;
    let mut echo = Echo::start()?;
    let _held = hold()?;
    let mut reply = Vec::new();
    let mut raw = |times| echo.one_by_one(times);
    let mut ours = |times| inline(&action, &[7; 64], &mut reply, times, handicap);
    in_turn(row, note, target, effort, (&mut raw, &mut ours))
}

fn many(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    let own = std::env::current_exe()?;
    let pool = WireRuntime::new(RuntimeKind::Native, Program::worker(own)).hosting(Hosting::Pool);
    let setting = Setting { id: "worker-pool", placement: Placement::Worker, instances: IN_FLIGHT };
    let bench = Bench::with(|builder| builder.runtime(Arc::new(pool)))?;
    bench.load(setting, &bench.native(setting)?)?;
    let action = bench.kernel.action("worker-pool/echo")?;
    let mut echo = Echo::start()?;
    let mut raw = |times| echo.in_flight(times, u64::from(IN_FLIGHT));
    let mut ours = |times| in_flight(&action, times, handicap);
    // The design's figures: 1.35 to 1.6 million frames a second raw, at least one million for ours.
    let note = "raw: the same socket with 64 frames under way; target: 1 M/s where raw has 1.6 M/s";
    in_turn(row, note, Target::TimesRaw(1.6), effort, (&mut raw, &mut ours))
}

/// So many calls from 64 tasks on one thread.
fn in_flight(action: &Action, times: u64, handicap: Duration) -> Result<()> {
    let each = times.div_ceil(u64::from(IN_FLIGHT));
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..IN_FLIGHT {
            let action = action.clone();
            tasks.spawn(async move {
                for _ in 0..each {
                    spin(handicap);
                    action.call(vec![7_u8; 64]).await.map_err(|error| anyhow!(error))?;
                }
                Ok::<(), anyhow::Error>(())
            });
        }
        while let Some(task) = tasks.join_next().await {
            task??;
        }
        Ok(())
    })
}
