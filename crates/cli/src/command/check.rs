//! `midplane check`: everything that is wrong with a plugin, at once.

use std::path::Path;

use midplane::discover::{self, Report};
use midplane::platform::{Needs, Platform};
use midplane::{Manifest, Policy};
use serde_json::json;

use crate::args::Check;
use crate::exit::{Exit, Outcome};
use crate::host::Host;
use crate::nearest::did_you_mean;
use crate::output::Output;
use crate::report::{Finding, Source};
use crate::{notice, policies, stale};

/// Checks, and ends with 3 when there is an error.
pub(super) async fn check(check: Check, output: Output) -> Outcome<Exit> {
    Host::with(&check.policies.sources(), async |host| {
        let report = discover::check(&check.plugin, host.kernel().platform())?;
        stale::warn(&check.plugin);
        let source = Source::read(&report.file.display().to_string());
        let mut findings: Vec<Finding> = report.faults.iter().map(|fault| Finding::of_fault(fault, &source)).collect();
        if let Some(manifest) = &report.manifest {
            findings.extend(refusals(host, manifest, &check, &source)?);
        }
        let errors = findings.iter().filter(|finding| finding.is_error()).count();
        if output.is_json() {
            output.json(&document(&report, &findings, errors, host.kernel().platform()))?;
        } else {
            findings.iter().for_each(|finding| finding.print(&source));
            conclude(&report, &check.plugin, errors, findings.len() - errors, output)?;
            detour(&report, host.kernel().platform(), output)?;
        }
        Ok(if errors == 0 && report.manifest.is_some() { Exit::Done } else { Exit::Invalid })
    })
    .await
}

/// What the operator's decisions, or the contract's defaults, leave undone.
fn refusals(host: &Host, manifest: &Manifest, check: &Check, source: &Source) -> Outcome<Vec<Finding>> {
    let mut decided = policies::by_plugin(&check.policies, host.settings())?;
    let policy = policies::of(&mut decided, &manifest.id, host.settings()).clone();
    decided.remove(&manifest.id);
    for other in decided.keys() {
        let remedy = did_you_mean(other.as_str(), std::iter::once(manifest.id.as_str()), "plugins");
        notice::say(&format!("nothing is checked for `{other}`: {remedy}"));
    }
    // Without a configuration on the command line one that is missing is for the operator to bring, not a fault.
    let configured = !policy.config.is_empty();
    let refusals = host.kernel().refusals(manifest, &Policy { ..policy });
    Ok(refusals.iter().map(|error| Finding::of_refusal(error, configured, source)).collect())
}

fn document(report: &Report, findings: &[Finding], errors: usize, platform: &Platform) -> serde_json::Value {
    let manifest = report.manifest.as_ref();
    json!({
        "file": report.file,
        "plugin": manifest.map(|manifest| &manifest.id),
        "version": manifest.map(|manifest| manifest.version.to_string()),
        "spelling": report.spelling,
        "valid": errors == 0 && manifest.is_some(),
        "errors": errors,
        "warnings": findings.len() - errors,
        "faults": findings,
        "compatibility": manifest.map(|manifest| platform.assess(&Needs::of(manifest))),
    })
}

/// Says by what it would run here where that is not its own code.
fn detour(report: &Report, platform: &Platform, output: Output) -> Outcome<()> {
    let verdict = report.manifest.as_ref().map(|manifest| platform.assess(&Needs::of(manifest)));
    match verdict.filter(|verdict| verdict.compatible && verdict.adapters.is_empty()) {
        Some(verdict) => output.text(&format!("runs here by a fallback: {}\n", verdict.fallbacks.join(", "))),
        None => Ok(()),
    }
}

fn conclude(report: &Report, plugin: &Path, errors: usize, warnings: usize, output: Output) -> Outcome<()> {
    let count = |number: usize, what: &str| match number {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        many => format!("{many} {what}s"),
    };
    let counted = format!("{}, {}", count(errors, "error"), count(warnings, "warning"));
    let name = match &report.manifest {
        Some(manifest) => format!("{} {}", manifest.id, manifest.version),
        None => plugin.display().to_string(),
    };
    output.text(&notice::tidy(&format!("{name}: {counted}")))
}
