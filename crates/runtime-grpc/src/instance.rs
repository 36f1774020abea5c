//! An instance of a remote plugin: one call at a time, to whichever endpoint has its turn.

use std::sync::Arc;

use midplane_contract::{Code, Error, Health, HealthStatus, Hook, Result};
use midplane_kernel::{BoxFuture, Call, Host, Instance, InstanceContext, Interrupt, Reply, Scope};
use serde_json::{Map, Value, json};

use crate::dialect;
use crate::endpoint::Ask;
use crate::fleet::{Fleet, Manner};
use crate::greet;
use crate::stop::Stop;

/// One instance. The service's own state is its session's, so that all instances of a generation share it.
pub(crate) struct GrpcInstance {
    fleet: Arc<Fleet>,
    manners: Arc<[Manner]>,
    hooks: Vec<Hook>,
    number: u32,
    host: Arc<dyn Host>,
    stop: Arc<Stop>,
    initialized: bool,
    started: bool,
}

impl GrpcInstance {
    pub(crate) fn new(fleet: Arc<Fleet>, manners: Arc<[Manner]>, hooks: Vec<Hook>, context: InstanceContext) -> Self {
        fleet.session.add_host(context.number, Arc::clone(&context.host));
        let (number, host) = (context.number, context.host);
        Self { fleet, manners, hooks, number, host, stop: Arc::default(), initialized: false, started: false }
    }

    fn manner(&self, action: u32) -> Manner {
        self.manners.get(action as usize).copied().unwrap_or_default()
    }

    async fn run(&mut self, hook: Hook, input: &[u8], scope: &Scope) -> Result<Option<Vec<u8>>> {
        match hook {
            Hook::Init => self.initialize(input, scope).await.map(|()| Some(Vec::new())),
            Hook::Start => self.start(scope).await.map(|()| Some(Vec::new())),
            Hook::Stop => self.wind_down(hook, scope).await.map(|()| Some(Vec::new())),
            Hook::Cleanup => self.wind_down(hook, scope).await.map(|()| Some(Vec::new())),
            Hook::Health => self.health(scope).await,
            Hook::Ping => self.ping(scope).await,
            Hook::ConfigChanged => self.change(input, scope).await,
            Hook::DependencyChanged | Hook::ImportState => self.tell_all(hook, input, scope).await,
            _ => self.ask_one(hook, input, scope).await,
        }
    }

    /// The first instance of a generation begins the session; the others find it begun.
    async fn initialize(&mut self, config: &[u8], scope: &Scope) -> Result<()> {
        let config = text(config)?;
        {
            let mut wish = self.fleet.session.wish();
            wish.initialized += 1;
            wish.config.get_or_insert(config);
        }
        self.initialized = true;
        let done = self.fleet.catch_up(scope, &self.host).await;
        if done.is_err() {
            self.leave(Hook::Cleanup);
        }
        done
    }

    async fn start(&mut self, scope: &Scope) -> Result<()> {
        self.fleet.session.wish().started += 1;
        self.started = true;
        let done = self.fleet.catch_up(scope, &self.host).await;
        if done.is_err() {
            self.leave(Hook::Stop);
            // Endpoints that did start are stopped again.
            let _ = self.fleet.catch_up(scope, &self.host).await;
        }
        done
    }

    /// The last instance that stops, stops the plugin; the last one that goes ends the session.
    async fn wind_down(&mut self, hook: Hook, scope: &Scope) -> Result<()> {
        self.leave(hook);
        match self.fleet.catch_up(scope, &self.host).await {
            // Where nobody is left there is nothing to end.
            Err(error) if self.fleet.pick(&[]).is_none() => {
                tracing::debug!(plugin = %self.fleet.session.plugin, %error, "no endpoint was there to be told");
                Ok(())
            }
            done => done,
        }
    }

    /// Takes this instance out of what is wished.
    fn leave(&mut self, hook: Hook) {
        let mut wish = self.fleet.session.wish();
        if std::mem::take(&mut self.started) {
            wish.started = wish.started.saturating_sub(1);
        }
        if hook == Hook::Cleanup && std::mem::take(&mut self.initialized) {
            wish.initialized = wish.initialized.saturating_sub(1);
            if wish.initialized == 0 {
                wish.config = None;
            }
        }
    }

    /// Healthy where every endpoint is; degraded where some are.
    async fn health(&self, scope: &Scope) -> Result<Option<Vec<u8>>> {
        let ask = Ask { method: "HealthCheck", is_action: false, scope, host: Some(&self.host) };
        let all = self.fleet.endpoints();
        let mut reports: Vec<(String, Health)> = Vec::new();
        for endpoint in &all {
            let report = match endpoint.ready() {
                Some(peer) => dialect::health(endpoint, &peer, &ask).await,
                None => Err(Error::new(Code::PeerGone, endpoint.standing().0)),
            };
            match report {
                Ok(health) => reports.push((endpoint.location.address.to_string(), health)),
                // The one endpoint's own error says more than a status.
                Err(error) if all.len() == 1 => return Err(error),
                Err(error) => {
                    let details = Map::from_iter([("error".to_owned(), json!(error.record().message))]);
                    let health = Health { status: HealthStatus::Unhealthy, details };
                    reports.push((endpoint.location.address.to_string(), health));
                }
            }
        }
        serde_json::to_vec(&summary(reports)).map(Some).map_err(|error| Error::new(Code::Internal, error.to_string()))
    }

