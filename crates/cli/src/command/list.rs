//! `midplane list`: the plugins in folders.

use std::path::Path;

use midplane::Manifest;
use serde::Serialize;
use serde_json::{Value, json};

use super::table;
use crate::args::List;
use crate::exit::{Exit, Outcome};
use crate::host::Host;
use crate::output::Output;
use crate::{notice, unusable};

/// A plugin in the list.
#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    name: &'a str,
    version: String,
    description: Option<&'a str>,
    #[serde(rename = "type")]
    plugin_type: Value,
    runtime: &'a str,
    actions: Vec<&'a str>,
    extensions: Vec<&'a str>,
    path: &'a str,
}

/// Lists them, those that cannot be used with the reason.
pub(super) async fn list(list: List, output: Output) -> Outcome<Exit> {
    Host::with(&list.shelves.settings.sources(), async |host| {
        let unusable = list.shelves.folders.register(host).await?;
        let statuses = host.kernel().statuses();
        let entries: Vec<Entry<'_>> = statuses.iter().map(|status| entry(&status.manifest, &status.path)).collect();
        if output.is_json() {
            let unusable: Vec<Value> = unusable.iter().map(unusable::json).collect();
            output.json(&json!({ "plugins": entries, "unusable": unusable }))?;
            return Ok(Exit::Done);
        }
        output.text(&notice::tidy(&table::columns(&entries.iter().map(row).collect::<Vec<_>>())))?;
        if entries.is_empty() {
            notice::say("there are no plugins here");
        }
        for one in unusable {
            unusable::say(&one);
            notice::say(&advice(&one.path));
        }
        Ok(Exit::Done)
    })
    .await
}

fn advice(path: &Path) -> String {
    format!("  `midplane check {}` says more", path.display())
}

fn entry<'a>(manifest: &'a Manifest, path: &'a str) -> Entry<'a> {
    Entry {
        id: manifest.id.as_str(),
        name: &manifest.name,
        version: manifest.version.to_string(),
        description: manifest.description.as_deref(),
        plugin_type: json!(manifest.plugin_type),
        runtime: manifest.entry.runtime.as_str(),
        actions: manifest.actions.iter().map(|spec| spec.name.as_str()).collect(),
        extensions: manifest.file_types.iter().map(|kind| kind.extension.as_str()).collect(),
        path,
    }
}

fn row(entry: &Entry<'_>) -> [String; 6] {
    [
        entry.id.to_owned(),
        entry.version.clone(),
        entry.runtime.to_owned(),
        entry.actions.join(" "),
        entry.extensions.join(" "),
        entry.description.unwrap_or_default().to_owned(),
    ]
}
