//! One call to one endpoint: in one message, or in parts.

use std::sync::Arc;
use std::time::Instant;

use futures_lite::stream;
use midplane_contract::Result;
use midplane_kernel::Reply;

use crate::endpoint::{Ask, Endpoint};
use crate::greet::Peer;
use crate::metadata::metadata;
use crate::proto::v1;
use crate::session::Mark;
use crate::status;

/// Bytes of a part of an input.
const PART: usize = 1024 * 1024;
/// Bytes that a message has beside its payload at most.
const ROOM: usize = 16 * 1024;

/// Whether a call goes in parts.
pub(crate) fn in_parts(streamed: bool, input: &[u8], message: usize) -> bool {
    streamed || input.len() > message.saturating_sub(ROOM)
}

/// Calls with one message.
pub(crate) async fn whole(
    endpoint: &Endpoint,
    peer: &Peer,
    ask: &Ask<'_>,
    input: &[u8],
    reply: &mut Reply<'_>,
) -> Result<()> {
    let request = v1::CallRequest { action: ask.method.to_owned(), input: input.to_vec() };
    let answer: v1::CallReply = endpoint.unary(peer, "/midplane.plugin.v1.Plugin/Call", request, ask).await?;
    match answer.error {
        Some(error) => Err(status::error_from(error)),
        None => reply.write_owned(answer.output),
    }
}

/// Calls with input and reply in parts. `begun` is set when the first part of the reply was handed on.
pub(crate) async fn parts(
    endpoint: &Arc<Endpoint>,
    peer: &Peer,
    ask: &Ask<'_>,
    input: &[u8],
    reply: &mut Reply<'_>,
    begun: &mut bool,
) -> Result<()> {
    let session = &endpoint.session;
    let number = session.number();
    let mark = endpoint.mark(peer, number, ask);
    let started = Instant::now();
    let part = PART.min(session.settings.message.saturating_sub(ROOM)).max(1);
    let mut pieces: Vec<v1::CallPart> =
        input.chunks(part).map(|piece| v1::CallPart { action: String::new(), input: piece.to_vec() }).collect();
    match pieces.first_mut() {
        Some(first) => first.action = ask.method.to_owned(),
        None => pieces.push(v1::CallPart { action: ask.method.to_owned(), input: Vec::new() }),
    }
    let metadata = metadata(session, ask.method, number, ask.scope);
    let (deadline, time) = ask.time();
    let told = |status| endpoint.error_of(&status, peer, ask.method, deadline);
    let done = async {
        let pieces = stream::iter(pieces);
        let path = "/midplane.plugin.v1.Plugin/CallStream";
        let mut answer = peer.link.stream(path, pieces, metadata, Some(time)).await.map_err(told)?;
        loop {
            let part: Option<v1::ReplyPart> = answer.message().await.map_err(told)?;
            let Some(part) = part else { return Ok(()) };
            if let Some(error) = part.error {
                return Err(status::error_from(error));
            }
            *begun = true;
            reply.write(&part.output)?;
        }
    }
    .await;
    mark.into_iter().for_each(Mark::ended);
    endpoint.count(started, done)
}
