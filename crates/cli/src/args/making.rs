//! What can be typed after `midplane new`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::text;

/// Make a folder with a plugin to begin with
#[derive(Debug, Args)]
#[command(long_about = text::NEW, after_long_help = text::NEW_EXAMPLES)]
pub(crate) struct New {
    /// The plugin's id, and its folder: a-z 0-9 . _ - with a letter or digit first and last
    pub(crate) name: String,
    /// What it is written in
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    pub(crate) lang: Language,
    /// Make the folder in this one [default: here]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) dir: Option<PathBuf>,
}

/// What a new plugin is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// A native library
    Rust,
    /// WebAssembly, in Rust or Go, whichever can build it here
    Wasm,
    /// A native library
    C,
    /// JavaScript in the embedded engine
    Js,
    /// TypeScript in the embedded engine
    Ts,
    /// A process on the Python interpreter
    Python,
    /// A program, run as a process
    Go,
    /// A Bash script
    Shell,
}
