//! How a process is started and reached.

use crate::manifest::document::Document;
use crate::manifest::model::ProcessSpec;
use crate::manifest::parse_duration;
use crate::manifest::words;
use crate::reading::tree::Node;

pub(super) fn spec(document: &Document<'_>) -> ProcessSpec {
    let text = |field: &str| document.entry(field).and_then(Node::text);
    let milliseconds = |field: &str| u64::try_from(parse_duration(text(field)?)?.as_millis()).ok();
    ProcessSpec {
        executable: text("executable").map(str::to_owned),
        protocol: text("protocol").and_then(words::protocol),
        network: text("network").and_then(words::network),
        address: text("address").map(str::to_owned),
        timeout_ms: milliseconds("timeout"),
        heartbeat_interval_ms: milliseconds("heartbeat_interval"),
        max_retries: document.entry("max_retries").and_then(Node::whole).and_then(|number| u32::try_from(number).ok()),
    }
}
