//! All endpoints of one generation: who gets a call, who gets the next try, and who is told what.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use midplane_contract::{Code, Error, Result};
use midplane_kernel::{Call, Host, Picker, Reply};
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::call;
use crate::discovery::{Discovery, Location};
use crate::endpoint::{Ask, Endpoint, keep};
use crate::greet::Peer;
use crate::session::Session;

/// The endpoints, and what keeps them. Dropping it closes all connections.
pub(crate) struct Fleet {
    pub(crate) session: Arc<Session>,
    pub(crate) engine: &'static Handle,
    pub(crate) discovery: &'static str,
    members: Arc<RwLock<Vec<Member>>>,
    picker: Picker,
    looking: Option<AbortHandle>,
}

/// An endpoint, and the task that keeps it.
struct Member {
    endpoint: Arc<Endpoint>,
    keeper: AbortHandle,
}

impl Drop for Member {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// How one action is called.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manner {
    /// It may be tried again.
    pub(crate) idempotent: bool,
    /// It goes in parts always.
    pub(crate) streamed: bool,
}

impl Fleet {
    /// Finds the endpoints and begins to keep them.
    pub(crate) fn assemble(
        session: Arc<Session>,
        engine: &'static Handle,
        discovery: Box<dyn Discovery>,
    ) -> Result<Self> {
        let patience = session.settings.dial;
        let finding = async { timeout(patience, discovery.find()).await };
        let found = engine.block_on(finding).map_err(|_| {
            Error::new(Code::DeadlineExceeded, format!("the endpoints were not found within {patience:?}"))
                .remedy("check the name servers of this machine")
        })??;
        let members: Arc<RwLock<Vec<Member>>> = Arc::default();
        reconcile(&members, found, &session, engine);
        let name = discovery.name();
        let looking = discovery.again().map(|pause| {
            let (members, session) = (Arc::downgrade(&members), Arc::clone(&session));
            let task = engine.spawn(async move {
                loop {
                    sleep(pause).await;
                    let found = discovery.find().await;
                    let Some(members) = members.upgrade() else { return };
                    match found {
                        Ok(found) => reconcile(&members, found, &session, engine),
                        Err(error) => {
                            tracing::warn!(plugin = %session.plugin, %error, "endpoints are kept as they were")
                        }
                    }
                }
            });
            task.abort_handle()
        });
        Ok(Self { session, engine, discovery: name, members, picker: Picker::new(), looking })
    }

    /// Waits until every endpoint was dialled once, or one is ready and the others have had their time.
    ///
    /// # Errors
    /// The first endpoint's, when none is ready.
    pub(crate) fn arrive(&self) -> Result<()> {
        let mut news = self.session.news.subscribe();
        let settings = &self.session.settings;
        // Dialling, and asking who is there, each have their time.
        let last = Instant::now() + settings.dial * 2 + Duration::from_secs(1);
        self.engine.block_on(async {
            let mut until = last;
            loop {
                let all = self.endpoints();
                if all.iter().all(|endpoint| endpoint.dials() > 0) || Instant::now() >= until {
                    return;
                }
                if all.iter().any(|endpoint| endpoint.ready().is_some()) {
                    until = until.min(Instant::now() + settings.rest);
                }
                let _ = timeout(until.saturating_duration_since(Instant::now()), news.changed()).await;
            }
        });
        if self.endpoints().iter().any(|endpoint| endpoint.ready().is_some()) { Ok(()) } else { Err(self.nobody()) }
    }

    /// The endpoints there are now.
    pub(crate) fn endpoints(&self) -> Vec<Arc<Endpoint>> {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        members.iter().map(|member| Arc::clone(&member.endpoint)).collect()
    }

    /// The endpoint whose turn it is, of those that are ready and whose connection was not tried.
    pub(crate) fn pick(&self, tried: &[u64]) -> Option<(Arc<Endpoint>, Arc<Peer>)> {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        self.picker.pick(&members, |member| {
            let peer = member.endpoint.ready().filter(|peer| !tried.contains(&peer.link.number))?;
            Some((Arc::clone(&member.endpoint), peer))
        })
    }

    /// Why nobody can be asked.
    #[cold]
    pub(crate) fn nobody(&self) -> Error {
        let standings: Vec<_> = self.endpoints().iter().map(|endpoint| endpoint.standing()).collect();
        let words: Vec<&str> = standings.iter().map(|(words, _)| words.as_str()).collect();
        let cause = standings.iter().find_map(|(_, error)| error.clone());
        let Some(cause) = cause else {
            return Error::new(Code::PeerGone, format!("no endpoint of the plugin is ready: {}", words.join(", ")))
                .remedy("wait until the service is there; the host dials by itself");
        };
        // Whoever loads wants to know what is wrong, not that something is.
        let record = cause.record();
        let code = if record.code == Code::DeadlineExceeded { Code::PeerGone } else { record.code };
        let message = format!("no endpoint of the plugin is ready: {}; {}", words.join(", "), record.message);
        let error = Error::new(code, message).because(&cause);
        let remedy = record.remedy.clone().unwrap_or_default();
        record.data.iter().fold(error.remedy(remedy), |error, (key, value)| error.with(key, value.clone()))
    }

