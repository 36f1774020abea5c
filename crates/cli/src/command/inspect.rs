//! `midplane inspect`: a plugin's manifest and its code's facts.

use midplane::platform::{Machine, Needs, Verdict};
use midplane::runtime::CodeFacts;
use midplane::{ActionName, Manifest};
use serde_json::{Value, json};

use super::table;
use crate::args::Inspect;
use crate::code::{self, Facts};
use crate::exit::{Exit, Outcome};
use crate::host::Host;
use crate::notice;
use crate::output::Output;

/// Shows one plugin.
pub(super) async fn inspect(inspect: Inspect, output: Output) -> Outcome<Exit> {
    Host::with(&inspect.settings.sources(), async |host| {
        let (found, asked) = host.kernel().describe(&inspect.plugin).await?;
        // The code of a remote plugin is an address.
        let platform = host.kernel().platform();
        let verdict = platform.assess(&Needs::of(&found.manifest));
        let code = if found.main.is_file() { Some(code::facts(&found.main)?) } else { None };
        if output.is_json() {
            output.json(&json!({
                "folder": found.folder,
                "bare": found.bare,
                "manifest": found.manifest,
                "code": code,
                "runtime": asked.as_ref().map(runtime),
                "platform": platform.machine,
                "formats": platform.formats(),
                "compatibility": verdict,
                "warnings": found.faults,
            }))?;
            return Ok(Exit::Done);
        }
        let mut rows = who(&found.manifest);
        rows.extend(what(&found.manifest));
        rows.extend(runs_here(&platform.machine, &verdict));
        rows.extend(code.iter().flat_map(made_of));
        rows.extend(asked.iter().flat_map(found_out));
        output.text(&notice::tidy(&table::columns(&rows)))?;
        found.faults.iter().for_each(|fault| notice::say(&format!("warning: {}", fault.message)));
        Ok(Exit::Done)
    })
    .await
}

fn who(manifest: &Manifest) -> Vec<[String; 2]> {
    let mut rows = vec![row("id", &manifest.id), row("version", &manifest.version)];
    if manifest.name != manifest.id.as_str() {
        rows.push(row("name", &manifest.name));
    }
    let optional = [
        ("description", &manifest.description),
        ("author", &manifest.author),
        ("license", &manifest.license),
        ("homepage", &manifest.homepage),
    ];
    rows.extend(optional.into_iter().filter_map(|(what, text)| Some(row(what, text.as_ref()?))));
    rows
}

/// What it offers, needs and is limited to; what is not there is left out.
fn what(manifest: &Manifest) -> Vec<[String; 2]> {
    let placement = manifest.placement.map_or_else(|| "the default".to_owned(), |placement| placement.to_string());
    let entry = &manifest.entry;
    let mut rows = vec![row("runtime", entry.runtime), row("placement", placement), row("code", &entry.main)];
    let action = |spec: &midplane::contract::ActionSpec| match &spec.description {
        Some(description) => format!("{}: {description}", spec.name),
        None => spec.name.to_string(),
    };
    rows.extend(list("actions", manifest.actions.iter().map(action)));
    rows.extend(list(
        "file types",
        manifest.file_types.iter().map(|kind| {
            let action = kind.action.as_ref().map(|action| format!(" -> {action}")).unwrap_or_default();
            format!("{} (priority {}){action}", kind.extension, kind.priority)
        }),
    ));
    rows.extend(list("needs", manifest.dependencies.iter().map(|one| format!("{} {}", one.id, one.version))));
    rows.extend(list("asks for", manifest.permissions.iter().map(ToString::to_string)));
    if let Ok(Value::Object(limits)) = serde_json::to_value(&manifest.limits) {
        rows.extend(list("limits", limits.iter().map(|(name, value)| format!("{name} {value}"))));
    }
    rows
}

/// The machine, and whether it can run here: by what, or why not.
fn runs_here(machine: &Machine, verdict: &Verdict) -> Vec<[String; 2]> {
    let version = machine.version.as_deref().unwrap_or_default();
    let mut rows = vec![
        row("platform", format!("{} {} {version}", machine.os, machine.arch).trim_end()),
        row("capabilities", machine.capabilities.join(", ")),
    ];
    let by = |adapters: &[String]| format!("yes, by {}", adapters.join(", "));
    let how = match verdict.compatible {
        false => format!("no: {}", verdict.reason),
        true if verdict.adapters.is_empty() => format!("{}, as a fallback", by(&verdict.fallbacks)),
        true => by(&verdict.adapters),
    };
    rows.push(row("runs here", how));
    if !verdict.adapters.is_empty() {
        rows.extend(list("fallbacks", verdict.fallbacks.iter().cloned()));
    }
    rows.extend(list("to note", verdict.warnings.iter().cloned()));
    rows
}

fn made_of(code: &Facts) -> Vec<[String; 2]> {
    let form = &code.form;
    let mut rows = vec![
        row("file", &code.path),
        row("format", &form.format),
        row("size", format!("{} bytes", code.size)),
        row("sha256", &code.sha256),
    ];
    rows.extend(form.processor.iter().map(|processor| row("processor", processor)));
    rows.extend(form.damaged.iter().map(|why| row("damaged", why)));
    rows.extend(list("exports", form.exports.iter().cloned()));
    rows.extend(list("imports", form.imports.iter().cloned()));
    rows
}

/// What the runtime found out by asking.
fn found_out(facts: &CodeFacts) -> Vec<[String; 2]> {
    let mut rows = vec![row("build id", &facts.build_id)];
    rows.extend(list("answers", facts.actions.iter().map(ActionName::to_string)));
    rows.extend(list("hooks", facts.hooks.iter().map(|hook| hook.name().to_owned())));
    rows.extend(facts.stays_loaded.iter().map(|why| row("stays loaded", why)));
    rows
}

fn runtime(facts: &CodeFacts) -> Value {
    json!({
        "info": facts.info,
        "actions": facts.actions,
        "hooks": facts.hooks.iter().map(|hook| hook.name()).collect::<Vec<_>>(),
        "build_id": facts.build_id,
        "stays_loaded": facts.stays_loaded,
        "details": facts.details,
    })
}

fn row(what: &str, text: impl ToString) -> [String; 2] {
    [what.to_owned(), text.to_string()]
}

/// A list, one line each; its name stands before the first.
fn list(what: &str, items: impl Iterator<Item = String>) -> Vec<[String; 2]> {
    items.enumerate().map(|(number, item)| row(if number == 0 { what } else { "" }, item)).collect()
}
