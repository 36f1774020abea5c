//! Those who mean no good, or are very slow: nobody else is held up by them.

use std::io::Write;

use midplane_node::Method;
use midplane_node::door::CONNECTIONS;
use midplane_testkit::{PluginFolder, eventually};
use serde_json::json;

use crate::house::{House, Visitor, code};

#[test]
fn a_line_without_end_is_cut_off() {
    let house = House::new();
    let mut visitor = house.visitor();
    let mut stream = visitor.0.get_ref().try_clone().unwrap();
    let writing = std::thread::spawn(move || {
        let much = vec![b'x'; 1 << 20];
        // Until the door is shut on it.
        while stream.write_all(&much).is_ok() {}
    });
    if let Some(answer) = visitor.hears() {
        assert_eq!(code(&answer), "protocol_error");
    }
    assert_eq!(visitor.hears(), None);
    writing.join().unwrap();
    house.ask(Method::Status, json!({})).unwrap();
}

#[test]
fn a_long_request_within_the_limit_is_answered_and_one_beyond_is_not() {
    let house = House::new();
    let line = |length: usize| {
        let empty = "{\"id\": \"\", \"method\": \"routes\"}";
        format!("{{\"id\": \"{}\", \"method\": \"routes\"}}\n", "i".repeat(length - empty.len()))
    };
    let mut visitor = house.visitor();
    assert!(visitor.says(&line(64 * 1024)).unwrap().get("result").is_some());
    assert_eq!(code(&visitor.says(&line(64 * 1024 + 1)).unwrap()), "protocol_error");
    assert_eq!(visitor.hears(), None);
}

#[test]
fn the_door_takes_so_many_and_tells_the_next_so() {
    let house = House::new();
    let mut inside: Vec<Visitor> = (0..CONNECTIONS).map(|_| house.visitor()).collect();
    for visitor in &mut inside {
        assert!(visitor.says("{\"method\": \"routes\"}\n").is_some());
    }
    let mut next = house.visitor();
    assert_eq!(code(&next.hears().unwrap()), "overloaded");
    assert_eq!(next.hears(), None);
    inside.pop();
    assert!(eventually(|| house
        .visitor()
        .says("{\"method\": \"routes\"}\n")
        .is_some_and(|one| one.get("result").is_some())));
}

#[test]
fn whoever_does_not_read_holds_nobody_up() {
    let house = House::new();
    for number in 0..50 {
        let path = house.write(&PluginFolder::fake(&format!("p{number}"), "probe\n1"));
        midplane_kernel::block_on(house.kernel.register(path)).unwrap();
    }
    let deaf: Vec<Visitor> = (0..8).map(|_| house.visitor()).collect();
    for visitor in &deaf {
        let mut stream = visitor.0.get_ref();
        stream.set_nonblocking(true).unwrap();
        // As much as goes: the answers are far longer than what asks for them.
        while stream.write_all(b"{\"method\": \"status\"}\n").is_ok() {}
    }
    for _ in 0..20 {
        house.ask(Method::Status, json!({})).unwrap();
    }
    drop(deaf);
}

#[test]
fn many_at_once_each_get_their_own_answers() {
    let house = House::new();
    std::thread::scope(|scope| {
        for visitor in 0..16 {
            let mut at = house.visitor();
            scope.spawn(move || {
                for number in 0..50 {
                    let id = json!(format!("{visitor}/{number}"));
                    let line = json!({ "id": id, "method": "bus.stats" });
                    assert_eq!(at.says(&format!("{line}\n")).unwrap()["id"], id);
                }
            });
        }
    });
}
