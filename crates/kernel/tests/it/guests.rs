//! Plugins that come to the host by themselves, go, and come again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use midplane_contract::manifest::Entry;
use midplane_contract::version::parse_version;
use midplane_contract::{
    Code as Fault, Error, Hook, Limit, Limits, Manifest, Permission, Placement, PluginId, Result, RuntimeKind, State,
};
use midplane_kernel::{
    Call, Code, CodeFacts, Condition, Host, Instance, InstanceContext, Kernel, LoadRequest, Policy, Reply, Runtime,
    Scope, block_on,
};
use midplane_testkit::{PluginFolder, eventually};

use crate::house::House;

/// A line to a plugin somewhere else: it answers with its greeting until it is cut.
#[derive(Clone)]
struct Line(Arc<Inner>);

struct Inner {
    greeting: String,
    facts: CodeFacts,
    taken: AtomicBool,
    cut: AtomicBool,
    worn: AtomicBool,
    host: Mutex<Option<Arc<dyn Host>>>,
    hooks: Mutex<Vec<Hook>>,
}

impl Line {
    fn new(greeting: &str) -> Self {
        let facts = CodeFacts {
            actions: vec!["greet".parse().unwrap(), "go".parse().unwrap()],
            hooks: vec![Hook::Init, Hook::Start, Hook::Stop],
            build_id: greeting.to_owned(),
            ..CodeFacts::default()
        };
        let [taken, cut, worn] = [false; 3].map(AtomicBool::new);
        let greeting = greeting.to_owned();
        Self(Arc::new(Inner { greeting, facts, taken, cut, worn, host: Mutex::default(), hooks: Mutex::default() }))
    }

    fn gone() -> Error {
        Error::new(Fault::PeerGone, "the line was cut").remedy("call again when it is back")
    }

    fn silence() -> Error {
        Error::new(Fault::DeadlineExceeded, "it has not answered a ping").remedy("see what it does instead")
    }

    /// The other side is found silent, while nobody talks to it: its instance is of no more use.
    fn wear(&self) {
        self.0.worn.store(true, Ordering::SeqCst);
        let host = self.0.host.lock().unwrap().clone();
        host.unwrap().lost(Self::silence());
    }

    /// The other side goes, while nobody talks to it.
    fn cut(&self) {
        self.0.cut.store(true, Ordering::SeqCst);
        let host = self.0.host.lock().unwrap().clone();
        host.unwrap().lost(Self::gone());
    }
}

impl Runtime for Line {
    fn serves(&self) -> (RuntimeKind, Placement) {
        (RuntimeKind::Remote, Placement::Remote)
    }

    fn unenforceable(&self, limits: &Limits) -> Vec<&'static str> {
        limits.set_among(&[Limit::Memory])
    }

    fn load(&self, _: &LoadRequest) -> Result<Arc<dyn Code>> {
        if self.0.taken.swap(true, Ordering::SeqCst) { Err(Self::gone()) } else { Ok(Arc::new(self.clone())) }
    }
}

impl Code for Line {
    fn facts(&self) -> &CodeFacts {
        &self.0.facts
    }

    fn instantiate(&self, context: InstanceContext) -> Result<Box<dyn Instance>> {
        if self.0.cut.load(Ordering::SeqCst) {
            return Err(Self::gone());
        }
        *self.0.host.lock().unwrap() = Some(context.host);
        Ok(Box::new(self.clone()))
    }
}

impl Instance for Line {
    fn call_inline(&mut self, call: &Call<'_>, reply: &mut Reply<'_>) -> Result<()> {
        if call.name == "go" {
            self.0.cut.store(true, Ordering::SeqCst);
            return Err(Self::gone());
        }
        reply.write(self.0.greeting.as_bytes())
    }

    fn hook(&mut self, hook: Hook, _: &[u8], _: &Scope) -> Result<Option<Vec<u8>>> {
        self.0.hooks.lock().unwrap().push(hook);
        Ok(None)
    }

    fn condition(&self) -> Condition {
        match (self.0.cut.load(Ordering::SeqCst), self.0.worn.load(Ordering::SeqCst)) {
            (true, _) => Condition::Dead(Self::gone()),
            (_, true) => Condition::Spent(Self::silence()),
            _ => Condition::Ready,
        }
    }
}

