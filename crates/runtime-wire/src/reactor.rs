//! The one thread that waits for all connections: their carriers, their children's output and ends, and what is due.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use midplane_contract::{Code, Error, Result};
use rustix::event::{EventfdFlags, Timespec, epoll};

use crate::connection::{Connection, Interest};

/// Events taken at once.
const EVENTS: usize = 64;
/// The bell's token; connections have four tokens each, from their number times four.
const BELL: u64 = u64::MAX;

pub(crate) struct Reactor {
    epoll: OwnedFd,
    bell: OwnedFd,
    asleep: AtomicBool,
    connections: Mutex<HashMap<u64, Arc<Connection>>>,
    dirty: Mutex<Vec<u64>>,
    attended: Mutex<Vec<u64>>,
    /// Whether somebody was put on that list since the last look at it.
    asked: AtomicBool,
    next: AtomicU64,
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Carrier,
    Output,
    Exit,
}

impl About {
    fn token(self, connection: u64) -> u64 {
        connection * 4 + self as u64
    }

    fn of(token: u64) -> Self {
        match token % 4 {
            0 => Self::Carrier,
            1 => Self::Output,
            _ => Self::Exit,
        }
    }
}

impl Reactor {
    /// The process's reactor, started on first use.
    ///
    /// # Errors
    /// `io` when the system gives no descriptors or no thread for it.
    pub(crate) fn get() -> Result<&'static Self> {
        static REACTOR: OnceLock<Result<Reactor>> = OnceLock::new();
        static STARTED: OnceLock<Result<()>> = OnceLock::new();
        let reactor = REACTOR.get_or_init(Self::new).as_ref().map_err(Clone::clone)?;
        let started = STARTED.get_or_init(|| {
            let thread = std::thread::Builder::new().name("midplane-io".to_owned());
            thread.spawn(|| reactor.run()).map(drop).map_err(|error| unavailable(&error))
        });
        started.clone().map(|()| reactor)
    }

    fn new() -> Result<Self> {
        let open = || -> rustix::io::Result<Self> {
            let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
            let bell = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
            epoll::add(&epoll, &bell, epoll::EventData::new_u64(BELL), epoll::EventFlags::IN)?;
            Ok(Self {
                epoll,
                bell,
                asleep: AtomicBool::new(false),
                connections: Mutex::default(),
                dirty: Mutex::default(),
                attended: Mutex::default(),
                asked: AtomicBool::new(false),
                next: AtomicU64::new(1),
            })
        };
        open().map_err(|error| unavailable(&error.into()))
    }

    /// Begins to look after a connection, until its process has ended.
    ///
    /// # Errors
    /// `io` when the system cannot poll for it.
    pub(crate) fn adopt(&self, connection: &Arc<Connection>) -> Result<()> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        connection.token.store(number, Ordering::SeqCst);
        lock(&self.connections).insert(number, Arc::clone(connection));
        let add = |fd: BorrowedFd<'_>, about: About| {
            let data = epoll::EventData::new_u64(about.token(number));
            epoll::add(&self.epoll, fd, data, epoll::EventFlags::IN)
        };
        add(connection.carrier.readiness(), About::Carrier)
            .and_then(|()| connection.process.with_pipe(|pipe| add(pipe, About::Output)).unwrap_or(Ok(())))
            .and_then(|()| add(connection.process.exit_event(), About::Exit))
            .map_err(|error| {
                lock(&self.connections).remove(&number);
                unavailable(&error.into())
            })
    }

    /// Polls a carrier for this.
    pub(crate) fn poll_for(&self, connection: &Connection, interest: Interest) {
        let mut flags = epoll::EventFlags::empty();
        flags.set(epoll::EventFlags::IN, interest.read);
        let data = epoll::EventData::new_u64(About::Carrier.token(connection.token.load(Ordering::SeqCst)));
        let apart = connection.carrier.at_room(&mut |room| {
            // Only while it is wanted: the end of the other side is an event that cannot be masked.
            let _ = epoll::delete(&self.epoll, room);
            if interest.write {
                let _ = epoll::add(&self.epoll, room, data, epoll::EventFlags::OUT);
            }
        });
        flags.set(epoll::EventFlags::OUT, interest.write && !apart);
        // It fails only once the carrier has been forgotten, and then nobody needs it.
        let _ = epoll::modify(&self.epoll, connection.carrier.readiness(), data, flags);
    }

    /// Polls a carrier no longer.
    pub(crate) fn forget_carrier(&self, connection: &Connection) {
        let _ = epoll::delete(&self.epoll, connection.carrier.readiness());
        connection.carrier.at_room(&mut |room| {
            let _ = epoll::delete(&self.epoll, room);
        });
    }

    /// Has a connection's queue written.
    pub(crate) fn flush_soon(&self, connection: &Connection) {
        if !connection.dirty.swap(true, Ordering::SeqCst) {
            lock(&self.dirty).push(connection.token.load(Ordering::Relaxed));
            self.ring();
        }
    }

    /// Has a connection looked after, see [`Connection::attend`].
    pub(crate) fn attend(&self, connection: &Connection) {
        if !connection.attended.swap(true, Ordering::SeqCst) {
            lock(&self.attended).push(connection.token.load(Ordering::Relaxed));
        }
        self.asked.store(true, Ordering::SeqCst);
        self.ring();
    }

    fn ring(&self) {
        if self.asleep.swap(false, Ordering::SeqCst) {
            let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
        }
    }

    fn run(&self) {
        let mut due = None;
        loop {
            due = self.turn(due);
        }
    }

    /// Waits for events, or for this instant, and handles what there is. Returns when to look at the attended again.
    fn turn(&self, due: Option<Instant>) -> Option<Instant> {
        let mut events =
            [epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) }; EVENTS];
        // CONCURRENCY: first asleep, then the look whether anybody is on the lists. Whoever adds to a list afterwards
        // sees `asleep` and rings; whoever added before is seen here.
        self.asleep.store(true, Ordering::SeqCst);
        let left = due.map(|due| due.saturating_duration_since(Instant::now()));
        let idle = lock(&self.dirty).is_empty() && !self.asked.load(Ordering::SeqCst);
        let wait = if idle { left } else { Some(Duration::ZERO) };
        let wait = wait.and_then(|wait| Timespec::try_from(wait).ok());
        let count = match epoll::wait(&self.epoll, &mut events, wait.as_ref()) {
            Ok(count) => count,
            Err(rustix::io::Errno::INTR) => 0,
            Err(error) => {
                tracing::error!(%error, "waiting for workers failed");
                std::thread::sleep(Duration::from_millis(10));
                0
            }
        };
        self.asleep.store(false, Ordering::SeqCst);
        let mut rung = false;
        for event in events.iter().take(count) {
            let token = event.data.u64();
            if token == BELL {
                rung = true;
                let _ = rustix::io::read(&self.bell, &mut [0_u8; 8]);
            } else {
                self.handle(token, event.flags);
            }
        }
        self.flush_dirty();
        let asked = self.asked.swap(false, Ordering::SeqCst);
        if asked || rung || due.is_some() { self.look() } else { None }
    }

    fn handle(&self, token: u64, flags: epoll::EventFlags) {
        let Some(connection) = lock(&self.connections).get(&(token / 4)).cloned() else { return };
        match About::of(token) {
            About::Carrier => {
                if flags.contains(epoll::EventFlags::OUT) {
                    connection.flush();
                }
                if flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR) {
                    connection.on_readable();
                }
            }
            About::Output => {
                if !connection.process.take_output() {
                    connection.process.with_pipe(|pipe| {
                        let _ = epoll::delete(&self.epoll, pipe);
                    });
                }
            }
            About::Exit => {
                let _ = epoll::delete(&self.epoll, connection.process.exit_event());
                connection.process.with_pipe(|pipe| {
                    let _ = epoll::delete(&self.epoll, pipe);
                });
                connection.on_exit();
                self.forget_carrier(&connection);
                lock(&self.connections).remove(&(token / 4));
            }
        }
    }

    fn flush_dirty(&self) {
        let dirty = std::mem::take(&mut *lock(&self.dirty));
        for number in dirty {
            let Some(connection) = lock(&self.connections).get(&number).cloned() else { continue };
            connection.dirty.store(false, Ordering::SeqCst);
            connection.flush();
        }
    }

    /// Looks after everything on the list; returns when to do it again.
    fn look(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut next = None;
        // A list of its own: in the head of the loop the lock would be held until the loop's end.
        let attended = std::mem::take(&mut *lock(&self.attended));
        for number in attended {
            let Some(connection) = lock(&self.connections).get(&number).cloned() else { continue };
            connection.attended.store(false, Ordering::SeqCst);
            let Some(again) = connection.attend(now) else { continue };
            next = Some(next.map_or(again, |next: Instant| next.min(again)));
            if !connection.attended.swap(true, Ordering::SeqCst) {
                lock(&self.attended).push(number);
            }
        }
        next
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unavailable(error: &std::io::Error) -> Error {
    Error::new(Code::Io, format!("nothing can wait for workers: {error}"))
        .remedy("the host needs free descriptors and threads")
}
