//! The tests that are not Rust's: those of the SDKs and examples in other languages, each with its own runner.

use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::step::Step;
use crate::tally::Tally;
use crate::workspace;

/// A runner in a folder, and how to read from its output what passed and failed.
struct Suite {
    folder: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    /// What goes before it, once: packages that are fetched.
    before: Option<&'static [&'static str]>,
    count: fn(&str) -> (u64, u64),
}

#[rustfmt::skip]
const SUITES: &[Suite] = &[
    Suite { folder: "sdk/python", program: "python3", arguments: &["-m", "unittest", "discover", "-s", "tests"], before: None, count: unittest },
    Suite { folder: "sdk/js", program: "node", arguments: &["--test", "--test-reporter=tap"], before: None, count: node },
    Suite { folder: "sdk/go", program: "go", arguments: &["test", "-v", "./..."], before: None, count: go },
    Suite { folder: "examples/checksums", program: "go", arguments: &["test", "-v", "./..."], before: None, count: go },
    Suite { folder: "examples/markdown-lint", program: "node", arguments: &["--test", "--test-reporter=tap"], before: Some(&["npm", "ci", "--no-audit", "--no-fund"]), count: node },
];

/// Runs them all and adds what they report.
///
/// # Errors
/// A runner that cannot be started. A suite that fails is a count, not an error.
pub fn run(tally: &mut Tally) -> Result<()> {
    let root = workspace::root()?;
    for suite in SUITES {
        let step =
            Step::begin("Testing", &format!("{}: {} {}", suite.folder, suite.program, suite.arguments.join(" ")));
        let folder = root.join(suite.folder);
        if let Some([program, arguments @ ..]) = suite.before {
            let done = Command::new(program).args(arguments).current_dir(&folder).stdin(Stdio::null()).status();
            done.with_context(|| format!("starting {program}"))?;
        }
        let output = Command::new(suite.program)
            .args(suite.arguments)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("starting {}", suite.program))?;
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let (passed, failed) = (suite.count)(&said);
        tally.passed += passed;
        tally.failed += failed.max(u64::from(!output.status.success() || passed == 0));
        if failed > 0 || passed == 0 || !output.status.success() {
            println!("{said}");
            tally.failures.push(format!("{} ({})", suite.folder, suite.program));
        }
        println!("{}: {passed} passed, {failed} failed", suite.folder);
        step.done();
    }
    Ok(())
}

/// `Ran 42 tests in 1.2s`, then `OK` or `FAILED (failures=1, errors=2)`.
fn unittest(said: &str) -> (u64, u64) {
    let ran = said.lines().find_map(|line| line.strip_prefix("Ran ")?.split(' ').next()?.parse().ok()).unwrap_or(0);
    let failed = said.lines().find_map(|line| line.strip_prefix("FAILED (")).map_or(0, |counts| {
        let numbers = counts.trim_end_matches(')').split(", ").filter_map(|count| {
            let (what, number) = count.split_once('=')?;
            matches!(what, "failures" | "errors").then(|| number.parse::<u64>().ok())?
        });
        numbers.sum()
    });
    (u64::saturating_sub(ran, failed), failed)
}

/// `# pass 27` and `# fail 0` of the Test Anything Protocol.
fn node(said: &str) -> (u64, u64) {
    let count =
        |what: &str| said.lines().rev().find_map(|line| line.strip_prefix(what)?.trim().parse().ok()).unwrap_or(0);
    (count("# pass "), count("# fail "))
}

/// `--- PASS: TestName (0.00s)` and `--- FAIL: …`, subtests indented.
fn go(said: &str) -> (u64, u64) {
    let count = |what: &str| said.lines().filter(|line| line.trim_start().starts_with(what)).count() as u64;
    (count("--- PASS: "), count("--- FAIL: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_runner_is_read_as_it_writes() {
        assert_eq!(unittest("Ran 3 tests in 0.1s\n\nOK\n"), (3, 0));
        assert_eq!(unittest("Ran 5 tests in 0.1s\n\nFAILED (failures=1, errors=1, skipped=1)\n"), (3, 2));
        assert_eq!(node("# tests 9\n# pass 8\n# fail 1\n"), (8, 1));
        assert_eq!(go("--- PASS: TestA (0.00s)\n    --- FAIL: TestB/x (0.00s)\n"), (1, 1));
    }
}
