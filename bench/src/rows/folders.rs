//! Scans of plugin folders.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use midplane::Kernel;
use midplane::catalog::Scan;
use tempfile::TempDir;

use super::Row;
use crate::measure::{Effort, Measured, in_turn, spin};
use crate::target::Target;

const PLUGINS: usize = 10_000;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row { name: "scan of 10,000 manifests, none known", run: cold },
        Row { name: "scan of 10,000 manifests, none changed", run: unchanged },
    ]
}

/// A folder with so many plugins, and code of a few bytes.
fn folder() -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    for number in 0..PLUGINS {
        let at = folder.path().join(format!("p{number}"));
        fs::create_dir(&at)?;
        fs::write(at.join("a.wasm"), format!("code {number}"))?;
        fs::write(at.join("plugin.yaml"), manifest(number))?;
    }
    Ok(folder)
}

fn manifest(number: usize) -> String {
    format!(
        "id: p{number}\nname: Plugin {number}\nversion: 1.0.{number}\ndescription: Does something with things\n\
         author: Somebody\nlicense: MIT\nentry: {{main: a.wasm}}\nactions: [run, stop]\ntags: [a, b]\n\
         labels: {{team: x}}\ndependencies:\n  - {{id: core, version: \">=1.0.0\"}}\n\
         file_types: [{{extension: .tst, mime_type: text/test, action: run}}]\n\
         permissions: [state.read, \"plugin.call:a/*\"]\n"
    )
}

/// Reads every file in it.
fn read_all(folder: &Path) -> Result<()> {
    for plugin in fs::read_dir(folder)? {
        for file in fs::read_dir(plugin?.path())? {
            black_box(fs::read(file?.path())?);
        }
    }
    Ok(())
}

fn scan(kernel: &Kernel, folders: &[PathBuf], read: usize) -> Result<Scan> {
    let scan = kernel.catalog().scan(folders);
    ensure!(scan.valid == PLUGINS && scan.read == read, "{} valid, {} read", scan.valid, scan.read);
    Ok(scan)
}

fn cold(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    let (plugins, data) = (folder()?, tempfile::tempdir()?);
    let folders = [plugins.path().to_path_buf()];
    let mut next = 0;
    let mut raw = |times| (0..times).try_for_each(|_| read_all(plugins.path()));
    let mut ours = |times| {
        for _ in 0..times {
            next += 1;
            let stores = midplane::data(data.path().join(next.to_string()))?;
            spin(handicap);
            scan(&midplane::kernel().stores(stores).build(), &folders, PLUGINS)?;
        }
        Ok(())
    };
    // One of ours takes a second.
    let effort = Effort { rounds: effort.rounds.min(5), ..effort };
    let note = "raw: every file is read; ours also opens a new data folder and keeps what it found there";
    in_turn(row, note, Target::Within { nanos: 2e9, times: 10.0 }, effort, (&mut raw, &mut ours))
}

fn unchanged(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    let (plugins, data) = (folder()?, tempfile::tempdir()?);
    let folders = [plugins.path().to_path_buf()];
    let kernel = midplane::kernel().stores(midplane::data(data.path())?).build();
    scan(&kernel, &folders, PLUGINS)?;
    let mut raw = |times| (0..times).try_for_each(|_| read_all(plugins.path()));
    let mut ours = |times| {
        for _ in 0..times {
            spin(handicap);
            scan(&kernel, &folders, 0)?;
        }
        Ok(())
    };
    let effort = Effort { rounds: effort.rounds.min(11), ..effort };
    let note = "raw: every file is read; ours opens none of them";
    in_turn(row, note, Target::Within { nanos: 0.2e9, times: 1.0 }, effort, (&mut raw, &mut ours))
}
