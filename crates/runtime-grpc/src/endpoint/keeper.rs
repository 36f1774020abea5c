//! Keeping an endpoint connected: dial, greet, watch, and dial again.

use std::sync::Arc;

use jiff::Timestamp;
use midplane_contract::{Code, Error, Result, defaults};
use midplane_kernel::Scope;
use tokio::time::{sleep, timeout};

use super::{Ask, Endpoint, State};
use crate::greet::{self, Peer};
use crate::host;
use crate::link::Link;

/// Keeps an endpoint connected until the task is ended.
pub(crate) async fn keep(endpoint: Arc<Endpoint>) {
    let mut failures = 0;
    loop {
        endpoint.set(State::Connecting);
        match endpoint.connect().await {
            Ok(peer) => {
                failures = 0;
                let cause = endpoint.watch(&peer).await;
                tracing::warn!(plugin = %endpoint.session.plugin, error = %cause, "a remote endpoint was lost");
                endpoint.drop_peer(cause);
            }
            Err(error) => {
                tracing::debug!(plugin = %endpoint.session.plugin, %error, "a remote endpoint was not reached");
                endpoint.drop_peer(error);
            }
        }
        sleep(endpoint.session.settings.pause(failures)).await;
        failures += 1;
    }
}

impl Endpoint {
    /// Dials, asks who is there, and brings the service to where the session stands.
    async fn connect(self: &Arc<Self>) -> Result<Arc<Peer>> {
        let most = self.session.settings.dial;
        let late = |what: &str| {
            let address = &self.location.address;
            Error::new(Code::DeadlineExceeded, format!("{address} has not {what} within {} ms", most.as_millis()))
                .remedy("look at the service and the network, or raise `entry.connection.dial`")
                .with("endpoint", address.to_string())
        };
        let link = timeout(most, Link::dial(&self.location, &self.session)).await;
        let link = link.map_err(|_| late("taken the connection"))??;
        let peer = timeout(most, greet::greet(link, &self.session)).await;
        let peer = peer.map_err(|_| late("said who it is"))?;
        let peer = Arc::new(peer.map_err(|error| self.perhaps_secure(error))?);
        peer.offer.covers(self.session.offer.get_or_init(|| peer.offer.clone()), &peer.link.name)?;
        if peer.offer.asks {
            let serving = tokio::spawn(host::serve(Arc::downgrade(self), Arc::downgrade(&peer)));
            self.now().host = Some(serving.abort_handle());
        }
        self.begin(&peer).await?;
        self.connected(&peer);
        // What was wished in between, the wisher could not ask of an endpoint that was not ready.
        self.begin(&peer).await?;
        Ok(peer)
    }

    /// A service that speaks TLS ends a connection in the clear, and cannot say why.
    fn perhaps_secure(&self, error: Error) -> Error {
        let address = &self.location.address;
        if error.code() != Code::PeerGone || address.secure {
            return error;
        }
        error.remedy(format!("see the service's log; if it speaks TLS, write grpcs://{}", address.authority()))
    }

    async fn begin(&self, peer: &Peer) -> Result<()> {
        let host = self.session.any_host();
        let scope = Scope::within(defaults::HOOK_DEADLINE);
        let ask = Ask { method: "", is_action: false, scope: &scope, host: host.as_ref() };
        timeout(defaults::HOOK_DEADLINE, self.catch_up(peer, &ask)).await.map_err(|_| {
            Error::new(Code::DeadlineExceeded, format!("{} was not initialized in time", peer.link.name))
                .remedy("see what keeps Initialize and Start of the service")
        })?
    }

    /// Watches over a connection and says why it is of no more use.
    async fn watch(&self, peer: &Peer) -> Error {
        let settings = &self.session.settings;
        loop {
            tokio::select! {
                cause = peer.link.ended() => return cause,
                () = sleep(settings.probe_interval) => {}
                () = self.doubt.notified() => {}
            }
            match timeout(settings.probe_timeout, greet::serves(&peer.link, settings.probe_timeout)).await {
                Ok(Ok(serves)) => self.probed(serves, &peer.link.name),
                Ok(Err(error)) => return error,
                Err(_) => {
                    let time = settings.probe_timeout.as_millis();
                    let message = format!("{} has not answered a health check within {time} ms", peer.link.name);
                    return Error::new(Code::DeadlineExceeded, message).remedy("look at what keeps the service");
                }
            }
        }
    }

    fn set(&self, state: State) {
        self.now().state = state;
    }

    fn connected(&self, peer: &Arc<Peer>) {
        let mut now = self.now();
        now.state = State::Ready;
        now.peer = Some(Arc::clone(peer));
        now.dials += 1;
        now.connected_at = Some(Timestamp::now());
        now.last_check = now.connected_at;
        drop(now);
        self.session.tell();
    }

    fn probed(&self, serves: bool, name: &str) {
        let mut now = self.now();
        now.last_check = Some(Timestamp::now());
        now.state = if serves { State::Ready } else { State::NotServing };
        if !serves {
            now.last_error = Some(greet::not_serving(name));
        }
        drop(now);
        self.session.tell();
    }

    fn drop_peer(&self, cause: Error) {
        let mut now = self.now();
        now.state = State::Waiting;
        now.dials += u64::from(now.peer.is_none());
        now.peer = None;
        now.last_error = Some(cause);
        now.last_check = Some(Timestamp::now());
        if let Some(host) = now.host.take() {
            host.abort();
        }
        drop(now);
        self.session.tell();
    }
}
