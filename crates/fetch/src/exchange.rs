//! One request, one answer, over a connection of their own.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::HeaderMap;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use midplane_contract::Result;
use midplane_kernel::Reach;
use tokio::time::{self, timeout_at};
use tokio_rustls::rustls::ClientConfig;

use crate::connect::connect;
use crate::fault::{self, Stage};
use crate::outgoing::Outgoing;
use crate::resolve::Resolve;
use crate::target::Target;

/// Most bytes of the head of an answer, and most headers in it.
const HEAD: usize = 64 * 1024;
const HEADERS: usize = 128;
/// Bytes of a body that is not there yet for which room is made beforehand, at most.
const EXPECTED: u64 = 1024 * 1024;

/// One request, with all that it takes.
pub(crate) struct Exchange {
    pub(crate) target: Target,
    pub(crate) outgoing: Outgoing,
    pub(crate) reach: Reach,
    pub(crate) names: Arc<dyn Resolve>,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) cap: usize,
    pub(crate) deadline: Instant,
}

/// One answer. Of one that leads elsewhere the body is left out.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Exchange {
    /// Connects, sends, and reads the answer. Dropping it ends the connection.
    ///
    /// # Errors
    /// By stage.
    pub(crate) async fn run(self) -> Result<Answer> {
        let request = self.outgoing.to(&self.target)?;
        let stream = connect(&self.target, self.reach, self.names, self.tls, self.deadline).await?;
        let shown = self.target.shown();
        let late = time::Instant::from_std(self.deadline);
        let conversation = async {
            let broken = |error| fault::broken(Stage::Headers, shown, &error);
            let mut talk = http1::Builder::new();
            talk.max_buf_size(HEAD).max_headers(HEADERS);
            let (mut sender, connection) = talk.handshake(TokioIo::new(stream)).await.map_err(broken)?;
            let answer = async {
                let sent = timeout_at(late, sender.send_request(request)).await;
                let answer = sent.map_err(|_| fault::too_late(Stage::Headers, shown))?.map_err(broken)?;
                let read = timeout_at(late, whole(answer, shown, self.cap)).await;
                read.map_err(|_| fault::too_late(Stage::Body, shown))?
            };
            beside(connection, answer).await
        };
        conversation.await
    }
}

/// Drives the connection until the answer is there.
async fn beside<T>(connection: impl Future, answer: impl Future<Output = Result<T>>) -> Result<T> {
    // What ends a connection is said to who waits for the answer.
    let connection = async {
        connection.await;
        std::future::pending().await
    };
    futures_lite::future::or(answer, connection).await
}

async fn whole(answer: Response<Incoming>, shown: &str, cap: usize) -> Result<Answer> {
    let (head, mut incoming) = answer.into_parts();
    let mut answer = Answer { status: head.status, headers: head.headers, body: Vec::new() };
    if answer.status.is_redirection() && answer.headers.contains_key(hyper::header::LOCATION) {
        return Ok(answer);
    }
    let expected = incoming.size_hint().lower();
    if expected > cap as u64 {
        return Err(fault::too_large(shown, cap));
    }
    answer.body.reserve(usize::try_from(expected.min(EXPECTED)).unwrap_or(0));
    while let Some(piece) = next(&mut incoming).await {
        let piece = piece.map_err(|error| fault::broken(Stage::Body, shown, &error))?;
        if answer.body.len() + piece.len() > cap {
            return Err(fault::too_large(shown, cap));
        }
        answer.body.extend_from_slice(&piece);
    }
    Ok(answer)
}

/// The next bytes; trailers are left out.
async fn next(incoming: &mut Incoming) -> Option<hyper::Result<Bytes>> {
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut *incoming).poll_frame(context)).await?;
        match frame.map(|frame| frame.into_data()) {
            Ok(Ok(data)) => return Some(Ok(data)),
            Ok(Err(_)) => {}
            Err(error) => return Some(Err(error)),
        }
    }
}
