//! The bus in trouble: no room, no time, no end, and subscribers that come and go meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use futures_lite::future::poll_once;
use midplane_contract::Code;
use midplane_kernel::block_on;
use midplane_kernel::bus::{Bus, Filter, Message, Options, Overflow, Subscription};
use midplane_testkit::{PATIENCE, PluginFolder, eventually};
use serde_json::{Value, json};

use crate::house::{House, name};

fn blocking(bus: &Bus, time: Duration, options: Options) -> Subscription {
    bus.subscribe_with("a", options.queue(1).overflow(Overflow::Block(time))).unwrap()
}

fn numbers(events: &Subscription) -> Vec<u64> {
    std::iter::from_fn(|| events.try_next()).map(|event| event.data().as_u64().unwrap()).collect()
}

/// Publishes on a thread of its own, which waits for room.
fn waiting(bus: &Bus, number: u64) -> thread::JoinHandle<(usize, usize)> {
    let publishing = bus.clone();
    let before = bus.stats().total_published;
    let publisher = thread::spawn(move || {
        let receipt = publishing.publish("a", json!(number)).unwrap();
        (receipt.delivered, receipt.dropped)
    });
    assert!(eventually(|| bus.stats().total_published > before));
    publisher
}

struct Nobody;

impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn publishers_that_give_up_waiting_are_counted_and_leave_nothing_behind() {
    let bus = Bus::default();
    let stuck = blocking(&bus, PATIENCE, Options::new());
    bus.publish("a", json!(0)).unwrap();
    let nobody = Arc::new(Nobody);
    for _ in 0..100 {
        let waker = Waker::from(Arc::clone(&nobody));
        let mut sending = Box::pin(bus.send_async(Message::new("a", json!(1))));
        assert!(sending.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(Arc::strong_count(&nobody), 1, "no waker of theirs is kept");
    let stats = bus.stats();
    assert_eq!((stats.total_published, stats.subscribers[0].delivered, stats.subscribers[0].dropped), (101, 1, 100));
    assert_eq!((numbers(&stuck), stuck.dropped()), (vec![0], 100));
}

#[test]
fn no_time_and_all_time_are_times_like_others() {
    let bus = Bus::default();
    let none = blocking(&bus, Duration::ZERO, Options::new());
    for number in 0..10 {
        bus.publish("a", json!(number)).unwrap();
    }
    assert_eq!((numbers(&none), none.dropped()), (vec![0], 9));
    drop(none);
    let all = blocking(&bus, Duration::MAX, Options::new());
    bus.publish("a", json!(1)).unwrap();
    let publisher = waiting(&bus, 2);
    assert_eq!(all.try_next().unwrap().data(), 1);
    assert_eq!(publisher.join().unwrap(), (1, 0));
    let last = waiting(&bus, 3);
    drop(all);
    assert_eq!(last.join().unwrap(), (0, 0), "nobody is there any longer");
    let _silent = bus.subscribe("b").unwrap();
    let mut asking = Box::pin(bus.request("b", json!(0), Duration::MAX));
    assert!(block_on(poll_once(&mut asking)).is_none());
}

#[test]
fn whoever_of_a_group_has_room_first_gets_what_waits() {
    for leaves in [false, true] {
        let bus = Bus::default();
        let member = || blocking(&bus, PATIENCE, Options::new().group("workers"));
        let mut members = [Some(member()), Some(member())];
        for number in [1, 2] {
            bus.publish("a", json!(number)).unwrap();
        }
        // Whichever of the two the publisher would turn to first: the other one has room.
        for free in [0, 1] {
            let publisher = waiting(&bus, 3);
            if leaves {
                members[1 - free] = None;
            }
            assert!(members[free].as_ref().unwrap().try_next().is_some());
            assert_eq!(publisher.join().unwrap(), (1, 0));
            assert_eq!(numbers(members[free].as_ref().unwrap()), [3]);
            if leaves {
                break;
            }
            bus.publish("a", json!(4)).unwrap();
        }
    }
}

#[test]
fn whoever_has_room_soon_does_not_wait_for_another_who_has_none() {
    let bus = Bus::default();
    let [stuck, mut slow] = [PATIENCE, PATIENCE].map(|time| blocking(&bus, time, Options::new()));
    bus.publish("a", json!(0)).unwrap();
    let publisher = waiting(&bus, 1);
    assert_eq!(slow.next_blocking().unwrap().data(), 0);
    assert!(eventually(|| slow.try_next().is_some_and(|event| event.data() == 1)), "the publisher waits for the other");
    assert!(!publisher.is_finished());
    assert_eq!(stuck.try_next().unwrap().data(), 0);
    assert_eq!(publisher.join().unwrap(), (2, 0));
    assert_eq!(numbers(&stuck), [1]);
}

#[test]
fn a_request_that_waits_where_nobody_reads_any_longer_ends_at_once() {
    let bus = Bus::default();
    let gone = bus.subscribe("a").unwrap();
    // Whoever publishes now and then keeps the way there, and with it whoever it led to.
    let _now_and_then = bus.publisher("p", "a").unwrap();
    let (asking, asked) = (bus.clone(), std::time::Instant::now());
    let asker = thread::spawn(move || block_on(asking.request("a", json!(1), PATIENCE)).unwrap_err().code());
    assert!(eventually(|| bus.stats().subscribers[0].waiting == 1));
    drop(gone);
    assert_eq!(asker.join().unwrap(), Code::PeerGone);
    assert!(asked.elapsed() < PATIENCE);
}

#[test]
fn a_request_waits_for_room_no_longer_than_for_its_answer() {
    let bus = Bus::default();
    let stuck = blocking(&bus, Duration::MAX, Options::new());
    bus.publish("a", json!(0)).unwrap();
    let late = block_on(bus.request("a", json!(1), Duration::from_millis(20))).unwrap_err();
    assert_eq!((late.code(), stuck.dropped()), (Code::DeadlineExceeded, 1));
    let _answers = bus.listen("a", &Options::new(), |event| {
        event.answer("at once");
    });
    assert_eq!(block_on(bus.request("a", json!(2), Duration::MAX)).unwrap(), b"at once");
    assert_eq!((numbers(&stuck), stuck.dropped()), (vec![0], 2));
}

#[test]
fn a_receipt_counts_every_event_that_gave_way() {
    const MIB: usize = 1024 * 1024;
    let bus = Bus::default();
    let narrow = bus.subscribe("a").unwrap();
    for _ in 0..3 {
        bus.publish("a", vec![0; 20 * MIB]).unwrap();
    }
    let receipt = bus.publish("a", vec![0; 60 * MIB]).unwrap();
    assert_eq!((receipt.delivered, receipt.dropped, narrow.dropped()), (1, 3, 3));
}

#[test]
fn a_member_of_a_group_without_room_for_the_bytes_leaves_the_event_to_another() {
    const MIB: usize = 1024 * 1024;
    let bus = Bus::default();
    let members = [0, 1].map(|_| bus.subscribe_with("a", Options::new().group("workers")).unwrap());
    for size in [60, 1, 30] {
        bus.publish("a", vec![0; size * MIB]).unwrap();
    }
    assert_eq!(members.each_ref().map(Subscription::dropped), [0, 0]);
    assert_eq!(members.map(|member| std::iter::from_fn(|| member.try_next()).count()).iter().sum::<usize>(), 3);
}

#[test]
fn a_group_shares_out_what_comes_on_many_topics_and_while_others_come_and_go() {
    let bus = Bus::default();
    let member = |pattern: &str| bus.subscribe_with(pattern, Options::new().group("workers")).unwrap();
    let (one, two) = (member("orders.*"), member("orders.>"));
    let (third, fourth) = (member("returns.*"), member("returns.*"));
    for number in 0..50 {
        bus.publish(&format!("orders.{number}"), json!(number)).unwrap();
        bus.publish("returns.new", json!(number)).unwrap();
        drop(bus.subscribe("*").unwrap());
    }
    assert_eq!([&one, &two, &third, &fourth].map(|member| numbers(member).len()), [25; 4]);
}

#[test]
fn what_was_refused_for_its_depth_is_not_counted() {
    let bus = Bus::default();
    let (again, ran) = (bus.clone(), Arc::new(AtomicU64::new(0)));
    let count = Arc::clone(&ran);
    let _listening = bus.listen("a", &Options::new(), move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        if let Err(error) = again.publish("a", json!(0)) {
            assert_eq!(error.code(), Code::DepthExceeded);
        }
    });
    bus.publish("a", json!(0)).unwrap();
    let stats = bus.stats();
    let ran = ran.load(Ordering::SeqCst);
    assert_eq!((stats.total_published, stats.subscribers[0].delivered, stats.subscribers[0].panics), (ran, ran, 0));
}

#[test]
fn a_filter_that_panics_says_no_and_holds_up_nobody() {
    let bus = Bus::default();
    let panics = Options::new().filter(Filter::by(|_| panic!("on purpose")));
    let (none, other) = (bus.subscribe_with("a", panics).unwrap(), bus.subscribe("a").unwrap());
    bus.publish("a", json!(1)).unwrap();
    assert_eq!((numbers(&none), numbers(&other)), (vec![], vec![1]));
}

#[test]
fn a_filter_that_uses_the_bus_itself_can_be_asked_about_retained_values() {
    let bus = Bus::default();
    for number in 0..4 {
        bus.send(Message::new(&format!("a.{number}"), json!(number)).retained()).unwrap();
    }
    let (used, subscribed) = (
        bus.clone(),
        thread::spawn({
            let (bus, used) = (bus.clone(), bus.clone());
            move || {
                let odd = Filter::by(move |event| {
                    used.publish("asked", json!(null)).unwrap();
                    used.stats().retained == 4 && event.data().as_u64().is_some_and(|number| number % 2 == 1)
                });
                bus.subscribe_with("a.*", Options::new().filter(odd)).unwrap()
            }
        }),
    );
    assert!(eventually(|| subscribed.is_finished()), "the bus stands still");
    used.publish("a.5", json!(5)).unwrap();
    assert_eq!(numbers(&subscribed.join().unwrap()), [1, 3, 5]);
}

#[test]
fn a_broadcast_reaches_every_member_of_a_group_and_those_that_filter() {
    let house = House::new();
    let subscribe = |id: &str, args: Value| {
        house.grant(&name(id), "bus.subscribe");
        house.load(&PluginFolder::fake(id, "probe\n1").with("permissions", json!(["bus.subscribe"])));
        let ask = json!({ "function": "bus.subscribe", "args": args });
        house.call(&format!("{id}/host"), &ask.to_string()).unwrap();
    };
    for id in ["one", "two"] {
        subscribe(id, json!({ "topic": "t", "group": "workers" }));
    }
    subscribe("filters", json!({ "topic": "t", "filter": { "n": 1 } }));
    assert_eq!(house.kernel.broadcast(Message::new("t", json!({ "n": 2 }))).unwrap().delivered, 3);
    for id in ["one", "two", "filters"] {
        let got = || house.call(&format!("{id}/events"), "").unwrap();
        assert!(eventually(|| got() == r#"[{"n":2}]"#), "{id} got {}", got());
    }
}
