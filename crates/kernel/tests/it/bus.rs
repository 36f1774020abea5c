//! The bus, as the program around the kernel uses it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use midplane_contract::Code;
use midplane_kernel::bus::{Bus, Filter, Message, Options, Overflow, Rate, Subscription};
use midplane_kernel::{Event, block_on};
use midplane_testkit::{PATIENCE, eventually};
use serde_json::{Value, json};

fn numbers(events: &Subscription) -> Vec<u64> {
    std::iter::from_fn(|| events.try_next()).map(|event| event.data().as_u64().unwrap()).collect()
}

fn publish(bus: &Bus, topic: &str, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        bus.publish(topic, Value::from(number)).unwrap();
    }
}

#[test]
fn subscribers_get_what_their_pattern_names_in_order() {
    let bus = Bus::default();
    let [all, level, rest, one] = ["*", "a.*", "a.>", "a.b"].map(|pattern| bus.subscribe(pattern).unwrap());
    for (number, topic) in (0..).zip(["a.b", "a.c", "a.b.c", "d"]) {
        publish(&bus, topic, [number]);
    }
    assert_eq!(
        [all, level, rest, one].map(|events| numbers(&events)),
        [vec![0, 1, 2, 3], vec![0, 1], vec![0, 1, 2], vec![0]]
    );
}

#[test]
fn what_is_no_message_is_refused_before_anybody_gets_it() {
    let bus = Bus::default();
    let all = bus.subscribe("*").unwrap();
    for topic in ["", "a..b", "a.*", "a b", "*"] {
        assert_eq!(bus.publish(topic, json!(1)).unwrap_err().code(), Code::InvalidInput, "{topic}");
    }
    let large = vec![0_u8; 64 * 1024 * 1024 + 1];
    assert_eq!(bus.publish("a", large).unwrap_err().code(), Code::LimitExceeded);
    assert_eq!(bus.subscribe("a.>.b").err().unwrap().code(), Code::InvalidInput);
    assert!(all.try_next().is_none());
    assert_eq!(bus.stats().total_published, 0);
}

#[test]
fn bytes_are_shared_and_not_copied() {
    let bus = Bus::default();
    let subscribers: Vec<Subscription> = (0..10).map(|_| bus.subscribe("a").unwrap()).collect();
    let bytes: Arc<[u8]> = vec![7; 100].into();
    bus.publish("a", Arc::clone(&bytes)).unwrap();
    assert_eq!(Arc::strong_count(&bytes), 2, "one here, one in the one event that all of them share");
    let events: Vec<Arc<Event>> = subscribers.iter().map(|events| events.try_next().unwrap()).collect();
    assert!(events.iter().all(|event| std::ptr::eq(event.bytes().as_ptr(), bytes.as_ptr())));
}

#[test]
fn each_way_to_overflow_does_what_it_says() {
    let bus = Bus::default();
    let with = |overflow| bus.subscribe_with("a", Options::new().queue(3).overflow(overflow)).unwrap();
    let (oldest, newest) = (with(Overflow::DropOldest), with(Overflow::DropNewest));
    let mut cut = with(Overflow::Disconnect);
    publish(&bus, "a", 0..5);
    assert_eq!((numbers(&oldest), oldest.dropped()), (vec![2, 3, 4], 2));
    assert_eq!((numbers(&newest), newest.dropped()), (vec![0, 1, 2], 2));
    assert_eq!(numbers(&cut), [0, 1, 2]);
    assert!(cut.next_blocking().is_none());
    publish(&bus, "a", [9]);
    assert_eq!((numbers(&oldest), numbers(&newest), numbers(&cut)), (vec![9], vec![9], vec![]));
    assert_eq!(bus.stats().total_subscribers, 2);
}

#[test]
fn a_publisher_waits_for_whoever_asks_it_to_and_everybody_else_has_the_event_before() {
    let bus = Bus::default();
    let mut slow = bus.subscribe_with("a", Options::new().queue(1).overflow(Overflow::Block(PATIENCE))).unwrap();
    let mut quick = bus.subscribe("a").unwrap();
    let publishing = bus.clone();
    let publisher = thread::spawn(move || publish(&publishing, "a", 0..3));
    assert_eq!(quick.next_blocking().unwrap().data(), 0);
    assert_eq!(quick.next_blocking().unwrap().data(), 1);
    assert!(!publisher.is_finished());
    for number in 0..3 {
        assert_eq!(slow.next_blocking().unwrap().data(), number);
    }
    publisher.join().unwrap();
    assert_eq!((slow.dropped(), numbers(&quick)), (0, vec![2]));
}

