//! One script of host calls, whose transcript is the same text in every cell.
//!
//! `transcript/script.json` asks for every function of the host API, and for what is refused; `transcript/expected.txt` is
//! what the host answers. The plugin writes answers down as they come, and the lines that cannot be the same twice are
//! replaced by their shape here.

use std::collections::BTreeSet;

use midplane_contract::{HostFunction, Permission};
use midplane_kernel::Policy;
use serde_json::{Map, Value, json};

use super::site::{Site, told};
use super::{Outcome, ensure};
use crate::{Loopback, hexadecimal};

const SCRIPT: &str = include_str!("transcript/script.json");
const EXPECTED: &str = include_str!("transcript/expected.txt");
/// Longer than the arguments of any host function may be.
const LONG: usize = 70_000;
/// Most bytes of one payload, so that too large an answer is no matter of minutes.
const PAYLOAD: usize = 1024 * 1024;

pub(super) fn transcript(site: &Site<'_>) -> Outcome {
    let loopback = Loopback::start(PAYLOAD + 1).map_err(|error| format!("no loopback server: {error}"))?;
    let said = site.kernel.bus().subscribe("transcript.said").map_err(told)?;
    let script = script(&loopback)?;
    let id = site.load_with("scripted", policy(site, &loopback)?)?;
    answering(site)?;
    // A step on each line: a script in Bash has no better way to take them apart.
    let steps: Vec<String> = script.iter().map(Value::to_string).collect();
    let lines = site.call(&id, "transcript", format!("[\n{}\n]", steps.join(",\n"))).map_err(told)?;
    let lines = String::from_utf8(lines).map_err(|error| format!("the transcript is no text: {error}"))?;
    ensure!(lines.lines().count() == script.len(), "{} steps gave {} lines", script.len(), lines.lines().count());
    let mut written = String::new();
    for (step, line) in script.iter().zip(lines.lines()) {
        written += &entry(step, line)?;
    }
    written += &seen(site, &id, &said, &loopback)?;
    let written = written.replace(&loopback.address(), "loopback").replace(&"x".repeat(LONG), "LONG");
    first_difference(&written)
}

/// The steps, with the places of this run in them.
fn script(loopback: &Loopback) -> Result<Vec<Value>, String> {
    let text = SCRIPT.replace("ORIGIN", &loopback.origin()).replace("LONG", &"x".repeat(LONG));
    let steps: Vec<Value> = serde_json::from_str(&text).map_err(|error| format!("the script: {error}"))?;
    let asked: BTreeSet<&str> = steps.iter().filter_map(|step| step.get("function")?.as_str()).collect();
    let left_out = HostFunction::ALL.iter().find(|function| !asked.contains(function.name()));
    ensure!(left_out.is_none(), "the script leaves {left_out:?} out");
    Ok(steps)
}

/// Everything is granted but what is called `hidden`.
fn policy(site: &Site<'_>, loopback: &Loopback) -> Result<Policy, String> {
    let web = format!("network.http:{}/**", loopback.origin());
    let hidden_page = format!("!network.http:{}/hidden", loopback.origin());
    let others = super::PERMISSIONS.iter().copied().filter(|permission| *permission != "network.http");
    let hidden = [
        "!state.write:hidden",
        "!bus.publish:hidden.*",
        "!bus.subscribe:hidden.*",
        "!plugin.call:hidden/**",
        "!service.call:hidden.*",
        "!metrics.write:hidden",
        "!secret.read:hidden",
    ];
    let grants = others.chain(hidden).chain([web.as_str(), hidden_page.as_str()]);
    let grants = grants.map(Permission::parse).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    let mut policy = Policy { grants, config: fields(json!({ "color": "blue" })), ..site.subject.policy() };
    policy.limits.payload = Some(PAYLOAD as u64);
    Ok(policy)
}

