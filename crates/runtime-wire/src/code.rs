//! A plugin's code as workers have loaded it, and the workers that have.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use midplane_contract::frame::FrameKind;
use midplane_contract::frame::message::{self, Hello, Load, Loaded, Open};
use midplane_contract::{Code as Fault, Error, Hook, Kind, Result};
use midplane_kernel::{Code, CodeFacts, Condition, Instance, InstanceContext, LoadRequest, Scope};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::carrier::Carrier;
use crate::channel::{Channel, Speech};
use crate::connection::Connection;
use crate::exchange::{Exchange, Request, Scratch};
use crate::fault;
use crate::instance::WireInstance;
use crate::launch::{HostEnd, launch};
use crate::memory;
use crate::process::Process;
use crate::reactor::Reactor;
use crate::runtime::{Hosting, Setup};
use crate::text::TextCarrier;

/// Bytes of the answer to `LOAD` at most.
const FACTS: usize = 4 * 1024 * 1024;
/// Time that a worker gets to end when it is told to.
const FAREWELL: Duration = Duration::from_secs(1);
/// Time that a killed process may take to be gone.
const DYING: Duration = Duration::from_secs(5);

/// One worker and what it hosts. Dropping it ends the worker.
pub(crate) struct Tenancy {
    pub(crate) connection: Arc<Connection>,
    pub(crate) hosting: Hosting,
}

impl Tenancy {
    /// What an instance in a worker that has ended is good for. A worker of one instance that was killed because it
    /// did not stop is replaced by another; everything else is a failure of the plugin.
    pub(crate) fn judge(&self, fate: &Error) -> Condition {
        if let Some(guest) = self.connection.process.guest() {
            return Condition::Dead(guest.departure(fate));
        }
        match fate.code() {
            Fault::DeadlineExceeded | Fault::Cancelled if self.hosting == Hosting::One => {
                Condition::Spent(fate.clone())
            }
            _ => Condition::Dead(fate.clone()),
        }
    }
}

impl Drop for Tenancy {
    fn drop(&mut self) {
        if self.connection.fate().is_some() {
            return;
        }
        self.connection.shut_down();
        if !self.connection.process.wait(FAREWELL) {
            self.connection.process.kill(None);
            if !self.connection.process.wait(DYING) {
                tracing::error!(plugin = %self.connection.plugin, pid = self.connection.process.pid(), "a killed worker does not end");
            }
        }
    }
}

/// A plugin's code behind the wire.
pub(crate) struct WireCode {
    setup: Arc<Setup>,
    request: LoadRequest,
    facts: CodeFacts,
    hooks: Arc<[Hook]>,
    /// The worker of the pool, or the one that was started for the facts and waits for its instance.
    current: Mutex<Option<Arc<Tenancy>>>,
    /// Every worker that lives.
    workers: Mutex<Vec<Weak<Tenancy>>>,
}

impl WireCode {
    pub(crate) fn load(setup: &Arc<Setup>, request: &LoadRequest) -> Result<Self> {
        let (tenancy, loaded) = start(setup, request)?;
        let mut facts = facts(loaded, &tenancy.connection);
        facts.details.insert("pid".to_owned(), tenancy.connection.process.pid().into());
        facts.details.insert("confinement".to_owned(), setup.confinement.name().into());
        let tenancy = Arc::new(tenancy);
        Ok(Self {
            setup: Arc::clone(setup),
            request: request.clone(),
            hooks: facts.hooks.clone().into(),
            facts,
            workers: Mutex::new(vec![Arc::downgrade(&tenancy)]),
            current: Mutex::new(Some(tenancy)),
        })
    }

