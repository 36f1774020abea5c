//! A thousand plugins at once.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use midplane::{Placement, PluginId, Policy, block_on};
use wasmtime::{Config, Engine, Instance, Module, Store};

use super::Row;
use crate::measure::{Effort, Measured, in_turn, inline, spin};
use crate::plugins::{self, Bench, Setting};
use crate::target::Target;

const PLUGINS: usize = 1_000;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row { name: "1,000 wasm plugins: load of each", run: start },
        Row { name: "1,000 wasm plugins: call beside the others", run: call },
        Row { name: "1,000 wasm plugins: bytes beyond an instance", run: memory },
    ]
}

/// A kernel with so many copies of the echo module.
fn full(plugins: usize) -> Result<Bench> {
    let bench = Bench::new()?;
    for number in 0..plugins {
        load(&bench, number)?;
    }
    Ok(bench)
}

fn load(bench: &Bench, number: usize) -> Result<()> {
    let id: &'static str = format!("echo-{number}").leak();
    let setting = Setting { id, placement: Placement::InProcess, instances: 1 };
    bench.load(setting, &bench.core(setting)?)
}

fn start(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    let bench = full(PLUGINS)?;
    let mut next = PLUGINS;
    let one = Bench::new()?;
    let setting = Setting { id: "alone", placement: Placement::InProcess, instances: 1 };
    let folder = one.core(setting)?;
    one.kernel.set_policy(&PluginId::new("alone")?, Policy::default());
    let mut raw = |times| {
        for _ in 0..times {
            block_on(async {
                let id = one.kernel.load_path(&folder).await?;
                one.kernel.unload(&id).await?;
                one.kernel.unregister(&id).await
            })?;
        }
        Ok(())
    };
    let mut ours = |times| {
        for _ in 0..times {
            spin(handicap);
            load(&bench, next)?;
            next += 1;
        }
        Ok(())
    };
    let note = "raw: the same plugin alone in its kernel, loaded and unloaded; the thousandth is not to cost more";
    in_turn(row, note, Target::TimesRaw(1.5), effort, (&mut raw, &mut ours))
}

fn call(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    let (one, many) = (full(1)?, full(PLUGINS)?);
    let (alone, beside) = (one.kernel.action("echo-0/echo")?, many.kernel.action("echo-500/echo")?);
    let (mut raw_reply, mut reply) = (Vec::new(), Vec::new());
    let mut raw = |times| inline(&alone, &[7; 64], &mut raw_reply, times, Duration::ZERO);
    let mut ours = |times| inline(&beside, &[7; 64], &mut reply, times, handicap);
    let note = "raw: the same call in a kernel with one plugin";
    in_turn(row, note, Target::TimesRaw(1.2), effort, (&mut raw, &mut ours))
}

/// Measured once, in bytes where other rows have nanoseconds.
fn memory(row: &'static str, _: Effort, _: Duration) -> Result<Measured> {
    // What comes with the first of its kind, the engine above all, counts for neither side.
    let first = (full(1)?, bare_instances(1)?);
    let before = resident()?;
    let bare = bare_instances(PLUGINS)?;
    let raw = resident()?.saturating_sub(before) as f64 / PLUGINS as f64;
    let before = resident()?;
    let many = full(PLUGINS)?;
    let ours = resident()?.saturating_sub(before) as f64 / PLUGINS as f64;
    drop((first, bare, many));
    let target = Target::AddedBytes(20.0 * 1024.0);
    let reached = target.reached(raw, ours);
    let note = "raw: a store and an instance of the module in wasmtime; ours: a loaded plugin; resident memory of each";
    let (met, n) = (target.is_met_by(reached, ours), PLUGINS as u64);
    Ok(Measured { row, raw, ours, reached, target, met, spread: 0.0, n, note })
}

/// Stores with an instance of the echo module each, in one engine.
fn bare_instances(count: usize) -> Result<Vec<(Store<()>, Instance)>> {
    let make = || {
        let engine = Engine::new(Config::new().epoch_interruption(true))?;
        let module = Module::new(&engine, plugins::CORE_ECHO)?;
        let one = |_| {
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[])?;
            Ok((store, instance))
        };
        (0..count).map(one).collect::<wasmtime::Result<_>>()
    };
    make().map_err(|error: wasmtime::Error| anyhow!("{error:#}"))
}

fn resident() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("reading /proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    let kib: u64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kib * 1024)
}
