//! Threads for what a plugin asks of the host, which may take as long as it likes. Made on demand, gone when idle.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

type Job = Box<dyn FnOnce() + Send>;

/// How long an idle thread waits for the next job.
const LINGER: Duration = Duration::from_secs(10);

struct Desk {
    state: Mutex<State>,
    bell: Condvar,
}

struct State {
    jobs: VecDeque<Job>,
    idle: usize,
}

static DESK: Desk = Desk { state: Mutex::new(State { jobs: VecDeque::new(), idle: 0 }), bell: Condvar::new() };

/// Runs a job on a thread of its own. Never waits; how many there are is bounded by whoever submits them.
pub(crate) fn submit(job: impl FnOnce() + Send + 'static) {
    let mut state = DESK.state.lock().unwrap_or_else(PoisonError::into_inner);
    state.jobs.push_back(Box::new(job));
    if state.idle >= state.jobs.len() {
        DESK.bell.notify_one();
        return;
    }
    drop(state);
    let spawned = std::thread::Builder::new().name("midplane-host-api".to_owned()).spawn(work);
    if let Err(error) = spawned {
        tracing::error!(%error, "no thread for a plugin's request to the host; it waits for another to end");
    }
}

fn work() {
    let mut state = DESK.state.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(job) = state.jobs.pop_front() {
            drop(state);
            job();
            state = DESK.state.lock().unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        state.idle += 1;
        let (back, waited) = DESK.bell.wait_timeout(state, LINGER).unwrap_or_else(PoisonError::into_inner);
        state = back;
        state.idle -= 1;
        if waited.timed_out() && state.jobs.is_empty() {
            return;
        }
    }
}