#[test]
fn a_publisher_waits_no_longer_than_it_was_asked_to() {
    let bus = Bus::default();
    let time = Duration::from_millis(20);
    let stuck = bus.subscribe_with("a", Options::new().queue(1).overflow(Overflow::Block(time))).unwrap();
    publish(&bus, "a", [0]);
    let receipt = bus.publish("a", json!(1)).unwrap();
    assert_eq!((receipt.delivered, receipt.dropped), (0, 1));
    let receipt = block_on(bus.send_async(Message::new("a", json!(2)))).unwrap();
    assert_eq!((receipt.delivered, receipt.dropped), (0, 1));
    assert_eq!((numbers(&stuck), stuck.dropped()), (vec![0], 2));
}

#[test]
fn callbacks_run_within_the_publishing_call_until_their_subscription_ends() {
    let bus = Bus::default();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noting = Arc::clone(&seen);
    let note = move |event: &Event| noting.lock().unwrap().push(event.data().as_u64().unwrap());
    let listening = bus.listen("a.*", &Options::new(), note).unwrap();
    let panics = bus.listen("a.b", &Options::new().name("panics"), |_| panic!("on purpose")).unwrap();
    publish(&bus, "a.b", 0..3);
    assert_eq!(*seen.lock().unwrap(), [0, 1, 2]);
    let stats = bus.stats();
    let counts: Vec<_> = stats.subscribers.iter().map(|one| (one.delivered, one.panics, one.synchronous)).collect();
    assert_eq!(counts, [(3, 0, true), (3, 3, true)]);
    drop((listening, panics));
    publish(&bus, "a.b", [3]);
    assert_eq!(seen.lock().unwrap().len(), 3);
}

