//! Optional dependencies that come and go.

use std::sync::{Arc, Mutex};

use midplane_contract::{Hook, Limits, State};
use midplane_kernel::block_on;
use midplane_testkit::{Fake, Gate, PluginFolder, Program, eventually, probe};
use serde_json::{Value, json};

use crate::house::{House, Until, gated, name, pool};

type Told = Arc<Mutex<Vec<String>>>;

/// A program that notes what it is told.
fn listening(told: &Told) -> Program {
    let told = Arc::clone(told);
    Program::echoing().hook(Hook::DependencyChanged, move |_, input| {
        told.lock().unwrap().push(String::from_utf8(input.to_vec()).unwrap());
        Ok(Vec::new())
    })
}

fn optional(id: &str, version: &str) -> Value {
    json!([{ "id": id, "version": version, "optional": true }])
}

fn becomes(told: &Told, expected: &[bool]) {
    let expected: Vec<String> =
        expected.iter().map(|there| json!({ "id": "helper", "available": there }).to_string()).collect();
    assert!(eventually(|| *told.lock().unwrap() == expected), "{:?}", told.lock().unwrap());
}

#[test]
fn a_plugin_is_told_when_what_it_would_use_comes_and_goes() {
    let told = Told::default();
    let house = House::with(&[("listening", listening(&told))]);
    let events = house.kernel.bus().subscribe("plugin.dependency_changed").unwrap();
    house.load(&PluginFolder::fake("user", "listening").with("dependencies", optional("helper", "^1")));
    let helper = house.probe("helper");
    becomes(&told, &[true]);
    block_on(house.kernel.stop(&helper)).unwrap();
    becomes(&told, &[true, false]);
    block_on(house.kernel.start(&helper)).unwrap();
    becomes(&told, &[true, false, true]);
    // One that fails is gone as well, and one that is unloaded while it does not run is gone already.
    assert!(house.call("helper/abort", "").is_err());
    house.wait_for(&helper, State::Failed);
    becomes(&told, &[true, false, true, false]);
    block_on(house.kernel.unload(&helper)).unwrap();
    let event = events.try_next().unwrap();
    assert_eq!(event.data()["plugin_id"], "user");
    assert_eq!((&event.data()["dependency"], &event.data()["available"]), (&"helper".into(), &true.into()));
    becomes(&told, &[true, false, true, false]);
}

#[test]
fn a_plugin_that_starts_is_told_of_what_is_there_and_every_instance_knows() {
    let told = Told::default();
    let house = House::with(&[("listening", listening(&told))]);
    house.probe("helper");
    let user = PluginFolder::fake("user", "listening").with("dependencies", optional("helper", "^1"));
    house.load(&user.with("instances", pool(2, 2)));
    becomes(&told, &[true, true]);
    block_on(house.kernel.reload(&name("user"))).unwrap();
    becomes(&told, &[true; 4]);
}

#[test]
fn a_version_that_does_not_fit_is_not_there() {
    let told = Told::default();
    let house = House::with(&[("listening", listening(&told))]);
    let events = house.kernel.bus().subscribe("plugin.dependency_changed").unwrap();
    house.load(&PluginFolder::fake("user", "listening").with("dependencies", optional("helper", "^2")));
    let helper = house.load(&PluginFolder::fake("helper", "probe\n1").with("version", "1.0.0"));
    block_on(house.kernel.unload(&helper)).unwrap();
    block_on(house.kernel.unregister(&helper)).unwrap();
    house.load(&PluginFolder::fake("helper", "probe\n1").with("version", "2.0.0"));
    becomes(&told, &[true]);
    assert!(eventually(|| events.try_next().is_some()));
    assert!(events.try_next().is_none());
}

#[test]
fn a_hook_that_hangs_ends_by_its_deadline_and_holds_up_nobody() {
    let (told, gate) = (Told::default(), Gate::new());
    let inside = gate.clone();
    let stuck = Program::echoing().hook(Hook::DependencyChanged, move |desk, _| {
        let _ = desk.wait_at(&inside);
        desk.hang().map(|()| Vec::new())
    });
    let fake = Fake::new().program("probe", probe()).program("stuck", stuck).program("listening", listening(&told));
    let house = House::over(fake, |builder| builder);
    house.limit("stuck", Limits { hook_deadline_ms: Some(200), ..Limits::default() });
    house.load(&PluginFolder::fake("stuck", "stuck").with("dependencies", optional("helper", "*")));
    house.load(&PluginFolder::fake("user", "listening").with("dependencies", optional("helper", "*")));
    let helper = house.probe("helper");
    becomes(&told, &[true]);
    assert!(gate.wait_for(1));
    gate.open();
    block_on(house.kernel.stop(&helper)).unwrap();
    becomes(&told, &[true, false]);
    assert_eq!(house.call("stuck/echo", "x").unwrap(), "x");
    assert!(eventually(|| house.kernel.status(&name("stuck")).unwrap().last_error.is_some()));
}

#[test]
fn a_plugin_that_is_busy_is_told_when_its_call_has_ended() {
    let (told, gate) = (Told::default(), Gate::new());
    let heard = Arc::clone(&told);
    let program = gated(&gate).hook(Hook::DependencyChanged, move |_, input| {
        heard.lock().unwrap().push(String::from_utf8(input.to_vec()).unwrap());
        Ok(Vec::new())
    });
    let house = House::with(&[("gated", program)]);
    house.load(&PluginFolder::fake("user", "gated").with("dependencies", optional("helper", "*")));
    let until = Until(&gate);
    let action = house.action("user/wait");
    let call = std::thread::spawn(move || block_on(action.call("x")));
    assert!(gate.wait_for(1));
    house.probe("helper");
    assert!(told.lock().unwrap().is_empty());
    drop(until);
    call.join().unwrap().unwrap();
    becomes(&told, &[true]);
}
