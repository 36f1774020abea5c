//! What a plugin fetches ends with the call that it is for.

use futures_lite::future::{block_on, poll_once};
use midplane_contract::Permission;
use midplane_kernel::{CallOptions, Policy};
use serde_json::json;

use super::faults::{LONG, leisurely};
use super::site::{Site, told};
use super::{Outcome, ensure};
use crate::Loopback;

/// A call that waits for a web server is given up: the connection is closed at once, and the next call is answered.
pub(super) fn given_up(site: &Site<'_>) -> Outcome {
    let loopback = Loopback::start(0).map_err(|error| format!("no loopback server: {error}"))?;
    let web = format!("network.http:{}/**", loopback.origin());
    let grants = vec![Permission::parse(&web).map_err(|error| error.to_string())?];
    let id = site.load_with(&site.unique("fetching"), Policy { grants, ..leisurely(site) })?;
    let ask = json!({ "function": "http.fetch", "args": { "url": format!("{}/never", loopback.origin()) } });
    let host = site.action(&id, "host")?;
    let mut call = Box::pin(host.call_with(ask.to_string(), CallOptions::within(LONG)));
    let mut ended = None;
    let asked = site.eventually(|| {
        ended = ended.take().or_else(|| block_on(poll_once(&mut call)));
        ended.is_some() || !loopback.requests().is_empty()
    });
    ensure!(ended.is_none(), "the call has ended before any answer: {:?}", ended.map(|ended| ended.map_err(told)));
    ensure!(asked, "nothing asks the server");
    drop(call);
    ensure!(site.eventually(|| loopback.left() == 1), "the connection stays open after the call was given up");
    site.comes_back(&id)
}