#[test]
fn callbacks_that_publish_to_each_other_without_end_are_ended() {
    let bus = Bus::default();
    let (again, refused) = (bus.clone(), Arc::new(AtomicU64::new(0)));
    let count = Arc::clone(&refused);
    let _listening = bus.listen("a", &Options::new(), move |_| {
        if again.publish("a", json!(0)).is_err_and(|error| error.code() == Code::DepthExceeded) {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    bus.publish("a", json!(0)).unwrap();
    assert_eq!(refused.load(Ordering::SeqCst), 1);
}

#[test]
fn of_a_group_one_member_gets_each_event_and_the_next_in_turn_stands_in_for_one_without_room() {
    let bus = Bus::default();
    let member = |queue| bus.subscribe_with("a", Options::new().group("workers").queue(queue)).unwrap();
    let (one, two, other) = (member(100), member(100), bus.subscribe("a").unwrap());
    publish(&bus, "a", 0..10);
    let (first, second) = (numbers(&one), numbers(&two));
    assert_eq!((first.len(), second.len()), (5, 5));
    let mut both: Vec<u64> = first.into_iter().chain(second).collect();
    both.sort_unstable();
    assert_eq!(both, (0..10).collect::<Vec<u64>>());
    assert_eq!(numbers(&other).len(), 10);
    drop(two);
    let _narrow = member(1);
    publish(&bus, "a", 0..10);
    assert_eq!(numbers(&one).len(), 9);
}

#[test]
fn filters_choose_by_predicate_and_by_field() {
    let bus = Bus::default();
    let even = Filter::by(|event| event.data()["n"].as_u64().is_some_and(|number| number % 2 == 0));
    let even = bus.subscribe_with("a", Options::new().filter(even)).unwrap();
    let red = json!({ "color": "red", "/size/width": 3 });
    let red =
        bus.subscribe_with("a", Options::new().filter(Filter::fields(red.as_object().unwrap()).unwrap())).unwrap();
    for number in 0..4 {
        let color = if number == 3 { "red" } else { "blue" };
        bus.publish("a", json!({ "n": number, "color": color, "size": { "width": 3 } })).unwrap();
    }
    let count = |events: &Subscription| std::iter::from_fn(|| events.try_next()).count();
    assert_eq!((count(&even), count(&red)), (2, 1));
    let filtered: Vec<u64> = bus.stats().subscribers.iter().map(|one| one.filtered).collect();
    assert_eq!(filtered, [2, 3]);
    assert!(Filter::fields(json!({}).as_object().unwrap()).is_err());
}

#[test]
fn whoever_comes_later_gets_the_last_value_first() {
    let bus = Bus::default();
    for (topic, number) in [("a.x", 1), ("a.y", 2), ("a.x", 3), ("b", 4)] {
        bus.send(Message::new(topic, json!(number)).retained()).unwrap();
    }
    publish(&bus, "a.x", [5]);
    let late = bus.subscribe("a.*").unwrap();
    publish(&bus, "a.x", [6]);
    assert_eq!(numbers(&late), [2, 3, 6]);
    bus.send(Message::new("a.x", Vec::new()).retained()).unwrap();
    assert_eq!(numbers(&bus.subscribe("a.*").unwrap()), [2]);
    assert_eq!(bus.stats().retained, 2);
    for number in 0..2_000_u64 {
        bus.send(Message::new(&format!("many.{number}"), json!(number)).retained()).unwrap();
    }
    assert_eq!(bus.stats().retained, 1024);
    let seen = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&seen);
    let _listening = bus.listen("many.1999", &Options::new(), move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

#[test]
fn requests_are_answered_or_end_in_an_error_that_says_why() {
    let bus = Bus::default();
    let ask = |topic: &str, within| block_on(bus.request(topic, json!("question"), within));
    let nobody = ask("a", PATIENCE).unwrap_err();
    assert_eq!((nobody.code(), &nobody.record().data["topic"]), (Code::PeerGone, &json!("a")));
    let mut subscription = bus.subscribe("a").unwrap();
    let silent = ask("a", Duration::from_millis(10)).unwrap_err();
    assert_eq!(silent.code(), Code::DeadlineExceeded);
    let answering = thread::spawn(move || {
        let late = subscription.next_blocking().unwrap();
        assert!(late.is_request() && !late.answer("too late"));
        drop(late);
        let event = subscription.next_blocking().unwrap();
        assert!(event.answer("first"));
        assert!(!event.answer("second"));
        let refused = subscription.next_blocking().unwrap();
        refused.refuse(midplane_contract::Error::new(Code::InvalidInput, "not this"));
    });
    assert_eq!(ask("a", PATIENCE).unwrap(), b"first");
    assert_eq!(ask("a", PATIENCE).unwrap_err().code(), Code::InvalidInput);
    answering.join().unwrap();
    assert_eq!(ask("a", PATIENCE).unwrap_err().code(), Code::PeerGone);
    let _callback = bus.listen("b", &Options::new(), |event| {
        event.answer("at once");
    });
    assert_eq!(ask("b", PATIENCE).unwrap(), b"at once");
}

#[test]
fn a_request_that_nobody_has_room_for_says_so_at_once() {
    let bus = Bus::default();
    let full = bus.subscribe_with("a", Options::new().queue(1).overflow(Overflow::DropNewest)).unwrap();
    publish(&bus, "a", [0]);
    let error = block_on(bus.request("a", json!(1), PATIENCE)).unwrap_err();
    assert_eq!(error.code(), Code::Overloaded);
    drop(full);
    let crowded = Arc::new(bus.subscribe_with("a", Options::new().queue(1)).unwrap());
    let asking = bus.clone();
    let asker = thread::spawn(move || block_on(asking.request("a", json!(1), PATIENCE)).unwrap_err().code());
    assert!(eventually(|| bus.stats().subscribers[0].waiting == 1));
    publish(&bus, "a", [2]);
    assert_eq!(asker.join().unwrap(), Code::Overloaded, "what gives way is refused");
    assert_eq!(numbers(&crowded), [2]);
}

#[test]
fn a_sender_is_held_to_its_rate() {
    let bus = Bus::default();
    bus.limit("chatty", Some(Rate::per_second(1).burst(3)));
    let mut publisher = bus.publisher("chatty", "a").unwrap();
    let sent = (0..10).filter(|_| publisher.publish(json!(0)).is_ok()).count();
    assert!((3..10).contains(&sent), "{sent}");
    let error = bus.send(Message::new("a", json!(0)).sender("chatty")).unwrap_err();
    assert_eq!((error.code(), &error.record().data["which"]), (Code::LimitExceeded, &json!("events_per_second")));
    bus.publish("a", json!(0)).unwrap();
    let stats = bus.stats();
    assert_eq!((stats.total_published, stats.rate_limited), (sent as u64 + 1, 11 - sent as u64));
    bus.limit("chatty", None);
    publisher.publish(json!(0)).unwrap();
}

#[test]
fn statistics_count_everything_and_can_begin_again() {
    let bus = Bus::default();
    let stuck = bus.subscribe_with("a.*", Options::new().name("stuck").queue(2)).unwrap();
    let _listening = bus.listen("a.x", &Options::new(), |_| ()).unwrap();
    publish(&bus, "a.x", 0..5);
    // Who comes or goes between two events changes no count.
    let passing = bus.subscribe(">").unwrap();
    publish(&bus, "a.y", 0..3);
    drop(passing);
    publish(&bus, "a.x", 0..1);
    let stats = bus.stats();
    assert_eq!((stats.total_published, stats.total_subscribers), (9, 2));
    assert_eq!(serde_json::to_value(&stats.published_by_type).unwrap(), json!({ "a.x": 6, "a.y": 3 }));
    let shown: Vec<_> =
        stats.subscribers.iter().map(|one| (&*one.name, one.delivered, one.dropped, one.waiting)).collect();
    assert_eq!(shown, [("stuck", 2, 7, 2), ("a.x", 6, 0, 0)]);
    assert_eq!(serde_json::to_value(bus.take_stats()).unwrap(), serde_json::to_value(&stats).unwrap());
    let stats = bus.stats();
    assert_eq!((stats.total_published, stats.published_by_type.len()), (0, 0));
    assert_eq!((stats.subscribers[0].delivered, stats.subscribers[0].dropped), (2, 0), "two wait still");
    publish(&bus, "a.x", 0..1);
    assert_eq!(bus.stats().subscribers.iter().map(|one| one.delivered).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(numbers(&stuck).len(), 2);
}

#[test]
fn what_is_published_while_the_counts_begin_anew_is_counted_once() {
    const EACH: u64 = 20_000;
    let bus = Bus::default();
    let _listening = bus.listen("a.*", &Options::new().name("heard"), |_| ()).unwrap();
    let alternating = Filter::by(|event| event.data().as_u64() == Some(1));
    let _some = bus.listen("a.0", &Options::new().name("some").filter(alternating), |_| ()).unwrap();
    let (mut published, mut heard, mut some) = (0, 0, 0);
    thread::scope(|scope| {
        let busy: Vec<_> = (0..3_u64)
            .map(|thread| {
                let mut publisher = bus.publisher("t", &format!("a.{}", thread % 2)).unwrap();
                scope.spawn(move || (0..EACH).for_each(|number| assert!(publisher.publish(json!(number % 2)).is_ok())))
            })
            .collect();
        let mut take = || {
            let taken = bus.take_stats();
            let of = |name: &str| taken.subscribers.iter().find(|one| one.name == name).unwrap().clone();
            published += taken.total_published;
            heard += of("heard").delivered;
            some += of("some").delivered + of("some").filtered;
        };
        while !busy.iter().all(|thread| thread.is_finished()) {
            take();
            // Routes that were counted on come and go meanwhile.
            drop(bus.subscribe("a.0").unwrap());
        }
        take();
    });
    assert_eq!((published, heard, some), (3 * EACH, 3 * EACH, 2 * EACH));
}

#[test]
fn envelopes_are_the_contracts() {
    let bus = Bus::default();
    let events = bus.subscribe("vm.*").unwrap();
    bus.publish("vm.started", json!({ "vm_id": "vm-001" })).unwrap();
    let message = Message::new("vm.log", &b"plain"[..]).sender("vm").content_type("text/plain");
    bus.send(message.trace(Some("00-trace-01".into()))).unwrap();
    let (started, log) = (events.try_next().unwrap(), events.try_next().unwrap());
    let envelope: Value = serde_json::from_slice(started.json()).unwrap();
    assert_eq!((&envelope["event_type"], &envelope["sender"]), (&json!("vm.started"), &json!("core")));
    assert_eq!(envelope["data"]["vm_id"], "vm-001");
    assert_eq!(envelope["content_type"], "application/json");
    assert!(envelope["timestamp"].as_str().unwrap().ends_with('Z'));
    let log = log.envelope();
    assert_eq!((log.data.as_str(), log.content_type.as_str()), (Some("plain"), "text/plain"));
    assert_eq!(log.trace.as_deref(), Some("00-trace-01"));
    assert!(log.timestamp >= started.timestamp() && log.event_id != started.envelope().event_id);
}

#[test]
fn many_publishers_and_comers_and_goers_lose_and_double_nothing() {
    const EACH: u64 = 3_000;
    let bus = Bus::default();
    let seen = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&seen);
    let _listening = bus.listen("a.*", &Options::new(), move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let all = bus.subscribe_with("a.>", Options::new().queue(100_000)).unwrap();
    thread::scope(|scope| {
        for thread in 0..4_u64 {
            let mut publisher = bus.publisher("t", &format!("a.{}", thread % 2)).unwrap();
            scope.spawn(move || {
                (0..EACH).for_each(|number| {
                    publisher.publish(json!([thread, number])).unwrap();
                })
            });
        }
        scope.spawn(|| (0..200).for_each(|_| drop(bus.subscribe("a.0").unwrap())));
    });
    let stats = bus.stats();
    assert_eq!(stats.total_published, 4 * EACH);
    assert_eq!((stats.subscribers[0].delivered, seen.load(Ordering::Relaxed)), (4 * EACH, 4 * EACH));
    let mut next = [0; 4];
    while let Some(event) = all.try_next() {
        let thread = usize::try_from(event.data()[0].as_u64().unwrap()).unwrap();
        assert_eq!(event.data()[1], next[thread], "the events of one publisher come in order");
        next[thread] += 1;
    }
    assert_eq!(next, [EACH; 4]);
}

/// A hundred subscribers, one of them stuck: for each, delivered and dropped make all, in order, and the stuck one costs
/// the others nothing. The full million is `MIDPLANE_FULL=1`.
#[test]
fn a_stuck_subscriber_costs_the_others_nothing() {
    const SUBSCRIBERS: usize = 100;
    let events: u64 = if midplane_testkit::conformance::full_is_asked_for() { 1_000_000 } else { 20_000 };
    let bus = Bus::default();
    let stuck = bus.subscribe_with("load", Options::new().name("stuck")).unwrap();
    let block = || Options::new().overflow(Overflow::Block(PATIENCE));
    let readers: Vec<_> = (1..SUBSCRIBERS).map(|_| bus.subscribe_with("load", block()).unwrap()).collect();
    thread::scope(|scope| {
        let shares: Vec<Vec<Subscription>> =
            readers.into_iter().fold(vec![Vec::new(), Vec::new()], |mut shares, one| {
                let least = usize::from(shares[0].len() > shares[1].len());
                shares[least].push(one);
                shares
            });
        for mut share in shares {
            scope.spawn(move || {
                for number in 0..events {
                    for reader in &mut share {
                        let event = reader.next_blocking().unwrap();
                        assert_eq!(event.bytes().as_ref(), number.to_le_bytes());
                    }
                }
                share.iter().for_each(|reader| assert_eq!(reader.dropped(), 0));
            });
        }
        let mut publisher = bus.publisher("load", "load").unwrap();
        for number in 0..events {
            let receipt = publisher.publish(&number.to_le_bytes()[..]).unwrap();
            assert_eq!(receipt.delivered, SUBSCRIBERS);
        }
    });
    assert_eq!(stuck.dropped(), events - 1024);
    let shown = bus.stats().subscribers;
    assert_eq!((shown[0].delivered, shown[0].waiting, shown.len()), (1024, 1024, 1));
    let left: Vec<_> = std::iter::from_fn(|| stuck.try_next()).collect();
    assert!(
        (events - 1024..events).eq(left.iter().map(|event| u64::from_le_bytes(event.bytes()[..].try_into().unwrap())))
    );
}
