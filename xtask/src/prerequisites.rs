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
    /// Arguments with which it ends at once and well where it is usable.
    probe: &'static [&'static str],
    /// The Debian packages that bring it.
    packages: &'static [&'static str],
    purpose: &'static str,
}

const VERSION: &[&str] = &["--version"];

#[rustfmt::skip]
const TOOLS: &[Tool] = &[
    Tool { program: "cc", probe: VERSION, packages: &["gcc"], purpose: "links Rust and compiles the C plugins" },
    Tool { program: "c++", probe: VERSION, packages: &["g++"], purpose: "checks that the C header is accepted by C++" },
    Tool { program: "git", probe: VERSION, packages: &["git"], purpose: "lists the files that the lints look at" },
    Tool { program: "python3", probe: &["-c", "import ensurepip, venv"], packages: &["python3", "python3-venv", "python3-pip"], purpose: "runs Python plugins in environments of their own, and the independent peer of the wire protocol" },
    Tool { program: "node", probe: VERSION, packages: &["nodejs"], purpose: "runs JavaScript plugins on Node (18 or newer)" },
    Tool { program: "npm", probe: VERSION, packages: &["npm"], purpose: "fetches the npm package of an example" },
    Tool { program: "go", probe: &["version"], packages: &["golang-go"], purpose: "builds Go plugins (1.24 or newer)" },
    Tool { program: "bash", probe: VERSION, packages: &["bash"], purpose: "runs plugins that are shell scripts" },
    Tool { program: "chromium", probe: VERSION, packages: &["chromium"], purpose: "runs the plugin that is a page in a browser" },
    Tool { program: "redis-server", probe: VERSION, packages: &["redis-server"], purpose: "keeps plugins' configurations for hosts that share them; tests start their own" },
    Tool { program: "redis-cli", probe: VERSION, packages: &["redis-tools"], purpose: "does in tests what other clients of a Redis server do" },
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
    command.args(tool.probe).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
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
    tools.iter().flat_map(|tool| tool.packages).copied().collect()
}

fn explanation(missing: &[Tool]) -> String {
    let mut text = "the tests need programs that are not here:\n".to_owned();
    for tool in missing {
        text.push_str(&format!("  {:<12} {}\n", tool.program, tool.purpose));
    }
    text.push_str(&format!(
        "install them, on Debian and Ubuntu with: sudo apt-get install {}",
        packages(missing).join(" ")
    ));
    text
}
