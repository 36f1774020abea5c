//! One generation of a plugin as its services see it: what they should be, and which requests are under way.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use midplane_contract::PluginId;
use midplane_kernel::{Host, LoadRequest, Scope};
use tokio::sync::watch;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};

use crate::greet::Offer;
use crate::settings::Settings;
use crate::tls::Tls;

/// What all endpoints of one generation share.
pub(crate) struct Session {
    pub(crate) plugin: PluginId,
    pub(crate) version: String,
    pub(crate) generation: u64,
    pub(crate) settings: Settings,
    pub(crate) tls: Option<Arc<Tls>>,
    /// What every request says.
    pub(crate) metadata: MetadataMap,
    /// What the first endpoint offered; the others have to offer it as well.
    pub(crate) offer: OnceLock<Offer>,
    /// Counts up when an endpoint becomes ready or is lost.
    pub(crate) news: watch::Sender<u64>,
    wish: Mutex<Wish>,
    numbers: AtomicU64,
    under_way: Mutex<HashMap<u64, UnderWay>>,
    hosts: Mutex<Vec<(u32, Arc<dyn Host>)>>,
}

/// What the endpoints should be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    /// The configuration to initialize with; `None` before the first `init` and after the last `cleanup`.
    pub(crate) config: Option<Arc<str>>,
    /// Instances that were started and not stopped.
    pub(crate) started: usize,
    /// Instances that were initialized and not cleaned up.
    pub(crate) initialized: usize,
}

/// A request that has not ended.
#[derive(Clone)]
pub(crate) struct UnderWay {
    /// The endpoint that was asked, by its number.
    pub(crate) endpoint: u64,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) scope: Scope,
    pub(crate) action: Option<Arc<str>>,
}

impl Session {
    pub(crate) fn new(request: &LoadRequest, settings: Settings, tls: Option<Tls>) -> Arc<Self> {
        let mut metadata = MetadataMap::new();
        let plugin = request.manifest.id.clone();
        let session = uuid::Uuid::now_v7().to_string();
        for (key, value) in [("plugin-id", plugin.as_str()), ("session", session.as_str())] {
            if let Ok(value) = MetadataValue::<Ascii>::try_from(value) {
                metadata.insert(key, value);
            }
        }
        Arc::new(Self {
            plugin,
            version: request.manifest.version.to_string(),
            generation: request.generation,
            settings,
            tls: tls.map(Arc::new),
            metadata,
            offer: OnceLock::new(),
            news: watch::Sender::new(0),
            wish: Mutex::default(),
            numbers: AtomicU64::new(1),
            under_way: Mutex::default(),
            hosts: Mutex::default(),
        })
    }

    /// A number that nothing else of the session has.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// What the endpoints should be.
    pub(crate) fn wish(&self) -> MutexGuard<'_, Wish> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request until the mark is dropped.
    pub(crate) fn begin(self: &Arc<Self>, number: u64, request: UnderWay) -> Mark {
        let host = Some(Arc::clone(&request.host));
        self.table().insert(number, request);
        Mark { session: Arc::clone(self), number, host }
    }

    /// The request of this number on this endpoint; without one, the only request there is on it.
    pub(crate) fn under_way(&self, number: u64, endpoint: u64) -> Option<UnderWay> {
        let table = self.table();
        let named = table.get(&number).filter(|request| request.endpoint == endpoint);
        let mut others = table.values().filter(|request| request.endpoint == endpoint);
        named.or_else(|| others.next().filter(|_| others.next().is_none())).cloned()
    }

    /// An instance's way to the kernel, for what is done outside of any request.
    pub(crate) fn add_host(&self, number: u32, host: Arc<dyn Host>) {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner).push((number, host));
    }

    pub(crate) fn remove_host(&self, number: u32) {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner).retain(|(known, _)| *known != number);
    }

    pub(crate) fn any_host(&self) -> Option<Arc<dyn Host>> {
        let hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.first().map(|(_, host)| Arc::clone(host))
    }

    /// Says that endpoints came or went.
    pub(crate) fn tell(&self) {
        self.news.send_modify(|count| *count += 1);
    }

    fn table(&self) -> MutexGuard<'_, HashMap<u64, UnderWay>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is noted as under way.
pub(crate) struct Mark {
    session: Arc<Session>,
    number: u64,
    /// Until the request has ended.
    host: Option<Arc<dyn Host>>,
}

impl Mark {
    /// The request has ended.
    pub(crate) fn ended(mut self) {
        self.host = None;
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.session.table().remove(&self.number);
        // Given up: what the host does for it ends as well.
        if let Some(host) = &self.host {
            host.interrupted();
        }
    }
}