fn manifest(version: &str) -> Manifest {
    let entry = Entry::new("elsewhere", RuntimeKind::Remote);
    Manifest::minimal(PluginId::new("visitor").unwrap(), parse_version(version).unwrap(), entry)
}

/// A kernel with a visitor that runs.
fn visited() -> (Kernel, PluginId, Line) {
    let kernel = Kernel::builder().build();
    let line = Line::new("hello");
    let id = kernel.adopt(manifest("1.0.0"), Arc::new(line.clone())).unwrap();
    assert_eq!(kernel.status(&id).unwrap().state, State::Registered);
    block_on(kernel.load(&id)).unwrap();
    (kernel, id, line)
}

fn greeting(kernel: &Kernel) -> Result<String> {
    block_on(kernel.call("visitor/greet", "")).map(|reply| String::from_utf8(reply).unwrap())
}

fn state(kernel: &Kernel, id: &PluginId) -> State {
    kernel.status(id).unwrap().state
}

#[test]
fn a_guest_is_a_plugin_like_every_other() {
    let (kernel, id, line) = visited();
    assert_eq!(greeting(&kernel).unwrap(), "hello");
    let status = kernel.status(&id).unwrap();
    assert_eq!((status.state, status.generation.unwrap().runtime.as_str()), (State::Running, "remote/remote"));
    block_on(kernel.stop(&id)).unwrap();
    assert_eq!(greeting(&kernel).unwrap_err().code(), Fault::NotRunning);
    block_on(kernel.start(&id)).unwrap();
    assert_eq!(greeting(&kernel).unwrap(), "hello");
    block_on(kernel.unload(&id)).unwrap();
    block_on(kernel.unregister(&id)).unwrap();
    let hooks = line.0.hooks.lock().unwrap().clone();
    // Those that its facts name, and no others.
    assert_eq!(hooks, [Hook::Init, Hook::Start, Hook::Stop, Hook::Start, Hook::Stop]);
}

#[test]
fn a_guest_that_goes_is_stopped_and_one_that_comes_again_runs() {
    let (kernel, id, line) = visited();
    let events = kernel.bus().subscribe("plugin.*").unwrap();
    line.cut();
    let status = kernel.status(&id).unwrap();
    assert_eq!(status.state, State::Stopped);
    assert_eq!(status.last_error.unwrap().code(), Fault::PeerGone);
    assert_eq!((status.manifest.version.to_string().as_str(), status.cause.is_none()), ("1.0.0", true));
    let told: Vec<_> = std::iter::from_fn(|| events.try_next()).map(|event| event.topic().to_owned()).collect();
    assert_eq!(told, ["plugin.stopped"]);
    let refused = greeting(&kernel).unwrap_err();
    assert_eq!(refused.code(), Fault::NotRunning);
    assert_eq!(refused.record().data["cause_code"], "peer_gone");
    assert!(eventually(|| kernel.status(&id).unwrap().generation.is_none()));

    kernel.adopt(manifest("2.0.0"), Arc::new(Line::new("hello again"))).unwrap();
    block_on(kernel.load(&id)).unwrap();
    assert_eq!(greeting(&kernel).unwrap(), "hello again");
    assert_eq!(kernel.status(&id).unwrap().manifest.version.to_string(), "2.0.0");
}

#[test]
fn a_plugin_whose_only_instance_is_spent_while_idle_has_failed_with_that_cause() {
    let (kernel, id, line) = visited();
    line.wear();
    let status = kernel.status(&id).unwrap();
    assert_eq!((status.state, status.cause.unwrap().code()), (State::Failed, Fault::DeadlineExceeded));
    let refused = greeting(&kernel).unwrap_err();
    assert_eq!(
        (refused.code(), &refused.record().data["cause_code"]),
        (Fault::NotRunning, &"deadline_exceeded".into())
    );
}

