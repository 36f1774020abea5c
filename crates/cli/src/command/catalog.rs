//! `midplane catalog`: what the plugin folders hold.

use midplane::catalog::{By, Entry, Installed, Scan};
use midplane::{Code, Error, Kernel, PluginId};
use serde_json::{Value, json};

use super::table;
use crate::args::{Cataloguing, DataFolder, Shelves};
use crate::exit::{Exit, Outcome, Stop};
use crate::folders::Chosen;
use crate::nearest::did_you_mean;
use crate::output::Output;
use crate::{notice, policies, report, unusable};

/// Does what was asked of it.
pub(super) fn catalog(doing: &Cataloguing, output: Output) -> Outcome<Exit> {
    match doing {
        Cataloguing::List { shelves, data } => {
            let (kernel, _) = looked(shelves, data)?;
            list(&kernel, output)
        }
        Cataloguing::Show { id, shelves, data } => {
            let (kernel, _) = looked(shelves, data)?;
            show(&kernel, id, output)
        }
        Cataloguing::Installed { data } => installed(&over(data)?, output),
        Cataloguing::Rescan { shelves, data } => {
            let (kernel, scan) = looked(shelves, data)?;
            rescan(&kernel, scan, output)
        }
    }
}

/// A kernel over the data folder, which has scanned the folders that are named, if any are.
fn looked(shelves: &Shelves, data: &DataFolder) -> Outcome<(Kernel, Option<Scan>)> {
    let sources = shelves.settings.sources();
    let given = !sources.files.is_empty() || !sources.assignments.is_empty();
    let settings = policies::settings(&sources)?;
    let kernel = over(data)?;
    if !given && !shelves.folders.is_named() {
        // A catalog that was set aside, or is not there, is made anew from the folders of the last time.
        let folders = kernel.catalog().folders();
        let is_lost = kernel.catalog().entries().is_empty() && !folders.is_empty();
        let scan = is_lost.then(|| kernel.catalog().scan(&folders));
        return Ok((kernel, scan));
    }
    let Chosen { folders: named, unusable } = shelves.folders.chosen(given.then_some(&settings))?;
    unusable.iter().for_each(unusable::say);
    let scan = kernel.catalog().scan(&named);
    Ok((kernel, Some(scan)))
}

fn over(data: &DataFolder) -> Outcome<Kernel> {
    Ok(midplane::kernel().stores(midplane::data(data.folder()?)?).build())
}

fn list(kernel: &Kernel, output: Output) -> Outcome<Exit> {
    let entries = kernel.catalog().entries();
    if output.is_json() {
        output.json(&json!({ "entries": entries }))?;
        return Ok(Exit::Done);
    }
    let rows: Vec<[String; 5]> = entries.iter().map(|entry| row(entry)).collect();
    output.text(&notice::tidy(&table::columns(&rows)))?;
    if entries.is_empty() {
        notice::say("the catalog is empty; `midplane catalog rescan --plugins DIR` fills it");
    }
    Ok(Exit::Done)
}

fn row(entry: &Entry) -> [String; 5] {
    let manifest = entry.manifest.as_ref();
    let mark = match (&entry.validation_error, &entry.shadowed_by) {
        (Some(error), _) => format!("cannot be used: {}", report::line(error)),
        (None, Some(by)) => format!("{} takes its place", by.display()),
        (None, None) => String::new(),
    };
    [
        manifest.map_or("-".into(), |manifest| manifest.id.to_string()),
        manifest.map_or("-".into(), |manifest| manifest.version.to_string()),
        entry.kind.map_or("-".into(), |kind| kind.to_string()),
        entry.path.display().to_string(),
        mark,
    ]
}

fn show(kernel: &Kernel, id: &PluginId, output: Output) -> Outcome<Exit> {
    let catalog = kernel.catalog();
    let entries = catalog.by(By::Id(id.as_str()));
    let versions = catalog.versions(id)?;
    let installed = catalog.installed()?.into_iter().find(|one| one.id == *id);
    if entries.is_empty() && versions.is_empty() && installed.is_none() {
        return Err(missing(kernel, id).into());
    }
    let shown = json!({
        "id": id,
        "entries": entries,
        "versions": versions,
        "latest": catalog.latest_version(id)?.map(|info| info.version),
        "usage": catalog.usage(id),
        "metadata": catalog.metadata(id)?,
        "grants": kernel.grants(id)?,
        "installed": installed,
    });
    if output.is_json() {
        output.json(&shown)?;
        return Ok(Exit::Done);
    }
    let mut text = format!("{id}\n\n");
    for entry in &entries {
        text.push_str(&format!("  path      {}\n", entry.path.display()));
        let [_, version, kind, _, mark] = row(entry);
        text.push_str(&format!("  version   {version}, {kind}, {} bytes, {}\n", entry.size, entry.mod_time));
        text.push_str(&format!("  checksum  {}\n", entry.checksum));
        if !mark.is_empty() {
            text.push_str(&format!("  {mark}\n"));
        }
        text.push('\n');
    }
    text.push_str(&known(&shown, installed.as_ref()));
    output.text(&notice::tidy(&text))?;
    Ok(Exit::Done)
}

