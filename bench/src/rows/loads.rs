//! Loads: from a manifest to the first reply.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use midplane::{Placement, PluginId, block_on};

use super::Row;
use crate::measure::{Effort, Measured, in_turn, spin};
use crate::plugins::{self, Bench, Setting};
use crate::target::Target;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row { name: "native load to first reply", run: native },
        Row { name: "wasm load to first reply, compiled before", run: wasm },
        Row { name: "worker load to first reply", run: worker },
    ]
}

/// Loads, calls once and unloads, so many times.
fn cycles(bench: &Bench, id: &'static str, folder: &Path, times: u64, handicap: Duration) -> Result<()> {
    let plugin = PluginId::new(id)?;
    let address = format!("{id}/echo");
    block_on(async {
        for _ in 0..times {
            spin(handicap);
            bench.kernel.load_path(folder).await?;
            let reply = bench.kernel.call(&address, &b"x"[..]).await?;
            if reply != b"x" {
                bail!("{address} answered {reply:?}");
            }
            bench.kernel.unload(&plugin).await?;
            bench.kernel.unregister(&plugin).await?;
        }
        Ok(())
    })
}

fn native(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    let setting = Setting { id: "load-native", placement: Placement::InProcess, instances: 1 };
    let bench = Bench::new()?;
    let folder = bench.native(setting)?;
    bench.load(setting, &folder)?;
    block_on(bench.kernel.unload(&PluginId::new(setting.id)?))?;
    block_on(bench.kernel.unregister(&PluginId::new(setting.id)?))?;
    let library = folder.join("libprobe.so");
    let mut repeater = Repeater::start("raw_open", &library)?;
    let mut raw = |times| repeater.repeat(times);
    let mut ours = |times| cycles(&bench, setting.id, &folder, times, handicap);
    let note = "raw: the linker opens a fresh copy and finds a symbol; target: 0.3 ms where raw has 50 µs";
    in_turn(row, note, Target::TimesRaw(6.0), effort, (&mut raw, &mut ours))
}

fn wasm(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    let setting = Setting { id: "load-wasm", placement: Placement::InProcess, instances: 1 };
    let bench = Bench::new()?;
    let folder = bench.component(setting)?;
    bench.load(setting, &folder)?;
    block_on(bench.kernel.unload(&PluginId::new(setting.id)?))?;
    block_on(bench.kernel.unregister(&PluginId::new(setting.id)?))?;
    let guest = folder.join("probe.wasm");
    let mut repeater = Repeater::start("raw_instantiate", &guest)?;
    let mut raw = |times| repeater.repeat(times);
    let mut ours = |times| cycles(&bench, setting.id, &folder, times, handicap);
    let note = "raw: wasmtime maps compiled code, makes an instance and calls it; target: 0.5 ms where raw has 0.17";
    in_turn(row, note, Target::TimesRaw(3.0), effort, (&mut raw, &mut ours))
}

fn worker(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    let setting = Setting { id: "load-worker", placement: Placement::Worker, instances: 1 };
    let bench = Bench::new()?;
    let folder = bench.native(setting)?;
    bench.load(setting, &folder)?;
    block_on(bench.kernel.unload(&PluginId::new(setting.id)?))?;
    block_on(bench.kernel.unregister(&PluginId::new(setting.id)?))?;
    let mut raw = |times| {
        for _ in 0..times {
            crate::socket::Echo::start()?.one_by_one(1)?;
        }
        Ok(())
    };
    let mut ours = |times| cycles(&bench, setting.id, &folder, times, handicap);
    let note = "raw: a process is started and echoes one frame; target: 5 ms where raw has 2.5";
    in_turn(row, note, Target::TimesRaw(2.0), effort, (&mut raw, &mut ours))
}

/// A program of a runtime's crate that does the raw thing: it gets a number on a line, repeats so often, and answers
/// with a line. (Opening libraries and mapping compiled code are unsafe, so they stay in those crates' rooms.)
struct Repeater {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Repeater {
    fn start(name: &str, file: &Path) -> Result<Self> {
        let path = plugins::program("examples")?.join(name);
        if fs::metadata(&path).is_err() {
            bail!("{} is not built; `cargo xtask bench` builds it", path.display());
        }
        let mut command = Command::new(path);
        let mut child = command.arg(file).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let ask = child.stdin.take().context("its input")?;
        let answers = BufReader::new(child.stdout.take().context("its output")?);
        Ok(Self { child, ask, answers })
    }

    fn repeat(&mut self, times: u64) -> Result<()> {
        writeln!(self.ask, "{times}")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        if line.trim() == "done" { Ok(()) } else { bail!("the raw program answered `{}`", line.trim()) }
    }
}

impl Drop for Repeater {
    fn drop(&mut self) {
        // It ends with its input; this only collects it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
