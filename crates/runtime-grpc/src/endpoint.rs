//! One endpoint of a plugin: its connection, how it stands, and what was asked of it.

mod counts;
mod keeper;
mod life;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use midplane_contract::{Code, Error, Result};
use midplane_kernel::{Host, Scope};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::discovery::Location;
use crate::greet::Peer;
use crate::link::Msg;
use crate::metadata::metadata;
use crate::session::{Mark, Session, UnderWay};
use crate::status;

use counts::Counts;
pub(crate) use keeper::keep;
use life::Life;

/// The longest time that a service is told: gRPC has no words for an eternity.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);
/// How much earlier than here a deadline may pass at a service.
const SLACK: Duration = Duration::from_millis(20);

/// One endpoint.
pub(crate) struct Endpoint {
    /// A number that no other endpoint of the session has.
    pub(crate) number: u64,
    pub(crate) location: Location,
    pub(crate) session: Arc<Session>,
    now: Mutex<Now>,
    life: tokio::sync::Mutex<Life>,
    counts: Counts,
    /// Somebody has reason to doubt the connection.
    doubt: Notify,
}

/// How an endpoint stands.
struct Now {
    state: State,
    peer: Option<Arc<Peer>>,
    host: Option<AbortHandle>,
    /// Dials that have ended, well or not.
    dials: u64,
    last_error: Option<Error>,
    last_check: Option<Timestamp>,
    connected_at: Option<Timestamp>,
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Being dialled, asked and brought to where its session stands.
    Connecting,
    /// It takes calls.
    Ready,
    /// Connected, and the service says that it does not serve.
    NotServing,
    /// Lost or refused; it is dialled again after a pause.
    Waiting,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Ready => "ready",
            Self::NotServing => "not_serving",
            Self::Waiting => "waiting",
        }
    }
}

/// On whose behalf something is asked of an endpoint.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    /// The action, the hook, or the method.
    pub(crate) method: &'a str,
    /// Whether it is an action.
    pub(crate) is_action: bool,
    pub(crate) scope: &'a Scope,
    /// The way back to the kernel of the instance that asks.
    pub(crate) host: Option<&'a Arc<dyn Host>>,
}

impl Ask<'_> {
    /// When the answer has to be there, and how long the service is told that it has.
    pub(crate) fn time(&self) -> (Instant, Duration) {
        let deadline = self.scope.deadline.instant();
        (deadline, deadline.saturating_duration_since(Instant::now()).min(LONGEST))
    }
}

impl Endpoint {
    pub(crate) fn new(location: Location, session: &Arc<Session>) -> Arc<Self> {
        let now = Now {
            state: State::Connecting,
            peer: None,
            host: None,
            dials: 0,
            last_error: None,
            last_check: None,
            connected_at: None,
        };
        Arc::new(Self {
            number: session.number(),
            location,
            session: Arc::clone(session),
            now: Mutex::new(now),
            life: tokio::sync::Mutex::default(),
            counts: Counts::default(),
            doubt: Notify::new(),
        })
    }

    /// The connection, if it takes calls.
    pub(crate) fn ready(&self) -> Option<Arc<Peer>> {
        let now = self.now();
        if now.state == State::Ready { now.peer.clone() } else { None }
    }

    /// How often it was dialled.
    pub(crate) fn dials(&self) -> u64 {
        self.now().dials
    }

    /// Its address and how it stands, for messages, with its last error.
    pub(crate) fn standing(&self) -> (String, Option<Error>) {
        let now = self.now();
        (format!("{} is {}", self.location.address, now.state.word()), now.last_error.clone())
    }

    /// Asks with one message and waits for one.
    pub(crate) async fn unary<Q: Msg, R: Msg>(
        &self,
        peer: &Peer,
        path: &'static str,
        message: Q,
        ask: &Ask<'_>,
    ) -> Result<R> {
        let number = self.session.number();
        let mark = self.mark(peer, number, ask);
        let metadata = metadata(&self.session, ask.method, number, ask.scope);
        let (deadline, time) = ask.time();
        let started = Instant::now();
        let reply = peer.link.unary(path, message, metadata, Some(time)).await;
        mark.into_iter().for_each(Mark::ended);
        let done = reply.map_err(|status| self.error_of(&status, peer, ask.method, deadline));
        if !ask.is_action && done.as_ref().is_err_and(|error| error.code() == Code::NotSupported) {
            // A hook that the service does not have is nothing that went wrong.
            self.counts.add(started.elapsed(), false);
            return done;
        }
        self.count(started, done)
    }

    /// Notes that something is under way, for what the service asks meanwhile.
    pub(crate) fn mark(&self, peer: &Peer, number: u64, ask: &Ask<'_>) -> Option<Mark> {
        let host = ask.host.filter(|_| peer.offer.asks)?;
        let request = UnderWay {
            endpoint: self.number,
            host: Arc::clone(host),
            scope: ask.scope.clone(),
            action: ask.is_action.then(|| ask.method.into()),
        };
        Some(self.session.begin(number, request))
    }

    /// What a status means, with what is known of the connection's end.
    pub(crate) fn error_of(&self, status: &tonic::Status, peer: &Peer, method: &str, deadline: Instant) -> Error {
        let error = status::error_of(status, &peer.link.name, method);
        // Who gives a request up here waits for no answer: a service that says CANCELLED keeps the deadline itself.
        if error.code() == Code::Cancelled && Instant::now() + SLACK >= deadline {
            return Error::new(Code::DeadlineExceeded, "the deadline passed before the service had answered")
                .remedy("allow more time, or find out what keeps the service")
                .with("endpoint", peer.link.name.as_str());
        }
        if error.code() != Code::PeerGone {
            return error;
        }
        self.doubt.notify_one();
        match peer.link.fate() {
            Some(fate) => error.because(&fate),
            None => error,
        }
    }

    /// Counts what was asked and how it ended.
    pub(crate) fn count<T>(&self, started: Instant, done: Result<T>) -> Result<T> {
        self.counts.add(started.elapsed(), done.is_err());
        if let Err(error) = &done {
            self.now().last_error = Some(error.clone());
        }
        done
    }

    /// Everything that is worth showing.
    pub(crate) fn details(&self) -> Value {
        let (requests, errors, times) = self.counts.shown();
        let now = self.now();
        let offer = now.peer.as_ref().map(|peer| &peer.offer);
        json!({
            "address": self.location.address.to_string(),
            "at": self.location.socket.map(|socket| socket.to_string()),
            "state": now.state.word(),
            "capabilities": offer.map(|offer| &offer.info.capabilities),
            "capability_config": offer.map(|offer| &offer.capability_config),
            "metadata": offer.map(|offer| &offer.metadata),
            "requests": requests,
            "errors": errors,
            "last_error": now.last_error,
            "last_check": now.last_check.map(|at| at.to_string()),
            "connected_at": now.connected_at.map(|at| at.to_string()),
            "dials": now.dials,
            "response_times_ms": times,
        })
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Now {
    fn drop(&mut self) {
        if let Some(host) = self.host.take() {
            host.abort();
        }
    }
}
