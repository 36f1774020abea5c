//! An instance that lives in another process.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use midplane_contract::frame::message::Open;
use midplane_contract::frame::{FrameKind, flag};
use midplane_contract::{Code, Error, Hook, Result};
use midplane_kernel::runtime::BoxFuture;
use midplane_kernel::{Call, Condition, Instance, Interrupt, Reply, Scope};

use crate::attached::Seat;
use crate::code::{self, Tenancy};
use crate::connection::{Connection, Lane};
use crate::exchange::{Exchange, GRACE, Request, Scratch, origin};

/// One instance in a worker.
pub(crate) struct WireInstance {
    pub(crate) tenancy: Arc<Tenancy>,
    pub(crate) lane: Arc<Lane>,
    pub(crate) hooks: Arc<[Hook]>,
    scratch: Scratch,
    /// Given up last, when the peer knows that the instance is gone.
    seat: Option<Seat>,
}

impl WireInstance {
    pub(crate) fn new(tenancy: Arc<Tenancy>, lane: Arc<Lane>, hooks: Arc<[Hook]>) -> Self {
        Self { tenancy, lane, hooks, scratch: Scratch::default(), seat: None }
    }

    /// Has it keep the only seat of a peer for as long as it is there.
    pub(crate) fn sit(&mut self, seat: Seat) {
        self.seat = Some(seat);
    }

    /// Has the peer make what it stands for.
    pub(crate) fn open(&mut self, open: &Open, within: Duration) -> Result<()> {
        let open = serde_json::to_vec(open).map_err(|error| code::unwritable("OPEN", &error))?;
        let scope = Scope::within(within);
        let request = Request { kind: FrameKind::Open, flags: 0, value: 0, header: &open, scope: &scope };
        self.ask(&request, &[], &mut |_| Ok(())).map(drop)
    }

    /// Asks for something and waits for the answer on this thread.
    pub(crate) fn ask(
        &mut self,
        request: &Request<'_>,
        input: &[u8],
        take: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<bool> {
        let deadline = request.scope.deadline.instant();
        let exchange = Exchange::start(&self.tenancy.connection, &self.lane, &mut self.scratch, request, input)?;
        exchange.wait(take, deadline)
    }
}

impl Instance for WireInstance {
    fn call_inline(&mut self, call: &Call<'_>, reply: &mut Reply<'_>) -> Result<()> {
        let header = origin(call.scope);
        let flags = if reply.is_stream() { flag::STREAM } else { 0 };
        let request = Request { kind: FrameKind::Call, flags, value: call.action, header: &header, scope: call.scope };
        self.ask(&request, call.input, &mut |piece| reply.write(piece)).map(drop)
    }

    fn call<'a>(&'a mut self, call: &'a Call<'a>, reply: &'a mut Reply<'_>) -> Option<BoxFuture<'a, Result<()>>> {
        // A stream's reader may hold up whoever hands it a chunk, which a future must not do.
        if reply.is_stream() {
            return None;
        }
        let Self { tenancy, lane, scratch, .. } = self;
        let connection = &tenancy.connection;
        Some(Box::pin(Answer { step: Step::Before { connection, lane, scratch, call }, reply }))
    }

    fn hook(&mut self, hook: Hook, input: &[u8], scope: &Scope) -> Result<Option<Vec<u8>>> {
        let header = origin(scope);
        let mut reply = Vec::new();
        let known = self.hooks.contains(&hook);
        if !known && hook != Hook::Ping {
            return Ok(None);
        }
        // Without a hook of that name the worker itself answers: it lives, and its plugin says nothing of its own.
        let kind = if known { FrameKind::Hook } else { FrameKind::Ping };
        let value = Hook::ALL.iter().position(|known| *known == hook).and_then(|at| u32::try_from(at).ok());
        let request = Request { kind, flags: 0, value: value.unwrap_or(u32::MAX), header: &header, scope };
        let absent = self.ask(&request, if known { input } else { &[] }, &mut |piece| {
            reply.extend_from_slice(piece);
            Ok(())
        })?;
        Ok((known && !absent).then_some(reply))
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        Some(Arc::new(Stop { connection: Arc::clone(&self.tenancy.connection), lane: Arc::clone(&self.lane) }))
    }

    fn condition(&self) -> Condition {
        match (self.tenancy.connection.fate(), self.lane.lock().spent.clone()) {
            (Some(fate), _) => self.tenancy.judge(fate),
            (None, Some(spent)) => Condition::Spent(spent),
            (None, None) if self.tenancy.connection.settles(self.lane.number) => Condition::Settling,
            (None, None) => Condition::Ready,
        }
    }

    fn settle(&mut self) {
        self.tenancy.connection.settle(self.lane.number);
    }

    fn memory(&self) -> Option<u64> {
        self.tenancy.connection.process.resident_memory()
    }
}

impl Drop for WireInstance {
    fn drop(&mut self) {
        if self.tenancy.connection.fate().is_none() {
            let scope = Scope::within(Duration::from_secs(1));
            let request = Request { kind: FrameKind::Close, flags: 0, value: 0, header: &[], scope: &scope };
            if let Err(error) = self.ask(&request, &[], &mut |_| Ok(())) {
                tracing::debug!(plugin = %self.tenancy.connection.plugin, %error, "an instance was not closed in time");
            }
        }
        self.tenancy.connection.remove_lane(&self.lane);
    }
}

/// A call as a future.
struct Answer<'a, 'r> {
    step: Step<'a>,
    reply: &'a mut Reply<'r>,
}

enum Step<'a> {
    Before { connection: &'a Arc<Connection>, lane: &'a Arc<Lane>, scratch: &'a mut Scratch, call: &'a Call<'a> },
    During(Exchange<'a>),
    Over,
}

impl Future for Answer<'_, '_> {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let this = &mut *self;
        let mut exchange = match std::mem::replace(&mut this.step, Step::Over) {
            Step::Before { connection, lane, scratch, call } => {
                let header = origin(call.scope);
                let Call { action, input, scope, .. } = *call;
                let request = Request { kind: FrameKind::Call, flags: 0, value: action, header: &header, scope };
                match Exchange::start(connection, lane, scratch, &request, input) {
                    Ok(exchange) => {
                        connection.have_it_read();
                        exchange
                    }
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
            Step::During(exchange) => exchange,
            Step::Over => {
                let error = Error::new(Code::Internal, "a finished call was polled again");
                return Poll::Ready(Err(error.remedy("report this to the makers of Midplane")));
            }
        };
        let reply = &mut *this.reply;
        match exchange.advance(&mut |piece| reply.write(piece), Some(context.waker())) {
            Some(end) => Poll::Ready(end.map(drop)),
            None => {
                this.step = Step::During(exchange);
                Poll::Pending
            }
        }
    }
}

/// Stops what an instance in a worker is doing.
struct Stop {
    connection: Arc<Connection>,
    lane: Arc<Lane>,
}

impl Interrupt for Stop {
    fn interrupt(&self) {
        let live = self.lane.lock().live;
        if live != 0 {
            let why = Error::new(Code::Cancelled, "the call was ended");
            self.connection.cancel(&self.lane, live, GRACE, &why);
        }
    }
}
