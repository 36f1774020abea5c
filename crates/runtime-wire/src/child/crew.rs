//! The worker's threads: one leads, one watches that the lead is not stuck, others are made when they are needed.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Duration;

use super::job::Job;
use super::line::{Line, lock};
use super::seat::Seat;

/// Time between two looks of the watcher, and so the time that a call may hold the lead.
const LOOK: Duration = Duration::from_millis(1);
/// Looks without work after which the watcher sleeps until there is some.
const QUIET: u32 = 10;
/// Stack of a thread that runs a plugin's code.
const STACK: usize = 4 * 1024 * 1024;

pub(super) struct Crew {
    /// Counts leaders; the one of the present term leads.
    term: AtomicU64,
    /// Counts jobs of leaders.
    serial: AtomicU64,
    /// The leader's job, by that count; 0 while it reads.
    at_work: AtomicU64,
    watcher: OnceLock<Thread>,
    asleep: AtomicBool,
    roles: Mutex<Roles>,
    bell: Condvar,
    stopping: Mutex<Vec<Arc<Seat>>>,
}

#[derive(Default)]
struct Roles {
    open: VecDeque<Role>,
    idle: usize,
}

enum Role {
    Lead(u64),
    Run(Job),
}

impl Default for Crew {
    fn default() -> Self {
        Self {
            term: AtomicU64::new(Self::FIRST),
            serial: AtomicU64::new(0),
            at_work: AtomicU64::new(0),
            watcher: OnceLock::new(),
            asleep: AtomicBool::new(false),
            roles: Mutex::default(),
            bell: Condvar::new(),
            stopping: Mutex::default(),
        }
    }
}

impl Crew {
    /// The first leader's term.
    pub(super) const FIRST: u64 = 1;

    /// Starts the watcher.
    pub(super) fn start(&self, line: &Arc<Line>) {
        let watched = Arc::clone(line);
        let builder = std::thread::Builder::new().name("midplane-watch".to_owned()).stack_size(256 * 1024);
        match builder.spawn(move || watched.watch()) {
            Ok(thread) => {
                let _ = self.watcher.set(thread.thread().clone());
            }
            Err(error) => eprintln!("no thread to watch over long calls: {error}"),
        }
    }

    /// Has a job done by another thread.
    pub(super) fn hand(&self, line: &Arc<Line>, job: Job) {
        self.open(line, Role::Run(job));
    }

    /// Interrupts what the instance does until it ends.
    pub(super) fn keep_stopping(&self, seat: &Arc<Seat>) {
        lock(&self.stopping).push(Arc::clone(seat));
        self.wake_watcher();
    }

    fn open(&self, line: &Arc<Line>, role: Role) {
        let mut roles = lock(&self.roles);
        roles.open.push_back(role);
        if roles.idle >= roles.open.len() {
            self.bell.notify_one();
            return;
        }
        drop(roles);
        let line = Arc::clone(line);
        let builder = std::thread::Builder::new().name("midplane-crew".to_owned()).stack_size(STACK);
        if let Err(error) = builder.spawn(move || line.serve_roles()) {
            eprintln!("no thread for a call; it waits for another to end: {error}");
        }
    }

    fn begin(&self) -> u64 {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed) + 1;
        self.at_work.store(serial, Ordering::SeqCst);
        if self.asleep.load(Ordering::SeqCst) {
            self.wake_watcher();
        }
        serial
    }

    fn end(&self, serial: u64) {
        // Fails when the lead was taken away meanwhile; the number is not this thread's any longer then.
        let _ = self.at_work.compare_exchange(serial, 0, Ordering::SeqCst, Ordering::Relaxed);
    }

    fn wake_watcher(&self) {
        if let Some(watcher) = self.watcher.get() {
            watcher.unpark();
        }
    }
}

impl Line {
    /// Leads until another thread has taken over.
    pub(super) fn lead(self: &Arc<Self>, term: u64) {
        let mut spare = Vec::new();
        loop {
            // Somebody else at the wire may keep it for long and knows nothing of this thread's last reply.
            let mut inbound = match self.inbound_if_free() {
                Some(inbound) => inbound,
                None => {
                    self.flush();
                    self.inbound()
                }
            };
            if self.crew.term.load(Ordering::SeqCst) != term {
                drop(inbound);
                return self.flush();
            }
            inbound.spare = std::mem::take(&mut spare);
            let job = loop {
                match self.next_frame(&mut inbound) {
                    Some(Some(job)) => break job,
                    Some(None) => {}
                    None => {
                        self.flush();
                        self.receive(&mut inbound);
                    }
                }
            };
            let serial = self.crew.begin();
            drop(inbound);
            spare = self.run_job(job);
            self.crew.end(serial);
        }
    }

    /// Does what comes up, for as long as the process lives.
    pub(super) fn serve_roles(self: &Arc<Self>) -> ! {
        loop {
            let role = {
                let mut roles = lock(&self.crew.roles);
                loop {
                    if let Some(role) = roles.open.pop_front() {
                        break role;
                    }
                    roles.idle += 1;
                    roles = self.crew.bell.wait(roles).unwrap_or_else(PoisonError::into_inner);
                    roles.idle -= 1;
                }
            };
            match role {
                Role::Lead(term) => self.lead(term),
                Role::Run(job) => {
                    self.run_job(job);
                    self.flush();
                }
            }
        }
    }

    fn run_job(self: &Arc<Self>, job: Job) -> Vec<u8> {
        match job {
            Job::Seat(seat, request) => seat.run(self, request),
            Job::Worker(request) => {
                self.load_or_open(&request);
                Vec::new()
            }
        }
    }

    fn watch(self: &Arc<Self>) -> ! {
        let crew = &self.crew;
        let (mut seen, mut quiet) = (0, 0);
        loop {
            std::thread::park_timeout(LOOK);
            let at_work = crew.at_work.load(Ordering::SeqCst);
            self.flush_if_free();
            if at_work != 0 && at_work == seen {
                self.replace_leader(at_work);
            }
            seen = at_work;
            let stopping = {
                let mut stopping = lock(&crew.stopping);
                stopping.retain(|seat| seat.stop_again());
                !stopping.is_empty()
            };
            quiet = if at_work == 0 && !stopping { quiet + 1 } else { 0 };
            if quiet > QUIET {
                // CONCURRENCY: first asleep, then the look. A leader stores its job first and looks at `asleep` then.
                crew.asleep.store(true, Ordering::SeqCst);
                if crew.at_work.load(Ordering::SeqCst) == 0 && !self.has_unsent() && lock(&crew.stopping).is_empty() {
                    std::thread::park();
                }
                crew.asleep.store(false, Ordering::SeqCst);
                quiet = 0;
            }
        }
    }

    fn replace_leader(self: &Arc<Self>, at_work: u64) {
        if self.crew.at_work.compare_exchange(at_work, 0, Ordering::SeqCst, Ordering::Relaxed).is_ok() {
            let term = self.crew.term.fetch_add(1, Ordering::SeqCst) + 1;
            self.crew.open(self, Role::Lead(term));
        }
    }
}