    /// A living worker with room for one more instance.
    fn tenancy(&self) -> Result<Arc<Tenancy>> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let alive = current.take().filter(|tenancy| tenancy.connection.fate().is_none());
        let tenancy = match alive {
            Some(alive) => alive,
            None => self.another()?,
        };
        if self.setup.hosting_of(&self.request) == Hosting::Pool {
            *current = Some(Arc::clone(&tenancy));
        }
        Ok(tenancy)
    }

    fn another(&self) -> Result<Arc<Tenancy>> {
        let (tenancy, loaded) = start(&self.setup, &self.request)?;
        if loaded.build_id != self.facts.build_id || loaded.actions != self.facts.actions {
            let message = format!(
                "another worker loaded build {} where the first had {}: the file has changed since",
                loaded.build_id, self.facts.build_id
            );
            return Err(Error::new(Fault::BuildIdMismatch, message).remedy("reload the plugin"));
        }
        let tenancy = Arc::new(tenancy);
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.retain(|worker| worker.strong_count() > 0);
        workers.push(Arc::downgrade(&tenancy));
        Ok(tenancy)
    }
}

impl Code for WireCode {
    fn facts(&self) -> &CodeFacts {
        &self.facts
    }

    fn details(&self) -> Map<String, Value> {
        let name = self.request.main.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let workers: Vec<_> = {
            let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
            workers.iter().filter_map(Weak::upgrade).collect()
        };
        let shown: Vec<Value> = workers.iter().map(|worker| worker.connection.describe(&name).into()).collect();
        [("processes".to_owned(), Value::Array(shown))].into_iter().collect()
    }

    fn instantiate(&self, context: InstanceContext) -> Result<Box<dyn Instance>> {
        let tenancy = self.tenancy()?;
        let number = if self.setup.hosting_of(&self.request) == Hosting::Pool { context.number } else { 0 };
        let open = Open { plugin: context.plugin, version: context.version, generation: context.generation };
        let lane = tenancy.connection.add_lane(number, context.host)?;
        let mut instance = WireInstance::new(tenancy, lane, Arc::clone(&self.hooks));
        instance.open(&open, self.setup.hook_deadline(&self.request))?;
        Ok(Box::new(instance))
    }
}

/// Starts a worker, greets it and has it load the plugin.
fn start(setup: &Arc<Setup>, request: &LoadRequest) -> Result<(Tenancy, Loaded)> {
    let reactor = Reactor::get()?;
    let program = setup.programs.program(request)?;
    let Channel { wiring, speech } = setup.programs.channel(request)?;
    let launched = launch(&program, wiring, request, &*setup.confinement)?;
    let plugin = request.manifest.id.clone();
    let process = Process::new(launched.child, launched.output, plugin.clone(), request.limits.memory)?;
    let carrier = connect(launched.end, speech, &process).map_err(|error| {
        process.reap();
        error.kind(Kind::Load)
    })?;
    let connection = Connection::new(reactor, plugin, carrier, process);
    let tenancy = Tenancy { connection, hosting: setup.hosting_of(request) };
    let mut loaded = greet(setup, reactor, &tenancy.connection, speech)
        .and_then(|()| limit_memory(setup, &tenancy.connection, request))
        .and_then(|()| load(setup, &tenancy.connection, request))
        .map_err(|error| match error.code() {
            Fault::Crashed | Fault::DeadlineExceeded | Fault::ProtocolError => error.kind(Kind::Load),
            _ => error,
        })?;
    if loaded.build_id.is_empty() {
        loaded.build_id = identity(&request.main).or_else(|| identity(&program.command)).unwrap_or_default();
    }
    tenancy.connection.name_actions(loaded.actions.clone());
    if let Some(interval) = request.manifest.entry.process.heartbeat_interval_ms {
        tenancy.connection.beat_every(Duration::from_millis(interval));
    }
    Ok((tenancy, loaded))
}

