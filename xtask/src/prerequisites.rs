//! What the tests need from the system beside Rust, and how to get it.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::cargo;
use crate::step::Step;

/// A program that tests start.
#[derive(Debug, Clone, Copy)]
struct Tool {
    program: &'static str,
    /// The Debian package that brings it.
    package: &'static str,
    purpose: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool { program: "cc", package: "gcc", purpose: "links Rust and compiles the C plugins" },
    Tool { program: "c++", package: "g++", purpose: "checks that the C header is accepted by C++" },
    Tool { program: "python3", package: "python3", purpose: "runs the independent peer of the wire protocol" },
    Tool { program: "git", package: "git", purpose: "lists the files that the lints look at" },
];

/// Setting this to anything forbids installing packages.
const FORBID: &str = "MIDPLANE_NO_INSTALL";

/// Makes sure that every tool is there: installs what is missing when this is root on a system with apt.
///
/// # Errors
/// Names everything that is missing, what it is for and the command that installs it.
pub fn ensure() -> Result<()> {
    let missing: Vec<Tool> = TOOLS.iter().copied().filter(|tool| !works(tool)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if may_install() {
        install(&missing)?;
    }
    let missing: Vec<Tool> = missing.into_iter().filter(|tool| !works(tool)).collect();
    if missing.is_empty() { Ok(()) } else { bail!(explanation(&missing)) }
}

fn works(tool: &Tool) -> bool {
    let mut command = Command::new(tool.program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn may_install() -> bool {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    root && Path::new("/usr/bin/apt-get").exists() && std::env::var_os(FORBID).is_none()
}

fn install(missing: &[Tool]) -> Result<()> {
    let packages = packages(missing);
    let step = Step::begin("Installing system packages", &packages.join(" "));
    let mut update = apt();
    // A failed update is no reason to give up: the package may be known already.
    if let Err(error) = cargo::run_command(update.args(["update", "-qq"])) {
        eprintln!("note: {error:#}; going on with the package lists that are here");
    }
    cargo::run_command(apt().args(["install", "-y", "-qq", "--no-install-recommends"]).args(&packages))?;
    step.done();
    Ok(())
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    command
}

fn packages(tools: &[Tool]) -> Vec<&'static str> {
    tools.iter().map(|tool| tool.package).collect()
}

fn explanation(missing: &[Tool]) -> String {
    let mut text = "the tests need programs that are not here:\n".to_owned();
    for tool in missing {
        text.push_str(&format!("  {:<8} {}\n", tool.program, tool.purpose));
    }
    text.push_str(&format!(
        "install them, on Debian and Ubuntu with: sudo apt-get install {}",
        packages(missing).join(" ")
    ));
    text
}
