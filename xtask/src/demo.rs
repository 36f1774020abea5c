//! `cargo xtask demo`: builds what it needs, routes real files to the example plugins and shows what they made of them.
//!
//! Everything goes through the `midplane` command, as a user would type it. Each file is answered twice, by the plugin
//! inside the host's process and by the same plugin in a worker process, and both answers have to agree.

mod show;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{build, cargo, stage, workspace};

/// A file and the plugin that is to open it.
#[derive(Debug, Clone, Copy)]
struct Showing {
    plugin: &'static str,
    /// What the plugin is made of, for the heading.
    made_of: &'static str,
    sample: &'static str,
    /// What is expected of it, in words.
    expect: &'static str,
    /// What the answer is: the extension of the file that it is saved to.
    answer: &'static str,
    /// Native code needs the operator's trust to run inside the host's process.
    needs_trust: bool,
}

const SHOWINGS: &[Showing] = &[
    Showing {
        plugin: "markdown",
        made_of: "native library, Rust",
        sample: "guide.md",
        expect: "Markdown becomes HTML",
        answer: "html",
        needs_trust: true,
    },
    Showing {
        plugin: "audio",
        made_of: "native library, Rust",
        sample: "tone.flac",
        expect: "duration, tags and levels of a recording",
        answer: "json",
        needs_trust: true,
    },
    Showing {
        plugin: "text-stats",
        made_of: "WebAssembly",
        sample: "lighthouse.txt",
        expect: "words, lines and what is frequent",
        answer: "json",
        needs_trust: false,
    },
    Showing {
        plugin: "thumbnailer",
        made_of: "WebAssembly",
        sample: "picture.jpg",
        expect: "a small PNG of a large picture",
        answer: "png",
        needs_trust: false,
    },
];

/// Runs the demo.
///
/// # Errors
/// When something does not build, a plugin does not answer, or its two answers differ.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    if !arguments.is_empty() {
        bail!("`cargo xtask demo` takes no arguments");
    }
    build::everything()?;
    let root = workspace::root()?;
    let host = Host {
        binary: build::midplane()?,
        plugins: stage::examples()?,
        samples: root.join("examples").join("samples"),
        scratch: workspace::target_folder()?.join("demo"),
        root,
    };
    std::fs::create_dir_all(&host.scratch).with_context(|| format!("making {}", host.scratch.display()))?;
    for showing in SHOWINGS {
        host.show(showing)?;
    }
    println!("\n{}", host.next());
    Ok(ExitCode::SUCCESS)
}

/// The `midplane` command and the folders it is pointed at.
struct Host {
    root: PathBuf,
    binary: PathBuf,
    plugins: PathBuf,
    samples: PathBuf,
    scratch: PathBuf,
}

/// What a plugin made of a file.
struct Answer {
    bytes: Vec<u8>,
    took: Duration,
}

impl Host {
    fn show(&self, showing: &Showing) -> Result<()> {
        println!("\n{} -> {} ({}): {}", showing.sample, showing.plugin, showing.made_of, showing.expect);
        let inside = self.open(showing, "in-process")?;
        show::answer(&inside.bytes);
        println!("    {}, in the host's process", show::cost(inside.bytes.len(), inside.took));
        let worker = self.open(showing, "worker")?;
        if inside.bytes != worker.bytes {
            bail!("{} answered differently in a worker than in the host's process", showing.plugin);
        }
        println!("    the same {}, in a worker process", show::cost(worker.bytes.len(), worker.took));
        Ok(())
    }

    fn next(&self) -> String {
        let near = |path: &Path| path.strip_prefix(&self.root).unwrap_or(path).display().to_string();
        let (midplane, plugins) = (near(&self.binary), near(&self.plugins));
        format!(
            "\
What to try next
  {midplane} open FILE --plugins {plugins}    with a .md, .txt, .csv, .png, .jpg, .mp3 or .flac of your own
  {midplane} list --plugins {plugins}
  {midplane} inspect {plugins}/text-stats
  examples/markdown/     the source of a plugin; README.md shows how to write one
  cargo xtask test       every promise, tried"
        )
    }

    fn open(&self, showing: &Showing, placement: &str) -> Result<Answer> {
        let output = self.scratch.join(format!("{}-{placement}.{}", showing.plugin, showing.answer));
        let mut command = self.command(showing, placement, &output);
        println!("  $ {}", cargo::line(&command).replace(&format!("{}/", self.root.display()), ""));
        let began = Instant::now();
        cargo::run_command(&mut command)?;
        let took = began.elapsed();
        let bytes = std::fs::read(&output).with_context(|| format!("reading {}", output.display()))?;
        Ok(Answer { bytes, took })
    }

    fn command(&self, showing: &Showing, placement: &str, output: &Path) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("open").arg(self.samples.join(showing.sample)).arg("--plugins").arg(&self.plugins);
        command.arg("--placement").arg(format!("{}={placement}", showing.plugin));
        if showing.needs_trust && placement == "in-process" {
            command.arg("--trust").arg(format!("{}=trusted", showing.plugin));
        }
        command.arg("--save").arg(output);
        command
    }
}
