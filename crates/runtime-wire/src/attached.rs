//! Plugins that were not started here: the wire over a socket whose other end somebody else holds.

use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use midplane_contract::frame::message::Open;
use midplane_contract::{Code as Fault, Error, Hook, Result, RuntimeKind};
use midplane_kernel::{Code, CodeFacts, Instance, InstanceContext, LoadRequest};

use crate::carrier::Socket;
use crate::channel::Speech;
use crate::code::{self, Tenancy};
use crate::connection::Connection;
use crate::instance::WireInstance;
use crate::process::{Elsewhere, Guest, Process};
use crate::program::{Program, Programs};
use crate::reactor::Reactor;
use crate::runtime::{Hosting, Setup, WireRuntime};

/// How long an instance may take to leave before the next one is made.
const LEAVE: Duration = Duration::from_secs(5);

/// Code with one instance at a time, served by whoever is at the other end of `socket` (blocking, connected). It is greeted and
/// told to load at once; both have the deadlines of [`WireRuntime`]. Dropping the code and its instance says
/// goodbye and, a second later, cuts the line.
///
/// A peer that goes, for whatever reason, is lost with the code `peer_gone`: its plugin is then stopped.
///
/// # Errors
/// As loading in a worker; the line is cut then.
pub fn attach(socket: UnixStream, line: Arc<dyn Elsewhere>, request: &LoadRequest) -> Result<Arc<dyn Code>> {
    let runtime = WireRuntime::new(RuntimeKind::Remote, Nobody);
    let setup = Arc::clone(runtime.setup());
    let reactor = Reactor::get()?;
    let process = Process::Guest(Guest::new(line));
    let plugin = request.manifest.id.clone();
    let connection = Connection::new(reactor, plugin, Box::new(Socket::new(socket)), process);
    let tenancy = Tenancy { connection, hosting: Hosting::One };
    code::greet(&setup, reactor, &tenancy.connection, Speech::Frames)?;
    let loaded = code::load(&setup, &tenancy.connection, request)?;
    tenancy.connection.name_actions(loaded.actions.clone());
    let facts = code::facts(loaded, &tenancy.connection);
    Ok(Arc::new(Attached {
        setup,
        request: request.clone(),
        hooks: facts.hooks.clone().into(),
        facts,
        tenancy: Arc::new(tenancy),
        seats: Arc::default(),
    }))
}

/// Code of a peer that was not started here.
struct Attached {
    setup: Arc<Setup>,
    request: LoadRequest,
    facts: CodeFacts,
    hooks: Arc<[Hook]>,
    tenancy: Arc<Tenancy>,
    seats: Arc<Seats>,
}

impl Code for Attached {
    fn facts(&self) -> &CodeFacts {
        &self.facts
    }

    fn instantiate(&self, context: InstanceContext) -> Result<Box<dyn Instance>> {
        let open = Open { plugin: context.plugin, version: context.version, generation: context.generation };
        let seat = Seats::take(&self.seats)?;
        let lane = self.tenancy.connection.add_lane(0, context.host)?;
        let mut instance = WireInstance::new(Arc::clone(&self.tenancy), lane, Arc::clone(&self.hooks));
        instance.sit(seat);
        instance.open(&open, self.setup.hook_deadline(&self.request))?;
        Ok(Box::new(instance))
    }
}

/// Room for one instance. One that is spent may still be taking its leave when the next is made.
#[derive(Default)]
struct Seats {
    taken: Mutex<bool>,
    free: Condvar,
}

/// The room of an instance that is there.
pub(crate) struct Seat(Arc<Seats>);

impl Seats {
    fn take(this: &Arc<Self>) -> Result<Seat> {
        let taken = this.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = this.free.wait_timeout_while(taken, LEAVE, |taken| *taken);
        let (mut taken, late) = waited.unwrap_or_else(PoisonError::into_inner);
        if late.timed_out() {
            return Err(Error::new(Fault::Overloaded, "the connection has an instance, and that does not end")
                .remedy("unload the plugin, then have it connect again"));
        }
        *taken = true;
        Ok(Seat(Arc::clone(this)))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.free.notify_one();
    }
}

/// No program is ever started for a guest.
struct Nobody;

impl Programs for Nobody {
    fn program(&self, _: &LoadRequest) -> Result<Program> {
        Err(Error::new(Fault::NotSupported, "a plugin that connects by itself is not started")
            .remedy("start it where it lives"))
    }
}