/// The plugin that the script calls, asks and finds.
fn answering(site: &Site<'_>) -> Outcome {
    let grants = vec![Permission::parse("bus.subscribe").map_err(|error| error.to_string())?];
    let grants = grants.into_iter().chain(Permission::parse("plugin.call").ok()).collect();
    let config = fields(json!({ "answer": [42, "é"] }));
    let policy = Policy { grants, config, priority: 3, ..site.subject.policy() };
    let provides = json!({ "provides": ["transcript.echo@1.2.0"] });
    let id = site.load_folder(&site.subject.plugin("answering", 1).with("interfaces", provides), policy)?;
    let subscribe = json!({ "function": "bus.subscribe", "args": { "topic": "transcript.question" } });
    site.call(&id, "host", subscribe.to_string()).map_err(told).map(drop)
}

fn fields(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// A step and its answer, as the transcript shows them.
fn entry(step: &Value, line: &str) -> Result<String, String> {
    let text = |key: &str| step.get(key).and_then(Value::as_str).unwrap_or_default();
    let asked = format!("{} {}", text("function"), step.get("args").unwrap_or(&Value::Null));
    let payload = shown(&hexadecimal::read(text("payload"))?);
    let asked = if payload.is_empty() { asked } else { format!("{asked} {payload}") };
    let answer = match line.split_once(' ') {
        Some(("ok", digits)) => format!("ok {}", shape(text("function"), &hexadecimal::read(digits)?)),
        Some(("error", rest)) => {
            let (code, digits) = rest.split_once(' ').ok_or_else(|| format!("`{line}` is no line of a transcript"))?;
            format!("{code}: {}", shown(&hexadecimal::read(digits)?))
        }
        _ => return Err(format!("`{line}` is no line of a transcript")),
    };
    Ok(format!("{asked}\n  {}\n", answer.trim_end()))
}

/// An answer; of one that is never the same, what it has to look like.
fn shape(function: &str, answer: &[u8]) -> String {
    let digits = |bytes: &[u8]| !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
    let is_time = || {
        let text = std::str::from_utf8(answer).ok()?.strip_prefix('"')?.strip_suffix("Z\"")?;
        let (date, time) = text.split_once('T')?;
        let parts = date.split('-').chain(time.split([':', '.']));
        Some(parts.clone().count() >= 6 && parts.into_iter().all(|part| digits(part.as_bytes())))
    };
    match function {
        "time.now" if is_time() == Some(true) => "(a time in RFC 3339)".to_owned(),
        "time.monotonic" if digits(answer) => "(nanoseconds)".to_owned(),
        "random" => format!("({} bytes)", answer.len()),
        _ => shown(answer),
    }
}

/// Bytes as text; what is none, or controls something, is escaped.
fn shown(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter.is_control() { text.extend(letter.escape_default()) } else { text.push(letter) }
        }
        text += &chunk.invalid().escape_ascii().to_string();
    }
    text
}

/// What the script has left behind: events, requests to the server, measurements, a line of the log.
fn seen(
    site: &Site<'_>,
    id: &midplane_contract::PluginId,
    said: &midplane_kernel::bus::Subscription,
    loopback: &Loopback,
) -> Result<String, String> {
    let mut seen = "\n".to_owned();
    while let Some(event) = said.try_next() {
        seen += &format!("event from {}: {} {}\n", event.sender(), event.content_type(), event.data());
    }
    for request in loopback.requests() {
        seen += &format!("request: {request}\n");
    }
    for series in site.kernel.metrics(id).map_err(told)? {
        seen += &format!("measured: {}\n", serde_json::to_string(&series).map_err(|error| error.to_string())?);
    }
    ensure!(site.hears(id, "the script begins"), "the line of the log is not there");
    Ok(seen)
}

fn first_difference(written: &str) -> Outcome {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (written, expected) = (lines(written), lines(EXPECTED));
    let differs = written.iter().zip(&expected).position(|(one, other)| one != other);
    if let Some(at) = differs {
        let asked = written.get(at.saturating_sub(1)).cloned().unwrap_or_default();
        let one = |lines: &[String]| lines.get(at).cloned().unwrap_or_default();
        return Err(format!(
            "line {} of the transcript, after\n  {asked}\nis\n  {}\nand should be\n  {}",
            at + 1,
            one(&written),
            one(&expected)
        ));
    }
    ensure!(written.len() == expected.len(), "{} lines of transcript, not {}", written.len(), expected.len());
    Ok(())
}
