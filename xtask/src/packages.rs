//! The SDKs as their users get them: each is packed, installed in an empty project outside of the repository, and an example
//! or a plugin is tested against what was installed. `HOME` is empty; the caches of the package managers are the user's.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Context, Result};

use crate::step::Step;
use crate::tally::Tally;
use crate::workspace;

/// The package of an SDK, and the shell script that makes and uses it.
#[derive(Debug, Clone, Copy)]
struct Package {
    name: &'static str,
    script: &'static str,
}

const PACKAGES: &[Package] = &[
    Package { name: "the wheel of sdk/python", script: include_str!("packages/python.sh") },
    Package { name: "the npm package of sdk/js", script: include_str!("packages/js.sh") },
    Package { name: "the crate of sdk/rust", script: include_str!("packages/rust.sh") },
    Package { name: "the module of sdk/go", script: include_str!("packages/go.sh") },
];

/// Caches that packages are had from, by the variable that names each and where it is without one.
const CACHES: &[(&str, &str)] = &[
    ("CARGO_HOME", ".cargo"),
    ("RUSTUP_HOME", ".rustup"),
    ("npm_config_cache", ".npm"),
    ("PIP_CACHE_DIR", ".cache/pip"),
    ("GOCACHE", ".cache/go-build"),
];

/// Runs all scripts, side by side, and counts each as one test.
///
/// # Errors
/// When a shell cannot be started or a folder cannot be made. A script that fails is a count, not an error.
pub fn run(tally: &mut Tally) -> Result<()> {
    let step = Step::begin("Testing", "the packages of the SDKs, in empty projects");
    let (root, target) = (workspace::root()?, workspace::target_folder()?);
    let place = env::temp_dir().join(format!("midplane-packages-{}", std::process::id()));
    let begun = PACKAGES.iter().enumerate().map(|(number, package)| {
        let child = shell(package.script, &place.join(number.to_string()), &root, &target)?.spawn();
        Ok((package, child.context("starting sh")?))
    });
    for (package, child) in begun.collect::<Result<Vec<_>>>()? {
        let output = child.wait_with_output().context("waiting for sh")?;
        if output.status.success() {
            tally.passed += 1;
        } else {
            println!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            tally.failed += 1;
            tally.failures.push(package.name.to_owned());
        }
        println!("{}: {}", package.name, if output.status.success() { "works" } else { "FAILED" });
    }
    fs::remove_dir_all(&place).with_context(|| format!("removing {}", place.display()))?;
    step.done();
    Ok(())
}

/// The script in a folder of its own, with an empty home.
fn shell(script: &str, folder: &Path, root: &Path, target: &Path) -> Result<Command> {
    let home = folder.join("home");
    fs::create_dir_all(&home).with_context(|| format!("making {}", home.display()))?;
    let mut command = Command::new("sh");
    command.args(["-euxc", script]).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let before = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    for (variable, usual) in CACHES {
        command.env(variable, env::var_os(variable).map_or_else(|| before.join(usual), PathBuf::from));
    }
    command.env("HOME", home).env("root", root).env("target", target);
    Ok(command)
}
