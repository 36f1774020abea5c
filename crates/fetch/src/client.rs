//! One fetch with its redirects.

use std::io;
use std::sync::{Arc, OnceLock};

use futures_lite::future::{block_on, or};
use hyper::header::HeaderMap;
use midplane_contract::{Code, Error, Result, defaults};
use midplane_kernel::fetch::{Fetch, FetchAnswer, FetchRequest, Pass};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::rustls::ClientConfig;

use crate::exchange::{Answer, Exchange};
use crate::outgoing::Outgoing;
use crate::settings::Settings;
use crate::target::Target;
use crate::{fault, redirect, tls};

/// Threads that connections live on, and threads that wait for names, at most.
const THREADS: usize = 2;
const WAITING_FOR_NAMES: usize = 64;

/// Fetches over HTTP/1.1, with TLS of its own. Every request has its own connection; nothing is kept between them.
/// Threads and authorities are looked for with the first fetch.
pub struct Client {
    settings: Settings,
    engine: OnceLock<io::Result<Engine>>,
    tls: OnceLock<Result<Arc<ClientConfig>>>,
}

impl Client {
    /// A client that has not begun anything.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, engine: OnceLock::new(), tls: OnceLock::new() }
    }

    fn engine(&self) -> Result<&Runtime> {
        let engine = self.engine.get_or_init(Engine::start).as_ref().map_err(|error| {
            Error::new(Code::Io, "the threads for fetching could not be started")
                .remedy("allow this process more threads")
                .caused_by(error)
        })?;
        engine.0.as_ref().ok_or_else(|| Error::new(Code::Internal, "the threads for fetching are gone"))
    }

    fn tls(&self, target: &Target) -> Result<Option<Arc<ClientConfig>>> {
        if !target.is_secure() {
            return Ok(None);
        }
        self.tls.get_or_init(|| tls::config(&self.settings)).clone().map(Some)
    }

    /// One request and its answer, on the engine's threads. They end when nobody waits any longer.
    fn exchange(&self, exchange: Exchange, request: &FetchRequest<'_>) -> Result<Answer> {
        let (stop, shown) = (request.stop.clone(), exchange.target.shown().to_owned());
        let work = or(exchange.run(), async move {
            stop.stopped().await;
            Err(fault::given_up(&shown))
        });
        let done = block_on(self.engine()?.spawn(work));
        done.unwrap_or_else(|_| Err(Error::new(Code::Internal, "a fetch ended without an answer")))
    }
}

impl Fetch for Client {
    fn fetch(&self, request: &FetchRequest<'_>, pass: &dyn Pass) -> Result<FetchAnswer> {
        let (mut target, mut outgoing) = (Target::parse(request.url)?, Outgoing::new(request)?);
        for _ in 0..=defaults::FETCH_REDIRECTS {
            let exchange = Exchange {
                reach: pass.pass(&target.place())?,
                tls: self.tls(&target)?,
                target: target.clone(),
                outgoing: outgoing.clone(),
                names: Arc::clone(&self.settings.names),
                cap: request.cap,
                deadline: request.deadline,
            };
            let answer = self.exchange(exchange, request)?;
            match redirect::next(&target, &outgoing, answer.status, &answer.headers)? {
                Some(next) => (target, outgoing) = next,
                None => return Ok(told(answer)),
            }
        }
        Err(fault::too_many_redirects(target.shown()))
    }
}

/// The answer for the plugin, without what belongs to the connection.
fn told(answer: Answer) -> FetchAnswer {
    FetchAnswer { status: answer.status.as_u16(), headers: headers(&answer.headers), body: answer.body }
}

const OF_CONNECTION: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let ours = headers.iter().filter(|(name, _)| !OF_CONNECTION.contains(&name.as_str()));
    // Each byte is a character, as in browsers: a header says nothing of its encoding.
    ours.map(|(name, value)| (name.to_string(), value.as_bytes().iter().map(|byte| char::from(*byte)).collect()))
        .collect()
}

/// The threads that connections live on.
struct Engine(Option<Runtime>);

impl Engine {
    fn start() -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(THREADS).max_blocking_threads(WAITING_FOR_NAMES).thread_name("midplane-fetch");
        Ok(Self(Some(builder.enable_all().build()?)))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Whoever drops it may be a thread that must not wait.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
