//! Code that takes too long to be opened.

use std::sync::Arc;
use std::time::Duration;

use midplane_contract::{Code as Fault, Limits, Placement, Result, RuntimeKind, State};
use midplane_kernel::{Code, CodeFacts, Instance, InstanceContext, Kernel, LoadRequest, Runtime, block_on};
use midplane_testkit::{Fake, Gate, PATIENCE, PluginFolder, Scratch, eventually, probe};

use crate::house::{Until, name};

/// A runtime that waits at a gate for code that says so: while it is loaded, or while its instance is made.
struct Slow {
    fake: Fake,
    gate: Gate,
}

/// Code of it, and the gate that its instances wait at.
struct SlowCode(Arc<dyn Code>, Option<Gate>);

impl Runtime for Slow {
    fn serves(&self) -> (RuntimeKind, Placement) {
        self.fake.serves()
    }

    fn unenforceable(&self, limits: &Limits) -> Vec<&'static str> {
        self.fake.unenforceable(limits)
    }

    fn load(&self, request: &LoadRequest) -> Result<Arc<dyn Code>> {
        let text = std::fs::read_to_string(&request.main).unwrap();
        if text.contains("slow load") {
            pass(&self.gate);
        }
        let gate = text.contains("slow instance").then(|| self.gate.clone());
        Ok(Arc::new(SlowCode(self.fake.load(request)?, gate)))
    }
}

impl Code for SlowCode {
    fn facts(&self) -> &CodeFacts {
        self.0.facts()
    }

    fn instantiate(&self, context: InstanceContext) -> Result<Box<dyn Instance>> {
        self.1.iter().for_each(pass);
        self.0.instantiate(context)
    }
}

fn pass(gate: &Gate) {
    while !gate.is_open() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

struct Scene {
    kernel: Kernel,
    fake: Fake,
    gate: Gate,
    scratch: Scratch,
}

impl Scene {
    fn new(time: Duration) -> Self {
        let (fake, gate) = (Fake::new().program("probe", probe()), Gate::new());
        let scratch = Scratch::new("opening").unwrap();
        let slow = Slow { fake: fake.clone(), gate: gate.clone() };
        let builder = Kernel::builder().runtime(Arc::new(slow)).cache(scratch.path().join("cache"));
        let kernel = builder.load_time(Some(time)).concurrent_loads(1).build();
        Self { kernel, fake, gate, scratch }
    }

    fn write(&self, id: &str, code: &str) -> std::path::PathBuf {
        PluginFolder::fake(id, code).write(self.scratch.path()).unwrap()
    }
}

const SHORT: Duration = Duration::from_millis(250);

#[test]
fn a_load_is_answered_when_its_code_hangs_in_opening_and_what_comes_late_is_thrown_away() {
    let scene = Scene::new(SHORT);
    let open = Until(&scene.gate);
    for (id, code) in [("loading", "probe\nslow load"), ("making", "probe\nslow instance")] {
        let id = block_on(scene.kernel.register(scene.write(id, code))).unwrap();
        let error = block_on(scene.kernel.load(&id)).unwrap_err();
        assert_eq!(error.code(), Fault::DeadlineExceeded, "{error:?}");
        assert!(error.record().message.contains("not opened within 2"), "{error}");
        assert!(error.record().remedy.as_ref().unwrap().contains("load.timeout"), "{error:?}");
        assert_eq!(error.record().plugin.as_ref(), Some(&id.to_string()));
        let status = scene.kernel.status(&id).unwrap();
        assert_eq!((status.state, status.generation.is_none()), (State::Failed, true));
    }
    // The only place to load in is free again.
    let id = block_on(scene.kernel.register(scene.write("quick", "probe\n1"))).unwrap();
    block_on(scene.kernel.load(&id)).unwrap();
    drop(open);
    assert!(eventually(|| scene.fake.loaded() == ["quick"]), "{:?}", scene.fake.loaded());
    assert!(eventually(|| scene.fake.instances() == 1), "{}", scene.fake.instances());
    for id in ["loading", "making"] {
        assert_eq!(scene.kernel.status(&name(id)).unwrap().state, State::Failed);
        // In time it is loaded like any other.
        block_on(scene.kernel.restart(&name(id))).unwrap();
    }
}

#[test]
fn a_reload_whose_code_hangs_leaves_the_one_that_serves() {
    let scene = Scene::new(SHORT);
    let _open = Until(&scene.gate);
    let id = block_on(scene.kernel.register(scene.write("p", "probe\n1"))).unwrap();
    block_on(scene.kernel.load(&id)).unwrap();
    scene.write("p", "probe\nslow load");
    assert_eq!(block_on(scene.kernel.reload(&id)).unwrap_err().code(), Fault::DeadlineExceeded);
    assert_eq!(block_on(scene.kernel.call("p/echo", "x")).unwrap(), b"x");
}

#[test]
fn code_that_is_opened_in_time_has_what_is_left_for_its_hooks() {
    let scene = Scene::new(PATIENCE);
    scene.gate.open();
    let id = block_on(scene.kernel.register(scene.write("p", "probe\nslow load, slow instance"))).unwrap();
    block_on(scene.kernel.load(&id)).unwrap();
    assert_eq!(block_on(scene.kernel.call("p/echo", "x")).unwrap(), b"x");
}

#[test]
fn a_bare_file_that_hangs_when_it_is_asked_its_name_is_not_waited_for() {
    let scene = Scene::new(SHORT);
    let _open = Until(&scene.gate);
    let file = scene.write("aside", "probe\n1").parent().unwrap().join("lonely.wasm");
    std::fs::write(&file, "probe\nslow load").unwrap();
    let error = block_on(scene.kernel.install(&file)).unwrap_err();
    assert_eq!(error.code(), Fault::DeadlineExceeded, "{error:?}");
    assert!(scene.kernel.statuses().is_empty());
}
