//! Numbers that an operator sets, for the host or one plugin.

use std::time::Duration;

use midplane_contract::{Code, Hook, Limits};
use midplane_kernel::{Bounds, Builder, Policy, block_on};
use midplane_testkit::{Fake, Gate, PluginFolder, Program, eventually, log, probe};
use serde_json::json;

use crate::house::{House, Until, gated, name, pool};

fn house(programs: &[(&str, Program)], build: impl FnOnce(Builder) -> Builder) -> House {
    let fake = programs
        .iter()
        .fold(Fake::new().program("probe", probe()), |fake, (name, program)| fake.program(name, program.clone()));
    House::over(fake, build)
}

fn bound(house: &House, id: &str, bounds: Bounds) {
    let policy = house.kernel.policy(&name(id));
    house.kernel.set_policy(&name(id), Policy { bounds, ..policy });
}

#[test]
fn a_pool_has_no_more_instances_than_the_operator_lets_it_and_a_plugins_own_word_stands_over_the_hosts() {
    let house = house(&[], |builder| builder.bounds(Bounds { instances: Some(3), ..Bounds::default() }));
    bound(&house, "own", Bounds { instances: Some(2), ..Bounds::default() });
    for (id, min, most) in [("shared", 8, 3), ("own", 1, 2)] {
        let id = house.load(&PluginFolder::fake(id, "probe\n1").with("instances", pool(min, 8)));
        let instances = house.kernel.status(&id).unwrap().generation.unwrap().instances;
        assert_eq!((instances.min, instances.max), (min.min(most), most));
    }
    let actor = house.probe("actor");
    assert_eq!(house.kernel.status(&actor).unwrap().generation.unwrap().instances.max, 1);
}

#[test]
fn chains_of_calls_end_where_the_operator_says() {
    let program = Program::new().waiting("again", |desk, _, reply| {
        let answer = desk.call("p/again", b"")?;
        reply.write(&answer)
    });
    for depth in [1, 5, 128] {
        let house = house(&[("endless", program.clone())], |builder| {
            builder.bounds(Bounds { call_depth: Some(depth), ..Bounds::default() })
        });
        house.grant(&name("p"), "plugin.call");
        let folder = PluginFolder::fake("p", "endless").with("permissions", json!(["plugin.call"]));
        house.load(&folder.with("instances", pool(1, 200)));
        let error = house.call("p/again", "").unwrap_err();
        assert_eq!(error.code(), Code::DepthExceeded, "{error:?}");
        assert_eq!(error.record().data["depth"], depth + 1);
    }
}

#[test]
fn no_more_events_wait_for_a_plugin_than_the_operator_says_from_the_moment_it_is_said() {
    let gate = Gate::new();
    let _until = Until(&gate);
    let program = probe().waits_in(Hook::Event, &gate);
    let house = house(&[("slow", program)], |builder| {
        builder.bounds(Bounds { subscriber_queue: Some(4), ..Bounds::default() })
    });
    house.grant(&name("p"), "bus.subscribe");
    let id = house.load(&PluginFolder::fake("p", "slow\n1").with("permissions", json!(["bus.subscribe"])));
    let subscribe = json!({"function": "bus.subscribe", "args": {"topic": "t"}});
    house.call("p/host", &subscribe.to_string()).unwrap();
    let events = || house.kernel.status(&id).unwrap().events;
    let publish = |count: usize| {
        for n in 0..count {
            house.kernel.bus().publish("t", json!(n)).unwrap();
        }
    };
    publish(1);
    // It is being handled, and waits no longer.
    assert!(eventually(|| events().waiting == 0));
    publish(10);
    assert_eq!((events().waiting, events().dropped), (4, 6));
    bound(&house, "p", Bounds { subscriber_queue: Some(7), ..Bounds::default() });
    publish(10);
    assert_eq!((events().waiting, events().dropped), (7, 13));
    bound(&house, "p", Bounds { subscriber_queue: Some(2), ..Bounds::default() });
    publish(1);
    assert_eq!((events().waiting, events().dropped), (2, 19));
}

#[test]
fn a_plugin_publishes_no_faster_than_the_operator_says_from_the_moment_it_is_said() {
    let house = house(&[], |builder| builder.bounds(Bounds { publish_rate: Some(1), ..Bounds::default() }));
    house.grant(&name("p"), "bus.publish");
    house.load(&PluginFolder::fake("p", "probe\n1").with("permissions", json!(["bus.publish"])));
    let ask = json!({"function": "bus.publish", "args": {"topic": "t"}}).to_string();
    let publish = || house.call("p/host", &ask).map_err(|error| error.code());
    let refused = |count: usize| (0..count).filter_map(|_| publish().err()).collect::<Vec<_>>();
    let first = refused(10);
    assert!(first.len() >= 5 && first.iter().all(|code| *code == Code::LimitExceeded), "{first:?}");
    bound(&house, "p", Bounds { publish_rate: Some(100_000), ..Bounds::default() });
    assert_eq!(refused(10), []);
    // The host's own, where nothing is said of the plugin itself.
    bound(&house, "p", Bounds::default());
    assert!(refused(10).len() >= 5);
    house.kernel.set_limits(Limits::default(), Bounds { publish_rate: Some(100_000), ..Bounds::default() });
    assert_eq!(refused(10), []);
}

#[test]
fn lines_of_a_plugin_are_cut_where_the_operator_says() {
    assert!(log::listen());
    let says = Program::new().action("say", |desk, _, _| desk.says(&"x".repeat(100)));
    let house = house(&[("says", says)], |builder| builder.bounds(Bounds { log_line: Some(10), ..Bounds::default() }));
    house.load(&PluginFolder::fake("cut-short", "says\n1"));
    house.call("cut-short/say", "").unwrap();
    assert!(log::heard("cut-short", "xxxxxxxxxx … (90 more bytes cut off)"));
    bound(&house, "cut-short", Bounds { log_line: Some(40), ..Bounds::default() });
    house.call("cut-short/say", "").unwrap();
    assert!(log::heard_part("cut-short", "(60 more bytes cut off)"));
}

#[test]
fn calls_in_flight_get_as_long_as_the_operator_says_when_their_plugin_is_stopped() {
    let gate = Gate::new();
    let until = Until(&gate);
    let house = house(&[("gated", gated(&gate))], |builder| builder.drain(Duration::from_millis(1)));
    let id = house.load(&PluginFolder::fake("p", "gated\n1"));
    let action = house.action("p/wait");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| block_on(action.call("x")));
        assert!(gate.wait_for(1));
        block_on(house.kernel.stop(&id)).unwrap();
        assert!(!waiting.is_finished(), "it is not waited for any longer");
        drop(until);
        assert_eq!(waiting.join().unwrap().unwrap(), b"x");
    });
}
