//! Rules about files that neither the compiler nor clippy holds. Each rule looks at one file and says what is wrong.

mod machine_paths;
mod names;
mod size;
mod unsafe_rooms;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

pub use machine_paths::machine_paths;
pub use names::vague_name;
pub use size::too_long;
pub use unsafe_rooms::unsafe_outside_its_rooms;

/// A file of the repository.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Relative to the root, with `/` between the parts.
    pub path: String,
    /// What is in it; not always text.
    pub content: Vec<u8>,
}

impl SourceFile {
    /// The content as text; what is not UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.content)
    }

    /// Whether the path ends in `.` and this.
    #[must_use]
    pub fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }

    /// Whether this is a test, or only built for tests.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }
}

/// Every file that git tracks or would track, read.
///
/// # Errors
/// When git is missing or a file cannot be read.
pub fn files(root: &Path) -> Result<Vec<SourceFile>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = git.output().context("starting git, which lists the files to look at")?;
    if !output.status.success() {
        bail!("`git ls-files` did not succeed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let listing = String::from_utf8(output.stdout).context("a file name that is not UTF-8")?;
    // A file that was deleted but is still in the index is no file; nor is a link to a folder.
    let existing = listing.split('\0').filter(|path| !path.is_empty() && root.join(path).is_file());
    existing
        .map(|path| {
            let content = std::fs::read(root.join(path)).with_context(|| format!("reading {path}"))?;
            Ok(SourceFile { path: path.to_owned(), content })
        })
        .collect()
}

/// Everything that is wrong with these files, one sentence each.
#[must_use]
pub fn violations(files: &[SourceFile]) -> Vec<String> {
    let rules = [vague_name, too_long, machine_paths, unsafe_outside_its_rooms];
    files.iter().flat_map(|file| rules.iter().filter_map(move |rule| rule(file))).collect()
}
