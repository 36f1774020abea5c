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

fn row(subscriber: &Value) -> [String; 6] {
    let name = subscriber.get("name").and_then(Value::as_str).unwrap_or_default();
    let patterns = subscriber.get("patterns").and_then(Value::as_array).into_iter().flatten();
    let patterns: Vec<&str> = patterns.filter_map(Value::as_str).collect();
    [
        format!("  {name}"),
        patterns.join(" "),
        format!("{} delivered", number(subscriber, "delivered")),
        format!("{} dropped", number(subscriber, "dropped")),
        format!("{} waiting", number(subscriber, "waiting")),
        more(subscriber),
    ]
}

/// What is not said of every subscriber.
fn more(subscriber: &Value) -> String {
    let word = |name: &str| subscriber.get(name).and_then(Value::as_str);
    let count = |name: &str| subscriber.get(name).and_then(Value::as_u64).filter(|count| *count > 0);
    let group = word("group").map(|group| format!("group {group}"));
    let counts = ["filtered", "panics"].map(|name| count(name).map(|count| format!("{count} {name}")));
    let all = group.into_iter().chain(word("overflow").map(str::to_owned)).chain(counts.into_iter().flatten());
    all.collect::<Vec<_>>().join(", ")
}

fn number(of: &Value, name: &str) -> String {
    of.get(name).map(Value::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscriber_s_group_policy_filter_and_panics_are_told() {
        let subscriber = |more: Value| {
            let mut one = json!({ "name": "s", "patterns": ["a.*"], "delivered": 3, "dropped": 1, "waiting": 2 });
            one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            row(&one).join("|")
        };
        assert_eq!(subscriber(json!({})), "  s|a.*|3 delivered|1 dropped|2 waiting|");
        let all = json!({ "group": "g", "overflow": "block", "filtered": 4, "panics": 5 });
        assert_eq!(subscriber(all), "  s|a.*|3 delivered|1 dropped|2 waiting|group g, block, 4 filtered, 5 panics");
        assert!(subscriber(json!({ "overflow": "drop_oldest", "filtered": 0 })).ends_with("|drop_oldest"));
    }
}
