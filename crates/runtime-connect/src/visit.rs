//! A connected plugin as the kernel sees it: a runtime of its own, good for one load.

use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use midplane_contract::{Code as Fault, Error, Limit, Limits, Placement, Result, RuntimeKind};
use midplane_kernel::{Code, CodeFacts, Instance, InstanceContext, LoadRequest, Runtime};
use midplane_runtime_wire::{Elsewhere, attach};
use serde_json::{Map, Value, json};

use crate::link::Link;
use crate::register::Protocol;

/// One connection, as long as it is not loaded: then it is used up.
pub(crate) struct Visit {
    pub(crate) link: Arc<Link>,
    pub(crate) wire: Mutex<Option<UnixStream>>,
    pub(crate) about: About,
}

/// What is shown of it.
#[derive(Clone)]
pub(crate) struct About {
    pub(crate) from: String,
    pub(crate) protocol: Protocol,
    pub(crate) process_id: Option<u64>,
    pub(crate) capabilities: Vec<String>,
    pub(crate) since: Timestamp,
}

impl Runtime for Visit {
    fn serves(&self) -> (RuntimeKind, Placement) {
        (RuntimeKind::Remote, Placement::Remote)
    }

    /// The plugin runs on somebody else's machine.
    fn unenforceable(&self, limits: &Limits) -> Vec<&'static str> {
        limits.set_among(&Limit::RESOURCES)
    }

    fn load(&self, request: &LoadRequest) -> Result<Arc<dyn Code>> {
        let wire = self.wire.lock().unwrap_or_else(PoisonError::into_inner).take();
        let wire = wire.filter(|_| !self.link.is_over()).ok_or_else(|| {
            Error::new(Fault::PeerGone, "the plugin is not connected")
                .remedy("nothing; it is loaded when it has connected again")
        })?;
        let line: Arc<dyn Elsewhere> = Arc::clone(&self.link) as Arc<dyn Elsewhere>;
        let code = attach(wire, line, request)?;
        Ok(Arc::new(Connected { code, link: Arc::clone(&self.link), about: self.about.clone() }))
    }
}

/// The code behind a connection, with the connection to show.
struct Connected {
    code: Arc<dyn Code>,
    link: Arc<Link>,
    about: About,
}

impl Code for Connected {
    fn facts(&self) -> &CodeFacts {
        self.code.facts()
    }

    fn details(&self) -> Map<String, Value> {
        let About { from, protocol, process_id, capabilities, since } = &self.about;
        let (last_ping, pings) = self.link.pings();
        let connection = json!({
            "from": from,
            "protocol": protocol.as_str(),
            "process_id": process_id,
            "capabilities": capabilities,
            "since": since.to_string(),
            "last_ping": last_ping.map(|at| at.to_string()),
            "pings": pings,
            "holds": !self.link.is_over(),
        });
        let mut details = self.code.details();
        details.insert("connection".to_owned(), connection);
        details
    }

    fn instantiate(&self, context: InstanceContext) -> Result<Box<dyn Instance>> {
        self.code.instantiate(context)
    }
}
