//! `midplane resolve`: which versions go together, and in which order they would be loaded.

use std::time::Instant;

use midplane::contract::defaults;
use midplane::contract::settings::Versions;
use midplane::resolve::{Plan, Refusal, Request, Selection, Step};
use midplane::{Code, Error};
use serde_json::json;

use super::table;
use crate::args::Resolve;
use crate::exit::{Exit, Outcome, Stop};
use crate::host::Host;
use crate::output::Output;
use crate::{notice, report};

/// Prints the plan, or why there is none.
pub(super) async fn resolve(resolve: Resolve, output: Output) -> Outcome<Exit> {
    Host::with(&resolve.shelves.settings.sources(), async |host| {
        let (available, unusable) = resolve.shelves.folders.available(host).await?;
        let time = resolve.deadline.unwrap_or(defaults::RESOLVE_DEADLINE);
        let late = Instant::now() + time;
        let too_long = || {
            Error::new(Code::DeadlineExceeded, format!("versions that go together were not found within {time:?}"))
                .remedy("ask for narrower ranges, or give it longer with --deadline")
        };
        let stop = move || if Instant::now() < late { Ok(()) } else { Err(too_long()) };
        let request = Request {
            selection: selection(&resolve, &host.settings().versions),
            platform: Some(host.kernel().platform()),
            stop: &stop,
            ..Request::new(resolve.wanted.clone())
        };
        let found = midplane::resolve::resolve(&available, &request);
        for one in unusable {
            notice::say(&format!("left out: {}: {}", one.path.display(), report::line(&one.error)));
        }
        match found {
            Ok(plan) if resolve.dot => output.text(&plan.to_dot())?,
            Ok(plan) if output.is_json() => output.json(&document(&plan))?,
            Ok(plan) => output.text(&text(&plan))?,
            Err(refusal) if output.is_json() => return Err(Stop::from(Error::from(refusal))),
            Err(refusal) => return Err(Stop::from(in_lines(&refusal))),
        }
        Ok(Exit::Done)
    })
    .await
}

/// A refusal for people: who asks for what, and each way out, in a line of its own.
fn in_lines(refusal: &Refusal) -> Error {
    let told: Vec<&str> = std::iter::once(&refusal.summary).chain(&refusal.causes).map(String::as_str).collect();
    let error = Error::new(refusal.code, told.join("\n"));
    if refusal.help.is_empty() { error } else { error.remedy(refusal.help.join("\nor ")) }
}

/// What the command line says, and below it the settings.
fn selection(resolve: &Resolve, settings: &Versions) -> Selection {
    Selection {
        strategy: resolve.strategy.unwrap_or(settings.strategy),
        allow_prerelease: resolve.allow_prerelease || settings.allow_prerelease,
    }
}

/// The plan with the ids wave by wave beside it.
fn document(plan: &Plan) -> serde_json::Value {
    let waves: Vec<Vec<&str>> = plan.waves().map(|wave| wave.iter().map(|step| step.id.as_str()).collect()).collect();
    json!({ "steps": plan.steps, "waves": waves })
}

fn text(plan: &Plan) -> String {
    table::columns(&plan.steps.iter().map(row).collect::<Vec<_>>())
}

fn row(step: &Step) -> [String; 4] {
    let names = |what: &str, ids: &[midplane::PluginId]| {
        let ids: Vec<&str> = ids.iter().map(midplane::PluginId::as_str).collect();
        (!ids.is_empty()).then(|| format!("{what} {}", ids.join(", ")))
    };
    let told = [
        names("needs", &step.needs),
        names("uses", &step.uses),
        names("without", &step.without),
        step.deprecated.as_ref().map(|why| format!("deprecated: {why}")),
    ];
    let told: Vec<String> = told.into_iter().flatten().collect();
    [(step.wave + 1).to_string(), step.id.to_string(), step.version.to_string(), told.join("; ")]
}