#[test]
fn a_guest_that_goes_during_a_call_is_stopped_as_well() {
    let (kernel, id, _) = visited();
    assert_eq!(block_on(kernel.call("visitor/go", "")).unwrap_err().code(), Fault::PeerGone);
    assert!(eventually(|| state(&kernel, &id) == State::Stopped));
    kernel.adopt(manifest("1.0.0"), Arc::new(Line::new("back"))).unwrap();
    // Whoever starts or restarts it means the same.
    block_on(kernel.start(&id)).unwrap();
    assert_eq!(greeting(&kernel).unwrap(), "back");
}

#[test]
fn a_guest_that_has_not_come_again_cannot_be_started() {
    let (kernel, id, line) = visited();
    line.cut();
    assert_eq!(block_on(kernel.start(&id)).unwrap_err().code(), Fault::PeerGone);
    assert_eq!(state(&kernel, &id), State::Failed);
    kernel.adopt(manifest("1.0.0"), Arc::new(Line::new("back"))).unwrap();
    block_on(kernel.restart(&id)).unwrap();
    assert_eq!(greeting(&kernel).unwrap(), "back");
}

#[test]
fn a_guest_that_went_while_it_was_stopped_is_noticed_on_the_next_start() {
    let (kernel, id, line) = visited();
    block_on(kernel.stop(&id)).unwrap();
    line.cut();
    assert_eq!(state(&kernel, &id), State::Stopped);
    kernel.adopt(manifest("1.0.0"), Arc::new(Line::new("back"))).unwrap();
    block_on(kernel.start(&id)).unwrap();
    assert_eq!(greeting(&kernel).unwrap(), "back");
    line.cut();
    assert_eq!(state(&kernel, &id), State::Running, "the line before is nobody's business any longer");
}

#[test]
fn a_guest_that_is_gone_can_be_forgotten() {
    let (kernel, id, line) = visited();
    line.cut();
    block_on(kernel.unregister(&id)).unwrap();
    assert_eq!(kernel.status(&id).unwrap_err().code(), Fault::PluginNotFound);
}

#[test]
fn a_guest_that_comes_while_it_runs_is_brought_in_by_a_reload() {
    let (kernel, id, first) = visited();
    kernel.adopt(manifest("2.0.0"), Arc::new(Line::new("newer"))).unwrap();
    assert_eq!(greeting(&kernel).unwrap(), "hello");
    block_on(kernel.reload(&id)).unwrap();
    assert_eq!(greeting(&kernel).unwrap(), "newer");
    assert_eq!(kernel.status(&id).unwrap().manifest.version.to_string(), "2.0.0");
    first.cut();
    assert_eq!(greeting(&kernel).unwrap(), "newer");
    // The same line twice is no second plugin.
    assert_eq!(block_on(kernel.reload(&id)).unwrap_err().code(), Fault::PeerGone);
    assert_eq!(greeting(&kernel).unwrap(), "newer");
}

#[test]
fn a_guest_cannot_take_the_place_of_a_plugin_with_a_folder() {
    let house = House::new();
    house.load(&PluginFolder::fake("visitor", "probe"));
    let refused = house.kernel.adopt(manifest("1.0.0"), Arc::new(Line::new("hello"))).unwrap_err();
    assert_eq!(refused.code(), Fault::AlreadyRegistered);
}

#[test]
fn what_the_operator_decides_counts_for_guests() {
    let kernel = Kernel::builder().build();
    let limits = Limits { memory: Some(1 << 20), ..Limits::default() };
    let id: PluginId = "visitor".parse().unwrap();
    kernel.set_policy(&id, Policy { limits, ..Policy::default() });
    kernel.adopt(manifest("1.0.0"), Arc::new(Line::new("hello"))).unwrap();
    assert_eq!(block_on(kernel.load(&id)).unwrap_err().code(), Fault::LimitNotEnforceable);
    let grants = vec![Permission::parse("plugin.call").unwrap()];
    kernel.set_policy(&id, Policy { grants, ..Policy::default() });
    block_on(kernel.load(&id)).unwrap();
    block_on(kernel.disable(&id)).unwrap();
    kernel.adopt(manifest("1.0.0"), Arc::new(Line::new("again"))).unwrap();
    assert_eq!(block_on(kernel.load(&id)).unwrap_err().code(), Fault::NotRunning);
}
