//! The way back: what a service asks of its host.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use futures_lite::stream;
use midplane_contract::{Code, Error, HostFunction, Result};
use midplane_kernel::{HostRequest, Scope, Within};
use tokio::sync::mpsc::{self, Sender};

use crate::endpoint::Endpoint;
use crate::greet::Peer;
use crate::metadata::metadata;
use crate::proto::v1;
use crate::session::UnderWay;
use crate::status;

/// Requests of one service that are answered at once at most, as on the wire.
const AT_ONCE: usize = 256;
/// Bytes that a message has beside its payload at most.
const ROOM: usize = 16 * 1024;

/// Opens the way back and serves it until the connection ends.
pub(crate) async fn serve(endpoint: Weak<Endpoint>, peer: Weak<Peer>) {
    let Err(error) = follow(&endpoint, &peer).await else { return };
    if let Some(endpoint) = endpoint.upgrade() {
        tracing::warn!(plugin = %endpoint.session.plugin, %error, "the way back of a remote plugin has ended");
    }
}

async fn follow(endpoint: &Weak<Endpoint>, peer: &Weak<Peer>) -> Result<()> {
    let (answers, mut waiting) = mpsc::channel::<v1::HostReply>(AT_ONCE);
    let outgoing = stream::poll_fn(move |context| waiting.poll_recv(context));
    let told = |status: &tonic::Status| status::error_of(status, "the service", "Host");
    // Neither is kept while the service has not begun to ask, which may be never: they end this when they go.
    let opening = {
        let (Some(endpoint), Some(peer)) = (endpoint.upgrade(), peer.upgrade()) else { return Ok(()) };
        let session = &endpoint.session;
        let metadata = metadata(session, "Host", session.number(), &Scope::default());
        peer.link.stream("/midplane.plugin.v1.Plugin/Host", outgoing, metadata, None)
    };
    let mut requests = opening.await.map_err(|status| told(&status))?;
    let busy = Arc::new(AtomicUsize::new(0));
    loop {
        let request: Option<v1::HostRequest> = requests.message().await.map_err(|status| told(&status))?;
        let (Some(request), Some(endpoint)) = (request, endpoint.upgrade()) else { return Ok(()) };
        accept(&endpoint, request, &answers, &busy);
    }
}

fn accept(
    endpoint: &Arc<Endpoint>,
    request: v1::HostRequest,
    answers: &Sender<v1::HostReply>,
    busy: &Arc<AtomicUsize>,
) {
    let function = HostFunction::named(&request.function);
    if matches!(function, Ok(HostFunction::Log)) {
        // Lines keep their order, and writing one does not block.
        let id = request.id;
        answer(answers, id, run(endpoint, HostFunction::Log, &request), endpoint);
        return;
    }
    let function = match function {
        Ok(function) => function,
        Err(unknown) => return answer(answers, request.id, Err(unknown), endpoint),
    };
    if busy.fetch_add(1, Ordering::SeqCst) >= AT_ONCE {
        busy.fetch_sub(1, Ordering::SeqCst);
        let error = Error::new(Code::Overloaded, format!("{AT_ONCE} requests wait for the host already"));
        answer(answers, request.id, Err(error.remedy("ask less at once")), endpoint);
        return;
    }
    let (endpoint, answers, busy) = (Arc::clone(endpoint), answers.clone(), Arc::clone(busy));
    tokio::task::spawn_blocking(move || {
        let done = run(&endpoint, function, &request);
        busy.fetch_sub(1, Ordering::SeqCst);
        answer(&answers, request.id, done, &endpoint);
    });
}

fn run(endpoint: &Endpoint, function: HostFunction, request: &v1::HostRequest) -> Result<Vec<u8>> {
    let session = &endpoint.session;
    let asked = HostRequest { function, args: &request.args, payload: &request.payload };
    match session.under_way(request.call, endpoint.number) {
        Some(UnderWay { host, scope, action, .. }) => {
            host.request(&Within { scope: &scope, action: action.as_deref() }, &asked)
        }
        None => {
            let host = session.any_host().ok_or_else(|| Error::new(Code::NotRunning, "the plugin has no instance"))?;
            host.request(&Within { scope: &Scope::default(), action: None }, &asked)
        }
    }
}

/// Answers without waiting: a service that reads none of its answers does not get more.
fn answer(answers: &Sender<v1::HostReply>, id: u64, done: Result<Vec<u8>>, endpoint: &Endpoint) {
    if id == 0 {
        return;
    }
    let most = endpoint.session.settings.message.saturating_sub(ROOM);
    let done = done.and_then(|output| {
        if output.len() <= most {
            return Ok(output);
        }
        let message = format!("the answer has {} bytes, more than the {most} that fit a message", output.len());
        Err(Error::new(Code::LimitExceeded, message).with("which", "message").with("limit", most))
    });
    let reply = match done {
        Ok(output) => v1::HostReply { id, output, error: None },
        Err(error) => v1::HostReply { id, output: Vec::new(), error: Some(status::told(&error)) },
    };
    if answers.try_send(reply).is_err() {
        tracing::warn!(plugin = %endpoint.session.plugin, "a remote plugin does not read the host's answers");
    }
}
