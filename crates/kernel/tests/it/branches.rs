//! Loading and unloading in order, and at once where nothing says otherwise.

use midplane_contract::manifest::{Dependency, DependencyKind};
use midplane_contract::{Code, Hook, PluginId, State, VersionRange};
use midplane_kernel::block_on;
use midplane_kernel::resolve::Requirement;
use midplane_testkit::{Fake, Gate, PluginFolder, Program, eventually, probe};
use serde_json::json;

use crate::dependencies::{needing, on};
use crate::house::{House, Until, name};

/// A program whose hook ends when so many have begun theirs.
pub(crate) fn meeting_in(hook: Hook, gate: &Gate, many: usize) -> Program {
    let gate = gate.clone();
    Program::echoing().hook(hook, move |desk, _| {
        if gate.arrived() + 1 >= many {
            gate.open();
        }
        desk.wait_at(&gate)?;
        Ok(Vec::new())
    })
}

#[test]
fn branches_that_wait_for_each_other_to_have_begun_both_start() {
    for hook in [Hook::Init, Hook::Start] {
        let gate = Gate::new();
        let house = House::with(&[("meeting", meeting_in(hook, &gate, 2))]);
        for id in ["left", "right"] {
            house.register(&PluginFolder::fake(id, "meeting"));
        }
        let _end = Until(&gate);
        house.load(&needing("top", on(&["left", "right"])));
        assert_eq!(house.state(&name("left")), State::Running);
    }
}

#[test]
fn several_that_are_asked_for_are_loaded_at_once_and_each_says_what_became_of_it() {
    for hook in [Hook::Init, Hook::Start] {
        let gate = Gate::new();
        let house = House::with(&[("meeting", meeting_in(hook, &gate, 2))]);
        let mut ids = vec![house.register(&PluginFolder::fake("left", "meeting")), name("nowhere")];
        ids.push(house.register(&PluginFolder::fake("right", "meeting")));
        ids.push(house.register(&needing("top", on(&["left"]))));
        let _end = Until(&gate);
        let became = block_on(house.kernel.ensure_all_loaded(&ids));
        let became: Vec<Option<Code>> = became.into_iter().map(|one| one.err().map(|error| error.code())).collect();
        assert_eq!(became, [None, Some(Code::PluginNotFound), None, None]);
        assert_eq!(house.state(&name("top")), State::Running);
    }
}

#[test]
fn no_more_are_loaded_at_once_than_the_kernel_may() {
    let gate = Gate::new();
    let fake = Fake::new().program("probe", probe()).program("slow", Program::echoing().waits_in(Hook::Init, &gate));
    let house = House::over(fake, |builder| builder.concurrent_loads(2));
    let ids: Vec<String> = (0..6).map(|n| format!("p{n}")).collect();
    for id in &ids {
        house.register(&PluginFolder::fake(id, "slow"));
    }
    let top = house.register(&needing("top", on(&ids.iter().map(String::as_str).collect::<Vec<_>>())));
    let end = Until(&gate);
    let kernel = house.kernel.clone();
    let load = std::thread::spawn(move || block_on(kernel.load(&top)));
    assert!(gate.wait_for(2));
    let loading = || house.kernel.statuses().iter().filter(|status| status.state == State::Loading).count();
    // All six have begun: two are in their hook, the others wait for a place.
    assert!(eventually(|| loading() == 6));
    assert_eq!(gate.arrived(), 2);
    drop(end);
    load.join().unwrap().unwrap();
}

#[test]
fn a_branch_that_fails_blocks_only_what_needs_it() {
    let house = House::new();
    house.register(&PluginFolder::fake("broken", "no-such-program"));
    house.register(&needing("above", on(&["broken"])));
    house.register(&needing("fine", on(&[])));
    let id = house.register(&needing("top", on(&["above", "fine"])));
    assert!(block_on(house.kernel.load(&id)).is_err());
    let states = ["broken", "above", "fine", "top"].map(|id| house.state(&name(id)));
    assert_eq!(states, [State::Failed, State::Failed, State::Running, State::Failed]);
}

