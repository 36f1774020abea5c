//! Plugins in processes of other languages, each beside a peer in that language with nothing around it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use midplane::Placement;
use tempfile::TempDir;

use super::Row;
use super::javascript::ECHO;
use crate::cycle::Cycle;
use crate::measure::{Effort, Measured, in_turn, in_turn_by_themselves, inline, made};
use crate::one_core::OneCore;
use crate::peer::{Peer, go_build, interpreter, python, written};
use crate::plugins::{Bench, Setting};
use crate::target::Target;

const PYTHON_ECHO: &str =
    "import midplane\n\nplugin = midplane.Plugin()\n\n\n@plugin.action(raw=True)\ndef echo(data):\n    return data\n";
const GO_ECHO: &str = "package main\n\nimport midplane \"midplane.dev/sdk/go\"\n\nvar plugin = midplane.New().Action(\"echo\", \
    func(_ midplane.Context, input []byte) ([]byte, error) { return input, nil })\n\nfunc main() { midplane.Serve(plugin) }\n";

pub(crate) fn rows() -> Vec<Row> {
    // The design's figures, ours to raw: calls of Python 12 µs to 9 (Go as Python), of Node 12 to 7.7; starts of Python
    // 20 ms to 13, of Node 60 to 50.
    vec![
        Row { name: "python 64 B, call_inline, one core", run: |n, e, h| call(n, e, h, Language::Python, 12.0 / 9.0) },
        Row { name: "node 64 B, call_inline, one core", run: |n, e, h| call(n, e, h, Language::Node, 12.0 / 7.7) },
        Row { name: "go 64 B, call_inline, one core", run: |n, e, h| call(n, e, h, Language::Go, 12.0 / 9.0) },
        Row {
            name: "python load to first reply",
            run: |n, e, h| start(n, e, h, Language::Python, (20e6, 20.0 / 13.0)),
        },
        Row { name: "node load to first reply", run: |n, e, h| start(n, e, h, Language::Node, (60e6, 60.0 / 50.0)) },
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Python,
    Node,
    Go,
}

impl Language {
    fn setting(self) -> Setting {
        let id = match self {
            Self::Python => "python-echo",
            Self::Node => "node-echo",
            Self::Go => "go-echo",
        };
        Setting { id, placement: Placement::Worker, instances: 1 }
    }

    /// The peer: a program and its arguments.
    fn peer(self, folder: &Path) -> Result<(PathBuf, Vec<PathBuf>)> {
        Ok(match self {
            Self::Python => {
                let script = written(folder, "echo.py", include_str!("../raw/echo.py"))?;
                (python()?, vec!["-I".into(), "-S".into(), script])
            }
            Self::Node => {
                let script = written(folder, "echo.mjs", include_str!("../raw/echo.mjs"))?;
                (interpreter("node", "MIDPLANE_NODE")?, vec![script])
            }
            Self::Go => {
                (go(folder, include_str!("../raw/echo.go"), "module midplane.dev/bench/peer\n\ngo 1.22\n")?, Vec::new())
            }
        })
    }

    /// The plugin's folder.
    fn plugin(self, bench: &Bench, folder: &Path) -> Result<PathBuf> {
        match self {
            Self::Python => bench.folder(self.setting(), "python", "plugin.py", PYTHON_ECHO.as_bytes(), "echo"),
            Self::Node => {
                let entry = "{main: plugin.js, runtime: js, engine: node}";
                bench.written(self.setting(), entry, Some(("plugin.js", ECHO.as_bytes())))
            }
            Self::Go => {
                let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/go");
                let needs = format!(
                    "module midplane.dev/bench/plugin\n\ngo 1.22\n\nrequire midplane.dev/sdk/go v0.0.0\n\nreplace midplane.dev/sdk/go => {}\n",
                    sdk.display()
                );
                let program = std::fs::read(go(&folder.join("plugin"), GO_ECHO, &needs)?)?;
                bench.folder(self.setting(), "process", "plugin", &program, "echo")
            }
        }
    }
}

/// Builds a Go program of one file.
fn go(folder: &Path, source: &str, module: &str) -> Result<PathBuf> {
    written(folder, "main.go", source)?;
    written(folder, "go.mod", module)?;
    let program = folder.join("program");
    go_build(folder, &program)?;
    Ok(program)
}

fn call(row: &'static str, effort: Effort, handicap: Duration, language: Language, times: f64) -> Result<Measured> {
    let (bench, folder) = (Bench::new()?, folder()?);
    let (program, arguments) = language.peer(folder.path())?;
    bench.load(language.setting(), &language.plugin(&bench, folder.path())?)?;
    let action = bench.kernel.action(&format!("{}/echo", language.setting().id))?;
    let mut peer = Peer::start(&program, &arguments)?;
    peer.one_by_one(64, 1)?;
    let _core = OneCore::hold()?;
    let mut reply = Vec::new();
    let mut raw = |repeat| peer.one_by_one(64, repeat);
    let mut ours = |repeat| inline(&action, &[7; 64], &mut reply, repeat, handicap);
    let note = "raw: a program in the same language and a Unix socket, a length and bytes; all on one core";
    in_turn(row, note, Target::Within { nanos: 12e3, times }, effort, (&mut raw, &mut ours))
}

fn start(
    row: &'static str,
    effort: Effort,
    handicap: Duration,
    language: Language,
    (nanos, times): (f64, f64),
) -> Result<Measured> {
    let (bench, folder) = (Bench::new()?, folder()?);
    let (program, arguments) = language.peer(folder.path())?;
    let plugin = language.plugin(&bench, folder.path())?;
    let cycle = Cycle::new(bench, language.setting(), plugin)?;
    let mut raw = |repeat| {
        made(repeat, || {
            let mut peer = Peer::start(&program, &arguments)?;
            peer.one_by_one(64, 1).map(|()| peer)
        })
    };
    let mut ours = |repeat| cycle.repeat(repeat, handicap);
    let note = "raw: the interpreter is started with a script that echoes one frame";
    in_turn_by_themselves(row, note, Target::Within { nanos, times }, effort, (&mut raw, &mut ours))
}

fn folder() -> Result<TempDir> {
    tempfile::Builder::new().prefix("midplane-bench-peer").tempdir().context("making a folder")
}
