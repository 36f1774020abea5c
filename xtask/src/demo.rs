//! `cargo xtask demo`: builds what it needs, routes real files to the example plugins and shows what they made of them.
//!
//! Everything goes through the `midplane` command, as a user would type it. Each file is answered twice, by the plugin
//! inside the host's process and by the same plugin in a worker process, and both answers have to agree.

mod show;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{build, stage, workspace};

/// A file and the plugin that is to open it.
#[derive(Debug, Clone, Copy)]
struct Showing {
    plugin: &'static str,
    /// What the plugin is made of, for the heading.
    made_of: &'static str,
    sample: &'static str,
    /// What is expected of it, in words.
    expect: &'static str,
    /// Native code needs the operator's trust to run inside the host's process.
    needs_trust: bool,
}

const SHOWINGS: &[Showing] = &[
    Showing {
        plugin: "markdown",
        made_of: "native library, Rust",
        sample: "guide.md",
        expect: "Markdown becomes HTML",
        needs_trust: true,
    },
    Showing {
        plugin: "audio",
        made_of: "native library, Rust",
        sample: "tone.flac",
        expect: "duration, tags and levels of a recording",
        needs_trust: true,
    },
    Showing {
        plugin: "text-stats",
        made_of: "WebAssembly",
        sample: "lighthouse.txt",
        expect: "words, lines and what is frequent",
        needs_trust: false,
    },
    Showing {
        plugin: "thumbnailer",
        made_of: "WebAssembly",
        sample: "picture.jpg",
        expect: "a small PNG of a photograph",
        needs_trust: false,
    },
];

const NEXT: &str = "\
What to try next
  target/debug/midplane list --plugins target/plugins
  target/debug/midplane open FILE --plugins target/plugins      a .md, .txt, .csv, .png, .jpg, .mp3, .flac of your own
  target/debug/midplane inspect target/plugins/text-stats       what a plugin is, needs and offers
  examples/markdown/                                            the source of a plugin; README.md says how to write one
  cargo xtask test                                              every promise, tried
";

/// Runs the demo.
///
/// # Errors
/// When something does not build, a plugin does not answer, or its two answers differ.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    if !arguments.is_empty() {
        bail!("`cargo xtask demo` takes no arguments");
    }
    build::everything()?;
    let host = Host {
        binary: build::midplane()?,
        plugins: stage::examples()?,
        samples: workspace::root()?.join("examples").join("samples"),
        scratch: workspace::target_folder()?.join("demo"),
    };
    std::fs::create_dir_all(&host.scratch).with_context(|| format!("making {}", host.scratch.display()))?;
    for showing in SHOWINGS {
        host.show(showing)?;
    }
    println!("\n{NEXT}");
    Ok(ExitCode::SUCCESS)
}

/// The `midplane` command and the folders it is pointed at.
struct Host {
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
        println!("  in the host's process: {}", show::cost(inside.bytes.len(), inside.took));
        let worker = self.open(showing, "worker")?;
        println!("  in a worker process:   {}", show::cost(worker.bytes.len(), worker.took));
        if inside.bytes != worker.bytes {
            bail!("{} answered differently in a worker than in the host's process", showing.plugin);
        }
        Ok(())
    }

    fn open(&self, showing: &Showing, placement: &str) -> Result<Answer> {
        let output = self.scratch.join(format!("{}-{placement}", showing.plugin));
        let mut command = self.command(showing, placement, &output);
        let began = Instant::now();
        crate::cargo::run_command(&mut command)?;
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