/// The identity of code that says nothing of its own: what its file holds.
fn identity(file: &Path) -> Option<String> {
    let mut hash = Sha256::new();
    std::io::copy(&mut std::fs::File::open(file).ok()?, &mut hash).ok()?;
    Some(format!("sha256:{}", hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
}

fn connect(end: HostEnd, speech: Speech, process: &Process) -> Result<Box<dyn Carrier>> {
    let carrier = match end {
        HostEnd::Carrier(carrier) => carrier,
        HostEnd::Dial(dial) => dial.dial(process)?,
    };
    Ok(match speech {
        Speech::Frames => carrier,
        Speech::Text => Box::new(TextCarrier::new(carrier)?),
    })
}

fn limit_memory(setup: &Setup, connection: &Connection, request: &LoadRequest) -> Result<()> {
    match request.limits.memory.filter(|_| setup.programs.host_limits_memory(request)) {
        Some(limit) => memory::limit(&connection.process, limit),
        None => Ok(()),
    }
}

pub(crate) fn greet(setup: &Setup, reactor: &Reactor, connection: &Arc<Connection>, speech: Speech) -> Result<()> {
    let hello = Hello::ours(concat!("midplane ", env!("CARGO_PKG_VERSION")));
    let hello = serde_json::to_vec(&hello).map_err(|error| unwritable("HELLO", &error))?;
    let scope = Scope::within(setup.patience);
    let mut scratch = Scratch::default();
    let request = Request { kind: FrameKind::Hello, flags: 0, value: 0, header: &hello, scope: &scope };
    connection.send_magic();
    let until = Instant::now() + setup.patience;
    let control = Arc::clone(&connection.control);
    let mut exchange = Exchange::start(connection, &control, &mut scratch, &request, &[])?;
    // Only now may somebody read: an answer that came before the question would be dropped.
    if let Err(error) = reactor.adopt(connection) {
        connection.abandon(&error);
        return Err(error);
    }
    loop {
        if let Some(end) = exchange.advance(&mut |_| Ok(()), None) {
            return end.map(drop);
        }
        connection.wait(&control, until);
        if Instant::now() >= until && !control.lock().news() {
            let message = format!("the worker has not greeted within {} ms", setup.patience.as_millis());
            let error = Error::new(Fault::DeadlineExceeded, message).remedy(match speech {
                Speech::Frames => "name a program that speaks the protocol of contract/wire.md",
                Speech::Text => "its first line has to be `register`, as in contract/text.md; a script on the Bash SDK ends with `run`",
            });
            connection.end(error.clone());
            connection.process.wait(DYING);
            return Err(fault::with_last_words(error, &connection.process));
        }
    }
}

pub(crate) fn load(setup: &Setup, connection: &Arc<Connection>, request: &LoadRequest) -> Result<Loaded> {
    let load = Load {
        manifest: request.manifest.as_ref().clone(),
        runtime: setup.kind,
        folder: request.folder.clone(),
        main: request.main.clone(),
        generation: request.generation,
        trust: request.trust,
        limits: request.limits.clone(),
        instances: request.instances,
        cache: request.cache.clone(),
    };
    let body = serde_json::to_vec(&load).map_err(|error| unwritable("LOAD", &error))?;
    let scope = Scope::within(setup.load_deadline);
    let mut scratch = Scratch::default();
    let mut answer = Vec::new();
    let wanted = Request { kind: FrameKind::Load, flags: 0, value: 0, header: &[], scope: &scope };
    let control = Arc::clone(&connection.control);
    Exchange::start(connection, &control, &mut scratch, &wanted, &body)?.wait(
        &mut |piece| {
            if answer.len() + piece.len() > FACTS {
                let message = format!("the answer to LOAD is larger than {FACTS} bytes");
                return Err(Error::new(Fault::ProtocolError, message).remedy("say less about the plugin"));
            }
            answer.extend_from_slice(piece);
            Ok(())
        },
        scope.deadline.instant(),
    )?;
    message::parse("DONE (of LOAD)", &answer)
}

/// What a peer says of the plugin that it has loaded.
pub(crate) fn facts(loaded: Loaded, connection: &Connection) -> CodeFacts {
    let mut details = loaded.details;
    details.insert("peer".to_owned(), connection.peer_name().into());
    CodeFacts {
        info: loaded.info,
        actions: loaded.actions,
        hooks: loaded.hooks.iter().filter_map(|name| Hook::from_name(name)).collect(),
        build_id: loaded.build_id,
        // Whatever stays in the peer's memory goes with its process.
        stays_loaded: None,
        details,
    }
}

pub(crate) fn unwritable(frame: &str, error: &serde_json::Error) -> Error {
    Error::new(Fault::Internal, format!("the JSON of a {frame} frame cannot be written: {error}"))
        .remedy("use paths that are valid UTF-8")
}
