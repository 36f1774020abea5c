//! `midplane status`: the host that runs, and its plugins.

use midplane_node::Method;
use serde_json::{Value, json};

use super::{hosted, table};
use crate::args::Status;
use crate::exit::{Exit, Outcome};
use crate::notice;
use crate::output::Output;

/// Shows them.
pub(super) async fn status(status: Status, output: Output) -> Outcome<Exit> {
    let params = status.id.map_or(json!({}), |id| json!({ "id": id }));
    let shown = hosted::ask(&status.data, Method::Status, params).await?;
    if output.is_json() {
        output.json(&shown)?;
        return Ok(Exit::Done);
    }
    let rows: Vec<[String; 6]> =
        shown.get("plugins").and_then(Value::as_array).into_iter().flatten().map(row).collect();
    output.text(&notice::tidy(&table::columns(&rows)))?;
    let host = |name: &str| shown.pointer(&format!("/host/{name}")).map(Value::to_string).unwrap_or_default();
    notice::say(&format!("process {}, since {}", host("pid"), host("since").trim_matches('"')));
    Ok(Exit::Done)
}

fn row(plugin: &Value) -> [String; 6] {
    let text = |pointer: &str| plugin.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let actions = plugin.pointer("/generation/actions").and_then(Value::as_array).into_iter().flatten();
    let actions: Vec<&str> = actions.filter_map(Value::as_str).collect();
    let mark = match (plugin.get("disabled") == Some(&Value::Bool(true)), text("/cause/message")) {
        (true, _) => "disabled".to_owned(),
        (false, cause) => cause.lines().next().unwrap_or_default().to_owned(),
    };
    [text("/id"), text("/manifest/version"), text("/state"), text("/generation/runtime"), actions.join(", "), mark]
}
