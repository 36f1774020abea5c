//! Replies that come in chunks, with flow control.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use async_channel::{Receiver, Sender};
use futures_lite::Stream;
use futures_lite::future::block_on;
use midplane_contract::{Code, Error, Result};

use crate::alarm::{Alarm, until};
use crate::call::{ChunkSink, Reply};
use crate::halt::{Halt, HaltOnDrop};
use crate::invoke::{GRACE, Prepared, Returned, late_not_cancelled, too_late};

/// Chunks that a plugin can be ahead of its reader; then it waits.
pub const CHUNKS_AHEAD: usize = 4;

/// The chunks of a reply, in order. Ends after the last chunk or the first error; the deadline of the call is one.
/// Dropping it cancels the call.
pub struct ReplyStream {
    chunks: Pin<Box<Receiver<Result<Vec<u8>>>>>,
    halt: HaltOnDrop,
    alarm: Alarm,
    /// The deadline has passed and the plugin was told.
    late: bool,
    over: bool,
    sign: Box<dyn Fn(Error) -> Error + Send + Sync>,
}

impl ReplyStream {
    /// The next chunk; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<Vec<u8>>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The next chunk, waiting on this thread.
    pub fn next_blocking(&mut self) -> Option<Result<Vec<u8>>> {
        block_on(self.next())
    }

    fn end(&mut self, last: Option<Error>) -> Option<Result<Vec<u8>>> {
        self.over = true;
        // There is nothing left to stop.
        self.halt.disarm();
        let late = self.late;
        last.map(|error| Err(if late { late_not_cancelled(error) } else { error }))
    }
}

impl Stream for ReplyStream {
    type Item = Result<Vec<u8>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over {
            return Poll::Ready(None);
        }
        match self.chunks.as_mut().poll_next(context) {
            Poll::Ready(Some(Ok(chunk))) => return Poll::Ready(Some(Ok(chunk))),
            Poll::Ready(Some(Err(error))) => return Poll::Ready(self.end(Some(error))),
            Poll::Ready(None) => return Poll::Ready(self.end(None)),
            Poll::Pending => {}
        }
        while Pin::new(&mut self.alarm).poll(context).is_ready() {
            if self.late {
                let error = too_late(self.halt.outlived());
                let error = (self.sign)(error);
                return Poll::Ready(self.end(Some(error)));
            }
            self.late = true;
            self.halt.interrupt();
            // The plugin's own word on how it ended is better than ours, if it comes at once.
            self.alarm = Alarm::at(Instant::now() + GRACE);
        }
        Poll::Pending
    }
}

/// Starts the call on a thread of its own.
pub(crate) fn begin(mut prepared: Prepared, input: Vec<u8>) -> ReplyStream {
    let (sender, receiver) = async_channel::bounded(CHUNKS_AHEAD);
    let deadline = prepared.deadline();
    let sign = prepared.signature();
    let returned = Returned(Halt::new(prepared.interrupter()));
    let halt = HaltOnDrop::new(&returned.0, deadline);
    blocking::unblock(move || {
        let cap = prepared.generation().payload;
        let mut sink = Sink { sender: sender.clone(), deadline };
        let done = catch_unwind(AssertUnwindSafe(|| prepared.run_into(&input, &mut Reply::stream(&mut sink, cap))));
        drop(returned);
        let done = done.unwrap_or_else(|_| Err(Error::new(Code::Internal, "the runtime itself panicked")));
        if let Err(error) = prepared.finish(done) {
            // Nobody may be left to read it.
            let _ = sender.send_blocking(Err(error));
        }
    })
    .detach();
    let alarm = Alarm::at(deadline);
    ReplyStream { chunks: Box::pin(receiver), halt, alarm, late: false, over: false, sign }
}

struct Sink {
    sender: Sender<Result<Vec<u8>>>,
    deadline: Instant,
}

impl ChunkSink for Sink {
    fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
        match block_on(until(self.deadline, self.sender.send(Ok(bytes.to_vec())))) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Error::new(Code::Cancelled, "nobody reads the reply any longer")),
            Err(_) => Err(too_late("the deadline passed while the reader was behind")),
        }
    }
}
