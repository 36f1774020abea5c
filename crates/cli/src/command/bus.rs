//! `midplane bus stats`: what goes over the bus of a host that runs.

use midplane_node::Method;
use serde_json::{Value, json};

use super::{hosted, table};
use crate::args::{Bus, Bussing};
use crate::exit::{Exit, Outcome};
use crate::notice;
use crate::output::Output;

/// Shows the statistics.
pub(super) async fn bus(bus: Bus, output: Output) -> Outcome<Exit> {
    let Bussing::Stats { reset, data } = bus.doing;
    let method = if reset { Method::BusReset } else { Method::BusStats };
    let stats = hosted::ask(&data, method, json!({})).await?;
    if output.is_json() {
        output.json(&stats)?;
    } else {
        output.text(&notice::tidy(&text(&stats)))?;
    }
    Ok(Exit::Done)
}

fn text(stats: &Value) -> String {
    let at = |name: &str| number(stats, name);
    let mut text = format!(
        "{} published, {} subscribers, {} refused by limits, {} retained\n",
        at("total_published"),
        at("total_subscribers"),
        at("rate_limited"),
        at("retained")
    );
    let types = stats.get("published_by_type").and_then(Value::as_object).into_iter().flatten();
    let mut rows: Vec<[String; 2]> = types.map(|(topic, count)| [format!("  {topic}"), count.to_string()]).collect();
    if at("published_on_other_types") != "0" {
        rows.push(["  (others)".to_owned(), at("published_on_other_types")]);
    }
    text.push_str(&section("by type", &rows));
    let subscribers = stats.get("subscribers").and_then(Value::as_array).into_iter().flatten();
    text + &section("by subscriber", &subscribers.map(row).collect::<Vec<_>>())
}

fn section<const N: usize>(title: &str, rows: &[[String; N]]) -> String {
    if rows.is_empty() { String::new() } else { format!("\n{title}\n{}", table::columns(rows)) }
}

fn row(subscriber: &Value) -> [String; 5] {
    let name = subscriber.get("name").and_then(Value::as_str).unwrap_or_default();
    let patterns = subscriber.get("patterns").and_then(Value::as_array).into_iter().flatten();
    let patterns: Vec<&str> = patterns.filter_map(Value::as_str).collect();
    [
        format!("  {name}"),
        patterns.join(" "),
        format!("{} delivered", number(subscriber, "delivered")),
        format!("{} dropped", number(subscriber, "dropped")),
        format!("{} waiting", number(subscriber, "waiting")),
    ]
}

fn number(of: &Value, name: &str) -> String {
    of.get(name).map(Value::to_string).unwrap_or_default()
}