    /// Calls, and tries again where that is allowed.
    pub(crate) async fn call(
        &self,
        call: &Call<'_>,
        manner: Manner,
        host: &Arc<dyn Host>,
        reply: &mut Reply<'_>,
    ) -> Result<()> {
        let settings = &self.session.settings;
        let ask = Ask { method: call.name, is_action: true, scope: call.scope, host: Some(host) };
        let in_parts = call::in_parts(manner.streamed || reply.is_stream(), call.input, settings.message);
        let mut tries = if manner.idempotent { settings.retries } else { 0 };
        let (mut tried, mut begun) = (Vec::new(), false);
        loop {
            let error = match self.pick(&tried) {
                Some((endpoint, peer)) => {
                    let done = if in_parts {
                        call::parts(&endpoint, &peer, &ask, call.input, reply, &mut begun).await
                    } else {
                        call::whole(&endpoint, &peer, &ask, call.input, reply).await
                    };
                    let Err(error) = done else { return Ok(()) };
                    tried.push(peer.link.number);
                    error
                }
                None => self.unready(),
            };
            if tries == 0 || begun || error.code() != Code::PeerGone {
                return Err(error);
            }
            tries -= 1;
            self.other(&mut tried).await;
        }
    }

    /// What a call gets when no endpoint is ready.
    #[cold]
    fn unready(&self) -> Error {
        let error = self.nobody();
        if error.code() == Code::PeerGone {
            return error;
        }
        let remedy = error.record().remedy.clone().unwrap_or_default();
        Error::new(Code::PeerGone, error.record().message.clone()).remedy(remedy).because(&error)
    }

    /// Waits until an endpoint is ready that was not tried, at most for the pause between two tries; then all are as
    /// good as any.
    async fn other(&self, tried: &mut Vec<u64>) {
        let mut news = self.session.news.subscribe();
        let pause = {
            let _on_engine = self.engine.enter();
            sleep(self.session.settings.retry_pause)
        };
        let waiting = async {
            while self.pick(tried).is_none() {
                if news.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            true
        };
        let late = async {
            pause.await;
            false
        };
        if !futures_lite::future::or(waiting, late).await {
            tried.clear();
        }
    }

    /// Brings every ready endpoint to where the session stands. Those that are lost catch up when they are back.
    pub(crate) async fn catch_up(self: &Arc<Self>, scope: &midplane_kernel::Scope, host: &Arc<dyn Host>) -> Result<()> {
        let mut steps = JoinSet::new();
        for endpoint in self.endpoints() {
            let Some(peer) = endpoint.ready() else { continue };
            let (scope, host) = (scope.clone(), Arc::clone(host));
            let step = async move {
                let ask = Ask { method: "", is_action: false, scope: &scope, host: Some(&host) };
                endpoint.catch_up(&peer, &ask).await
            };
            steps.spawn_on(step, self.engine);
        }
        let (mut reached, mut lost) = (0, None);
        while let Some(done) = steps.join_next().await {
            match done.unwrap_or_else(|_| Err(Error::new(Code::Internal, "telling an endpoint panicked"))) {
                Ok(()) => reached += 1,
                Err(error) if error.code() == Code::PeerGone => lost = Some(error),
                Err(error) => return Err(error),
            }
        }
        match lost {
            Some(error) if reached == 0 => Err(error),
            _ if reached == 0 => Err(self.nobody()),
            _ => Ok(()),
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if let Some(looking) = &self.looking {
            looking.abort();
        }
        self.members.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Keeps those endpoints that are still found, begins with those that are not kept yet, and lets go of the others; what
/// is under way there ends as it would.
fn reconcile(members: &RwLock<Vec<Member>>, found: Vec<Location>, session: &Arc<Session>, engine: &Handle) {
    let mut members = members.write().unwrap_or_else(PoisonError::into_inner);
    members.retain(|member| found.contains(&member.endpoint.location));
    for location in found {
        if members.iter().any(|member| member.endpoint.location == location) {
            continue;
        }
        let endpoint = Endpoint::new(location, session);
        let keeper = engine.spawn(keep(Arc::clone(&endpoint))).abort_handle();
        members.push(Member { endpoint, keeper });
    }
    drop(members);
    session.tell();
}