/// What is known beside the entries.
fn known(shown: &Value, installed: Option<&Installed>) -> String {
    let at = |pointer: &str| shown.pointer(pointer).cloned().unwrap_or_default();
    let mut text = String::new();
    for version in at("/versions").as_array().into_iter().flatten() {
        let is = |name: &str| version.get(name) == Some(&Value::Bool(true));
        let word = |name: &str| version.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let stable = if is("is_stable") { "stable" } else { "not stable" };
        let deprecated = if is("is_deprecated") { ", deprecated" } else { "" };
        text.push_str(&format!("  {}  {stable}{deprecated}  {}\n", word("version"), word("changelog")));
    }
    text.push_str(&format!("  loaded {} times, called {} times\n", at("/usage/load_count"), at("/usage/access_count")));
    if let Some(installed) = installed {
        let [_, version, status, path, why] = record(installed);
        text.push_str(format!("  {status}: {version} in {path}  {why}").trim_end());
        text.push('\n');
    }
    text
}

fn installed(kernel: &Kernel, output: Output) -> Outcome<Exit> {
    let installed = kernel.catalog().installed()?;
    if output.is_json() {
        output.json(&json!({ "installed": installed }))?;
        return Ok(Exit::Done);
    }
    output.text(&notice::tidy(&table::columns(&installed.iter().map(record).collect::<Vec<_>>())))?;
    if installed.is_empty() {
        notice::say("nothing is installed; `midplane install PATH` installs a plugin");
    }
    Ok(Exit::Done)
}

/// An installed record in a line, with the error of one that came to nothing.
fn record(installed: &Installed) -> [String; 5] {
    let status = serde_json::to_value(installed.status).unwrap_or_default();
    let why = installed.metadata.get("error").and_then(|error| error.get("message")).and_then(Value::as_str);
    [
        installed.id.to_string(),
        installed.version.to_string(),
        status.as_str().unwrap_or_default().to_owned(),
        installed.path.display().to_string(),
        why.and_then(|why| why.lines().next()).unwrap_or_default().to_owned(),
    ]
}

fn missing(kernel: &Kernel, id: &PluginId) -> Error {
    let entries = kernel.catalog().entries();
    let ids = entries.iter().filter_map(|entry| entry.id()).map(PluginId::as_str);
    let remedy = did_you_mean(id.as_str(), ids, "plugins in the catalog");
    Error::new(Code::PluginNotFound, format!("the catalog has no plugin `{id}`")).remedy(remedy).plugin(id)
}

fn rescan(kernel: &Kernel, scan: Option<Scan>, output: Output) -> Outcome<Exit> {
    let scan = match scan {
        Some(scan) => scan,
        None => {
            let folders = kernel.catalog().folders();
            if folders.is_empty() {
                let remedy = "name one with --plugins DIR, or several in MIDPLANE_PLUGINS; they are remembered";
                return Err(Stop::usage("no folder with plugins is known", remedy));
            }
            kernel.catalog().scan(&folders)
        }
    };
    if output.is_json() {
        output.json(&scan)?;
        return Ok(Exit::Done);
    }
    let mut text = String::new();
    for change in &scan.changes {
        let kind = serde_json::to_value(change.change).unwrap_or_default();
        let [id, version, _, path, mark] = row(&change.entry);
        text.push_str(&format!("{}  {id} {version}  {path}  {mark}\n", kind.as_str().unwrap_or_default()));
    }
    let Scan { found, valid, invalid, shadowed, read, took_ms, .. } = scan;
    text.push_str(&format!(
        "{found} found, {valid} valid, {invalid} invalid, {shadowed} shadowed; {read} read in {took_ms:.1} ms\n"
    ));
    output.text(&notice::tidy(&text))?;
    if let Some(error) = &scan.not_kept {
        notice::say(&format!("the catalog could not be kept: {}", report::line(error)));
    }
    Ok(Exit::Done)
}
