//! The bus: one event of 64 bytes to its subscribers, in one thread.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, Result};
use midplane::bus::{Bus, Options, Subscription};
use tokio::sync::broadcast;

use super::Row;
use crate::measure::{Effort, Measured, in_turn, spin};
use crate::target::Target;

const TOPIC: &str = "bench.event";

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row { name: "bus: event to 1 callback", run: one_callback },
        Row { name: "bus: event to 100 callbacks", run: many_callbacks },
        Row { name: "bus: event through 1 queue", run: one_queue },
        Row { name: "bus: event through 100 queues", run: many_queues },
    ]
}

fn one_callback(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    callbacks(row, effort, handicap, 1)
}

fn many_callbacks(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    callbacks(row, effort, handicap, 100)
}

fn one_queue(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    queues(row, effort, handicap, 1)
}

fn many_queues(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    queues(row, effort, handicap, 100)
}

fn payload() -> Arc<[u8]> {
    vec![7; 64].into()
}

type Callback = Box<dyn Fn(&[u8]) + Send + Sync>;

/// Callbacks that count, in a map behind a lock, beside the same callbacks on the bus.
fn callbacks(row: &'static str, effort: Effort, handicap: Duration, count: usize) -> Result<Measured> {
    let counters: Vec<Arc<AtomicU64>> = (0..count).map(|_| Arc::default()).collect();
    let counting = |counter: &Arc<AtomicU64>| -> Callback {
        let counter = Arc::clone(counter);
        Box::new(move |bytes| {
            black_box(bytes);
            counter.fetch_add(1, Ordering::Relaxed);
        })
    };
    let bare: Vec<Callback> = counters.iter().map(counting).collect();
    let bare = RwLock::new(HashMap::from([(TOPIC.to_owned(), bare)]));
    let bytes = payload();
    let mut raw = |times| {
        for _ in 0..times {
            let bare = bare.read().unwrap_or_else(PoisonError::into_inner);
            bare.get(black_box(TOPIC)).into_iter().flatten().for_each(|callback| callback(black_box(&bytes)));
        }
        Ok(())
    };
    let bus = Bus::default();
    let listen = |counter: &Arc<AtomicU64>| {
        let counter = Arc::clone(counter);
        bus.listen(TOPIC, &Options::new(), move |event| {
            black_box(event);
            counter.fetch_add(1, Ordering::Relaxed);
        })
    };
    let listening = counters.iter().map(listen).collect::<midplane::Result<Vec<_>>>()?;
    let mut publisher = bus.publisher("bench", TOPIC)?;
    let mut ours = |times| {
        for _ in 0..times {
            spin(handicap);
            publisher.publish(Arc::clone(&bytes))?;
        }
        Ok(())
    };
    let note = "raw: callbacks in a map by topic behind a read lock; performance.md, 24 and 512 ns";
    let measured = in_turn(row, note, Target::TimesRaw(2.0), effort, (&mut raw, &mut ours));
    drop(listening);
    measured
}

/// A broadcast of the shared bytes, beside the bus; every subscriber takes each event before the next one.
fn queues(row: &'static str, effort: Effort, handicap: Duration, count: usize) -> Result<Measured> {
    let bytes = payload();
    let (sender, _) = broadcast::channel::<Arc<[u8]>>(1024);
    let mut receivers: Vec<_> = (0..count).map(|_| sender.subscribe()).collect();
    let mut raw = |times| {
        for _ in 0..times {
            sender.send(Arc::clone(&bytes))?;
            for receiver in &mut receivers {
                black_box(receiver.try_recv()?);
            }
        }
        Ok(())
    };
    let bus = Bus::default();
    let subscribe = |_| bus.subscribe(TOPIC);
    let subscriptions: Vec<Subscription> = (0..count).map(subscribe).collect::<midplane::Result<_>>()?;
    let mut publisher = bus.publisher("bench", TOPIC)?;
    let mut ours = |times| {
        for _ in 0..times {
            spin(handicap);
            publisher.publish(Arc::clone(&bytes))?;
            for subscription in &subscriptions {
                black_box(subscription.try_next().context("an event was lost")?);
            }
        }
        Ok(())
    };
    let note = "raw: tokio's broadcast of the same shared bytes; performance.md, 67 and 2,970 ns";
    in_turn(row, note, Target::TimesRaw(1.2), effort, (&mut raw, &mut ours))
}
