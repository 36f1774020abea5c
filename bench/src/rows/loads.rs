//! Loads, up to the first reply; reading the manifest comes before that.

use std::time::Duration;

use anyhow::Result;
use midplane::Placement;

use super::Row;
use crate::cycle::Cycle;
use crate::measure::{Effort, Measured, in_turn_by_themselves, made};
use crate::plugins::{Bench, Setting};
use crate::repeater::Repeater;
use crate::socket::Echo;
use crate::target::Target;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row { name: "native load to first reply", run: native },
        Row { name: "wasm load to first reply, compiled before", run: wasm },
        Row { name: "worker load to first reply", run: worker },
    ]
}

fn native(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    let setting = Setting { id: "load-native", placement: Placement::InProcess, instances: 1 };
    let bench = Bench::new()?;
    let folder = bench.native(setting)?;
    let mut repeater = Repeater::start("raw_open", [folder.join("libprobe.so")])?;
    let cycle = Cycle::new(bench, setting, folder)?;
    let mut raw = |times| repeater.repeat(times);
    let mut ours = |times| cycle.repeat(times, handicap);
    let note = "raw: the linker opens a fresh copy and finds a symbol; target: 0.3 ms where raw has 50 µs";
    in_turn_by_themselves(row, note, Target::Within { nanos: 0.3e6, times: 6.0 }, effort, (&mut raw, &mut ours))
}

fn wasm(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    let setting = Setting { id: "load-wasm", placement: Placement::InProcess, instances: 1 };
    let bench = Bench::new()?;
    let folder = bench.component(setting)?;
    let mut repeater = Repeater::start("raw_instantiate", [folder.join("probe.wasm")])?;
    let cycle = Cycle::new(bench, setting, folder)?;
    let mut raw = |times| repeater.repeat(times);
    let mut ours = |times| cycle.repeat(times, handicap);
    let note = "raw: wasmtime maps compiled code, makes an instance and calls it; target: 0.5 ms where raw has 0.17";
    in_turn_by_themselves(row, note, Target::Within { nanos: 0.5e6, times: 3.0 }, effort, (&mut raw, &mut ours))
}

fn worker(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    let setting = Setting { id: "load-worker", placement: Placement::Worker, instances: 1 };
    let bench = Bench::new()?;
    let folder = bench.native(setting)?;
    let cycle = Cycle::new(bench, setting, folder)?;
    let mut raw = |times| {
        made(times, || {
            let mut echo = Echo::start()?;
            echo.one_by_one(1).map(|()| echo)
        })
    };
    let mut ours = |times| cycle.repeat(times, handicap);
    let note = "raw: a process is started and echoes one frame; target: 5 ms where raw has 2.5";
    in_turn_by_themselves(row, note, Target::Within { nanos: 5e6, times: 2.0 }, effort, (&mut raw, &mut ours))
}
