//! Replies in chunks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use midplane_contract::Code;
use midplane_kernel::{CallOptions, ReplyStream, block_on};
use midplane_testkit::{Gate, PluginFolder, Program, eventually};

use crate::house::{House, late, soon};

fn open(house: &House, address: &str, input: &str, options: CallOptions) -> ReplyStream {
    block_on(house.action(address).stream(input, options)).unwrap()
}

/// Writes chunks without end and counts those it got rid of.
fn endless(written: &Arc<AtomicUsize>) -> Program {
    let written = Arc::clone(written);
    Program::echoing().waiting("pour", move |_, _, reply| {
        loop {
            reply.write(b"drop")?;
            written.fetch_add(1, Ordering::SeqCst);
        }
    })
}

#[test]
fn chunks_come_in_order_and_end() {
    let house = House::new();
    house.probe("p");
    let mut stream = open(&house, "p/chunks", r#"{"count":50,"size":3}"#, late());
    for number in 0..50_u8 {
        assert_eq!(stream.next_blocking().unwrap().unwrap(), [number; 3]);
    }
    assert!(stream.next_blocking().is_none());
    assert!(stream.next_blocking().is_none());
}

#[test]
fn a_single_reply_is_a_stream_of_one() {
    let house = House::new();
    for program in ["probe", "polled"] {
        house.load(&PluginFolder::fake(program, program));
        let mut stream = open(&house, &format!("{program}/echo"), "all", late());
        assert_eq!(stream.next_blocking().unwrap().unwrap(), b"all");
        assert!(stream.next_blocking().is_none());
    }
}

#[test]
fn an_error_ends_a_stream() {
    let house = House::new();
    house.probe("p");
    let mut stream = open(&house, "p/fail", r#"{"code":"x","message":"y"}"#, late());
    let error = stream.next_blocking().unwrap().unwrap_err();
    assert_eq!(error.code(), Code::PluginError);
    assert_eq!(error.record().action.as_deref(), Some("fail"));
    assert!(stream.next_blocking().is_none());
}

#[test]
fn a_plugin_runs_only_so_far_ahead_of_its_reader() {
    let written = Arc::new(AtomicUsize::new(0));
    let house = House::with(&[("endless", endless(&written))]);
    house.load(&PluginFolder::fake("p", "endless"));
    let mut stream = open(&house, "p/pour", "", late());
    let ahead = midplane_kernel::stream::CHUNKS_AHEAD;
    for read in 0..20 {
        assert!(eventually(|| written.load(Ordering::SeqCst) >= read + ahead));
        assert!(written.load(Ordering::SeqCst) <= read + ahead);
        assert_eq!(stream.next_blocking().unwrap().unwrap(), b"drop");
    }
    drop(stream);
    assert_eq!(house.call("p/echo", "free").unwrap(), "free");
}

#[test]
fn a_reader_that_goes_away_cancels_the_call() {
    let house = House::new();
    house.probe("p");
    for _ in 0..30 {
        drop(open(&house, "p/hang", "", late()));
        assert_eq!(house.call("p/echo", "x").unwrap(), "x");
    }
}

#[test]
fn the_deadline_ends_a_stream_whose_plugin_hangs_or_whose_reader_sleeps() {
    let written = Arc::new(AtomicUsize::new(0));
    let house = House::with(&[("endless", endless(&written))]);
    house.probe("p");
    let mut hangs = open(&house, "p/hang", "", soon());
    assert_eq!(hangs.next_blocking().unwrap().unwrap_err().code(), Code::DeadlineExceeded);
    assert!(hangs.next_blocking().is_none());
    house.load(&PluginFolder::fake("q", "endless"));
    let sleeps = open(&house, "q/pour", "", soon());
    assert_eq!(house.call("q/echo", "x").unwrap(), "x");
    drop(sleeps);
}

#[test]
fn the_deadline_ends_a_stream_even_of_a_plugin_that_does_not_listen() {
    let gate = Gate::new();
    let deaf = gate.clone();
    let program = Program::new().waiting("deaf", move |_, _, _| {
        while !deaf.is_open() {
            std::thread::yield_now();
        }
        Ok(())
    });
    let house = House::with(&[("deaf", program)]);
    house.load(&PluginFolder::fake("p", "deaf"));
    let mut stream = open(&house, "p/deaf", "", soon());
    assert_eq!(stream.next_blocking().unwrap().unwrap_err().code(), Code::DeadlineExceeded);
    gate.open();
}
