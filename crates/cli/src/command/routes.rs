//! `midplane routes`: who gets which action and which file.

use midplane::routes::{Row, Rule, What};
use midplane::{Code, Error};
use serde_json::{Value, json};

use super::table;
use crate::args::Routes;
use crate::exit::{Exit, Outcome};
use crate::host::Host;
use crate::output::Output;
use crate::{notice, unusable};

/// Shows the table of routes.
pub(super) async fn routes(routes: Routes, output: Output) -> Outcome<Exit> {
    Host::with(&routes.shelves.settings.sources(), async |host| {
        for (number, text) in routes.route.iter().enumerate() {
            let set = host.kernel().set_route(&format!("--route {}", number + 1), read(text)?);
            set.map_err(|error| refused(text, &error.record().message))?;
        }
        let unusable = routes.shelves.folders.register(host).await?;
        let mut rows = host.kernel().route_table();
        if output.is_json() {
            let unusable: Vec<Value> = unusable.iter().map(unusable::json).collect();
            output.json(&json!({ "routes": rows, "unusable": unusable }))?;
            return Ok(Exit::Done);
        }
        // Those for the same stay in the order in which they are tried.
        rows.sort_by_key(|row| kind(&row.what));
        output.text(&notice::tidy(&table::columns(&rows.iter().map(columns).collect::<Vec<_>>())))?;
        if rows.is_empty() {
            notice::say("there are no routes here");
        }
        unusable.iter().for_each(unusable::say);
        Ok(Exit::Done)
    })
    .await
}

fn read(text: &str) -> Result<Rule, Error> {
    serde_json::from_str(text).map_err(|error| refused(text, &error.to_string()))
}

fn refused(text: &str, why: &str) -> Error {
    Error::new(Code::ConfigInvalid, format!("--route {text}: {why}"))
        .remedy("write, for example, {\"match\": {\"action\": \"image.*\"}, \"to\": {\"plugin\": \"images\"}}")
}

fn kind(what: &What) -> (&'static str, String) {
    match what {
        What::Action(pattern) => ("action", pattern.clone()),
        What::File(pattern) => ("file", pattern.clone()),
        What::Media(pattern) => ("media type", pattern.clone()),
    }
}

fn columns(row: &Row) -> [String; 5] {
    let (kind, pattern) = kind(&row.what);
    let shadow = row.shadowed_by.as_ref().map(|by| format!("(after {by})"));
    [kind.to_owned(), pattern, row.to.to_string(), row.priority.to_string(), shadow.unwrap_or_default()]
}
