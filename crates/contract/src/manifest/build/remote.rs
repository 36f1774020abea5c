//! Where a remote plugin's service is.

use super::texts;
use crate::manifest::document::Document;
use crate::manifest::model::{ConnectionSpec, RemoteSpec, TlsSpec};
use crate::manifest::words;
use crate::reading::quantity::{parse_duration, parse_size};
use crate::reading::tree::Node;

pub(super) fn spec(document: &Document<'_>) -> RemoteSpec {
    let discovery = document.entry("discovery").and_then(Node::text).and_then(words::discovery);
    RemoteSpec {
        endpoints: texts(document.entry("endpoints")),
        discovery: discovery.unwrap_or_default(),
        tls: document.entry("tls").map(tls),
        connection: document.entry("connection").map(connection).unwrap_or_default(),
    }
}

fn tls(node: &Node) -> TlsSpec {
    let text = |field: &str| node.get(field).and_then(Node::text).map(str::to_owned);
    TlsSpec { ca: text("ca"), cert: text("cert"), key: text("key"), server_name: text("server_name") }
}

fn connection(node: &Node) -> ConnectionSpec {
    let milliseconds = |field: &str| {
        let time = parse_duration(node.get(field)?.text()?)?;
        Some(u64::try_from(time.as_millis()).ok()?.max(1))
    };
    let retries = node.get("retries").and_then(Node::whole).and_then(|number| u32::try_from(number).ok());
    let bytes = |node: &Node| node.whole().or_else(|| node.text().and_then(parse_size));
    ConnectionSpec {
        dial_ms: milliseconds("dial"),
        keep_alive_ms: milliseconds("keep_alive"),
        keep_alive_timeout_ms: milliseconds("keep_alive_timeout"),
        probe_interval_ms: milliseconds("probe_interval"),
        retries,
        retry_pause_ms: milliseconds("retry_pause"),
        message: node.get("message").and_then(bytes),
    }
}
