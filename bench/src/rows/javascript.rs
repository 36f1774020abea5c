//! JavaScript in the embedded engine, beside the engine with nothing around it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use midplane::Placement;

use super::Row;
use crate::cycle::Cycle;
use crate::measure::{Effort, Measured, in_turn_by_themselves, inline, timed};
use crate::plugins::{Bench, Setting};
use crate::repeater::Repeater;
use crate::target::Target;

const JS: Setting = Setting { id: "js-echo", placement: Placement::InProcess, instances: 1 };
/// Bytes in, the same bytes out.
pub(crate) const ECHO: &str = "export default { actions: { echo: { raw: true, run: (input) => input } } };\n";

pub(crate) fn rows() -> Vec<Row> {
    // The design's figures: 250 ns where raw has 183, and 0.3 ms where raw has 66 µs.
    vec![
        Row { name: "js 64 B, call_inline", run: |n, e, h| call(n, e, h, 64, Target::TimesRaw(250.0 / 183.0)) },
        Row { name: "js 64 KiB, call_inline", run: |n, e, h| call(n, e, h, 64 * 1024, Target::Shown) },
        Row { name: "js load to first reply", run: start },
    ]
}

fn call(row: &'static str, effort: Effort, handicap: Duration, size: usize, target: Target) -> Result<Measured> {
    let bench = Bench::new()?;
    bench.load(JS, &folder(&bench)?)?;
    let action = bench.kernel.action("js-echo/echo")?;
    let mut repeater = Repeater::start("raw_engine", ["echo", &size.to_string()])?;
    let (input, mut reply) = (vec![7; size], Vec::new());
    let mut raw = |times| repeater.repeat(times);
    let mut ours = |times| timed(|| inline(&action, &input, &mut reply, times, handicap));
    let note = "raw: a function of an engine, bytes copied in and out; target: 250 ns where raw has 183";
    in_turn_by_themselves(row, note, target, effort, (&mut raw, &mut ours))
}

fn start(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    let bench = Bench::new()?;
    let folder = folder(&bench)?;
    let cycle = Cycle::new(bench, JS, folder)?;
    let mut repeater = Repeater::start("raw_engine", ["start"])?;
    let mut raw = |times| repeater.repeat(times);
    let mut ours = |times| cycle.repeat(times, handicap);
    let note = "raw: an engine, a module and one call; target: 0.3 ms where raw has 66 µs";
    in_turn_by_themselves(
        row,
        note,
        Target::Within { nanos: 0.3e6, times: 300.0 / 66.0 },
        effort,
        (&mut raw, &mut ours),
    )
}

fn folder(bench: &Bench) -> Result<PathBuf> {
    bench.folder(JS, "js", "plugin.js", ECHO.as_bytes(), "echo")
}
