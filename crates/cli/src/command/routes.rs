//! `midplane routes`: who gets which action and which file.

use midplane::routes::{Rule, Target, What};
use midplane::{Code, Error};
use midplane_node::Method;
use serde_json::{Value, json};

use super::{hosted, table};
use crate::args::{DataFolder, Routes};
use crate::exit::{Exit, Outcome};
use crate::host::Host;
use crate::output::Output;
use crate::{notice, unusable};

/// Shows the table of routes.
pub(super) async fn routes(routes: Routes, output: Output) -> Outcome<Exit> {
    if routes.data.is_some() {
        let answer = hosted::ask(&DataFolder { data: routes.data }, Method::Routes, json!({})).await?;
        return show(output, answer);
    }
    Host::with(&routes.shelves.settings.sources(), async |host| {
        for (number, text) in routes.route.iter().enumerate() {
            let set = host.kernel().set_route(&format!("--route {}", number + 1), read(text)?);
            set.map_err(|error| refused(text, &error.record().message))?;
        }
        let unusable = routes.shelves.folders.register(host).await?;
        let broken: Vec<Value> = unusable.iter().map(unusable::json).collect();
        let done = show(output, json!({ "routes": host.kernel().route_table(), "unusable": broken }));
        if !output.is_json() {
            unusable.iter().for_each(unusable::say);
        }
        done
    })
    .await
}

fn show(output: Output, answer: Value) -> Outcome<Exit> {
    if output.is_json() {
        output.json(&answer)?;
        return Ok(Exit::Done);
    }
    let rows = answer.get("routes").and_then(Value::as_array).into_iter().flatten();
    let mut rows: Vec<[String; 5]> = rows.filter_map(columns).collect();
    // Those for the same stay in the order in which they are tried.
    rows.sort_by(|a, b| (&a[0], &a[1]).cmp(&(&b[0], &b[1])));
    output.text(&notice::tidy(&table::columns(&rows)))?;
    if rows.is_empty() {
        notice::say("there are no routes here");
    }
    Ok(Exit::Done)
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

/// A row; `None` of one that another version of the host has.
fn columns(row: &Value) -> Option<[String; 5]> {
    let target = |name: &str| serde_json::from_value::<Target>(row.get(name)?.clone()).ok();
    let (kind, pattern) = kind(&serde_json::from_value(row.get("match")?.clone()).ok()?);
    let shadow = target("shadowed_by").map(|by| format!("(after {by})"));
    let priority = row.get("priority").map(Value::to_string);
    Some([
        kind.to_owned(),
        pattern,
        target("to")?.to_string(),
        priority.unwrap_or_default(),
        shadow.unwrap_or_default(),
    ])
}