#[test]
fn unloading_with_everything_above_takes_what_needs_it_first() {
    let house = House::new();
    for (id, needs) in [("base", &[][..]), ("left", &["base"]), ("right", &["base"]), ("apart", &[])] {
        house.register(&needing(id, on(needs)));
    }
    house.load(&needing("top", on(&["left", "right"])));
    block_on(house.kernel.load(&name("apart"))).unwrap();
    let refused = block_on(house.kernel.unload(&name("base"))).unwrap_err();
    assert_eq!(refused.record().data["dependents"], json!(["left", "right"]));
    let stopped = house.kernel.bus().subscribe("plugin.stopped").unwrap();
    let gone = block_on(house.kernel.unload_cascade(&name("base"))).unwrap();
    let order: Vec<PluginId> = std::iter::from_fn(|| stopped.try_next())
        .map(|event| name(event.data()["plugin_id"].as_str().unwrap()))
        .collect();
    assert_eq!(order, gone);
    assert_eq!((&gone[0], &gone[3], gone.len()), (&name("top"), &name("base"), 4));
    assert_eq!(house.fake.loaded(), ["apart"]);
    assert_eq!(block_on(house.kernel.unload_cascade(&name("base"))).unwrap_err().code(), Code::NotLoaded);
}

#[test]
fn edges_are_listed_in_both_directions_and_may_be_added() {
    let house = House::new();
    let registered = house.kernel.bus().subscribe("plugin.registered").unwrap();
    let top = house.register(&needing("top", json!([{ "id": "base", "version": "^1" }])));
    assert_eq!(registered.try_next().unwrap().data()["missing"], json!(["base"]));
    assert_eq!(house.kernel.unmet(&top).unwrap()[0].code(), Code::DependencyNotFound);
    let base = house.register(&needing("base", on(&[])));
    assert!(house.kernel.unmet(&top).unwrap().is_empty());
    let extra = house.register(&needing("extra", on(&[])));
    let edge = |id: &PluginId| Dependency {
        id: id.clone(),
        version: VersionRange::parse(">=1").unwrap(),
        optional: false,
        kind: DependencyKind::Run,
    };
    house.kernel.add_dependency(&base, edge(&extra)).unwrap();
    let circle = house.kernel.add_dependency(&extra, edge(&top)).unwrap_err();
    assert_eq!(circle.record().data["edges"], json!(["base → extra", "extra → top", "top → base"]));
    assert_eq!(house.kernel.dependents(&base)[0].0, top);
    assert_eq!(house.kernel.dependencies(&base).unwrap(), [edge(&extra)]);
    let plan = house.kernel.resolve(vec![Requirement::any(top.clone())]).unwrap();
    assert_eq!(plan.steps.iter().map(|step| step.id.as_str()).collect::<Vec<_>>(), ["extra", "base", "top"]);
    block_on(house.kernel.load(&top)).unwrap();
    assert_eq!(house.state(&extra), State::Running);
    block_on(house.kernel.reload(&base)).unwrap();
    assert_eq!(house.kernel.dependencies(&base).unwrap(), [edge(&extra)]);
}

#[test]
fn a_chain_of_a_thousand_is_loaded_and_unloaded() {
    let house = House::new();
    house.register(&needing("p0", on(&[])));
    for n in 1..1000 {
        house.register(&needing(&format!("p{n}"), on(&[&format!("p{}", n - 1)])));
    }
    block_on(house.kernel.load(&name("p999"))).unwrap();
    assert_eq!(house.fake.loaded().len(), 1000);
    assert_eq!(block_on(house.kernel.unload_cascade(&name("p0"))).unwrap().len(), 1000);
    assert!(house.fake.loaded().is_empty());
}

#[test]
fn one_at_a_time_is_enough_for_what_needs_each_other() {
    for most in [0, 1] {
        let fake = Fake::new().program("probe", probe());
        let house = House::over(fake, |builder| builder.concurrent_loads(most));
        for (id, needs) in [("d", &[][..]), ("c", &["d"]), ("b", &["d"])] {
            house.register(&needing(id, on(needs)));
        }
        let top = house.register(&needing("a", on(&["b", "c"])));
        let kernel = house.kernel.clone();
        let load = std::thread::spawn(move || block_on(kernel.load(&top)));
        assert!(eventually(|| load.is_finished()), "a load waits for a place that it holds itself");
        load.join().unwrap().unwrap();
    }
}