    async fn ping(&self, scope: &Scope) -> Result<Option<Vec<u8>>> {
        let (_, peer) = self.fleet.pick(&[]).ok_or_else(|| self.fleet.nobody())?;
        let ask = Ask { method: "Check", is_action: false, scope, host: None };
        match greet::serves(&peer.link, ask.time().1).await? {
            true => Ok(None),
            false => Err(greet::not_serving(&peer.link.name)),
        }
    }

    /// All endpoints have the same configuration: those that took a change get the old one back when another refuses.
    async fn change(&self, input: &[u8], scope: &Scope) -> Result<Option<Vec<u8>>> {
        let config = text(input)?;
        let before = self.fleet.session.wish().config.clone();
        if before.as_ref() == Some(&config) {
            return Ok(None);
        }
        let told = self.tell_all(Hook::ConfigChanged, input, scope).await;
        match (&told, before) {
            (Ok(_), _) => self.fleet.session.wish().config = Some(config),
            (Err(_), Some(before)) => {
                let _ = self.tell_all(Hook::ConfigChanged, before.as_bytes(), scope).await;
            }
            (Err(_), None) => {}
        }
        told
    }

    /// Every ready endpoint, one after the other; the first error ends it.
    async fn tell_all(&self, hook: Hook, input: &[u8], scope: &Scope) -> Result<Option<Vec<u8>>> {
        if !self.hooks.contains(&hook) {
            return Ok(None);
        }
        let ask = Ask { method: hook.name(), is_action: false, scope, host: Some(&self.host) };
        let mut answer = None;
        for endpoint in self.fleet.endpoints() {
            let Some(peer) = endpoint.ready() else { continue };
            answer = dialect::hook(&endpoint, &peer, &ask, hook, input).await?;
        }
        Ok(answer)
    }

    async fn ask_one(&self, hook: Hook, input: &[u8], scope: &Scope) -> Result<Option<Vec<u8>>> {
        if !self.hooks.contains(&hook) {
            return Ok(None);
        }
        let ask = Ask { method: hook.name(), is_action: false, scope, host: Some(&self.host) };
        let (endpoint, peer) = self.fleet.pick(&[]).ok_or_else(|| self.fleet.nobody())?;
        dialect::hook(&endpoint, &peer, &ask, hook, input).await
    }
}

impl Instance for GrpcInstance {
    fn call_inline(&mut self, call: &Call<'_>, reply: &mut Reply<'_>) -> Result<()> {
        let deadline = call.scope.deadline.instant();
        let calling = self.fleet.call(call, self.manner(call.action), &self.host, reply);
        self.stop.wait(self.fleet.engine, deadline, calling)
    }

    fn call<'a>(&'a mut self, call: &'a Call<'a>, reply: &'a mut Reply<'_>) -> Option<BoxFuture<'a, Result<()>>> {
        // A stream's reader may hold up whoever hands it a chunk, which a future must not do.
        if reply.is_stream() {
            return None;
        }
        let manner = self.manner(call.action);
        Some(Box::pin(self.fleet.call(call, manner, &self.host, reply)))
    }

    fn hook(&mut self, hook: Hook, input: &[u8], scope: &Scope) -> Result<Option<Vec<u8>>> {
        let (stop, engine) = (Arc::clone(&self.stop), self.fleet.engine);
        stop.wait(engine, scope.deadline.instant(), self.run(hook, input, scope))
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        Some(Arc::clone(&self.stop) as Arc<dyn Interrupt>)
    }
}

impl Drop for GrpcInstance {
    fn drop(&mut self) {
        self.leave(Hook::Cleanup);
        self.fleet.session.remove_host(self.number);
    }
}

fn text(config: &[u8]) -> Result<Arc<str>> {
    let text = std::str::from_utf8(config)
        .map_err(|error| Error::new(Code::InvalidInput, "the configuration is no text").caused_by(&error))?;
    Ok(text.into())
}

/// One endpoint's report stands for itself; those of several stand side by side.
fn summary(mut reports: Vec<(String, Health)>) -> Health {
    if reports.len() == 1
        && let Some((_, only)) = reports.pop()
    {
        return only;
    }
    let is = |status: HealthStatus| move |report: &(String, Health)| report.1.status == status;
    let status = if reports.iter().all(is(HealthStatus::Healthy)) {
        HealthStatus::Healthy
    } else if reports.iter().all(is(HealthStatus::Unhealthy)) {
        HealthStatus::Unhealthy
    } else {
        HealthStatus::Degraded
    };
    let endpoints: Map<String, Value> = reports.into_iter().map(|(name, health)| (name, json!(health))).collect();
    Health { status, details: Map::from_iter([("endpoints".to_owned(), Value::Object(endpoints))]) }
}
