//! The text protocol over a stream of lines: to the host a carrier of frames like every other.

use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use midplane_contract::{Code, Error, defaults};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, epoll};

use super::message;
use super::translator::Translator;
use crate::carrier::Carrier;

/// Bytes of a line before the plugin has registered, and after: the largest payload as base64, and room.
const FIRST_LINE: usize = 64 * 1024;
const LINE: usize = defaults::PAYLOAD_CAP / 2 * 3;
/// Bytes read at once.
const READ: usize = 64 * 1024;
/// Reads in a row that bring nothing for the host.
const READS: u32 = 64;

/// Frames on this side, lines on the other.
///
/// CONCURRENCY: what the host sends may bring something for the host (a ping its answer, credit what waited for it), so
/// that frames may be ready though no line has come. `bell` says so; `readiness` watches both. Whoever holds `state` never waits.
pub(crate) struct TextCarrier {
    lines: Box<dyn Carrier>,
    state: Mutex<State>,
    /// An epoll of the lines and the bell.
    readiness: OwnedFd,
    bell: OwnedFd,
}

struct State {
    translator: Translator,
    buffer: Vec<u8>,
    /// What has come of the next line.
    line: Vec<u8>,
    /// Lines for the plugin that have not been written in full.
    pending: Vec<u8>,
    written: usize,
    rung: bool,
    /// Whether the lines are watched; not while too much waits for the host.
    watched: bool,
    over: bool,
}

impl TextCarrier {
    /// Puts a translator on lines.
    ///
    /// # Errors
    /// `io` when the system gives no descriptors.
    pub(crate) fn new(lines: Box<dyn Carrier>) -> Result<Self, Error> {
        let open = || -> rustix::io::Result<(OwnedFd, OwnedFd)> {
            let readiness = epoll::create(epoll::CreateFlags::CLOEXEC)?;
            let bell = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
            epoll::add(&readiness, &bell, epoll::EventData::new_u64(0), epoll::EventFlags::IN)?;
            epoll::add(&readiness, lines.readiness(), epoll::EventData::new_u64(1), epoll::EventFlags::IN)?;
            Ok((readiness, bell))
        };
        let (readiness, bell) = open().map_err(|error| {
            Error::new(Code::Io, format!("nothing can wait for a plugin's lines: {error}"))
                .remedy("allow the host more descriptors")
        })?;
        let state = State {
            translator: Translator::new(),
            buffer: vec![0; READ],
            line: Vec::new(),
            pending: Vec::new(),
            written: 0,
            rung: false,
            watched: true,
            over: false,
        };
        Ok(Self { lines, state: Mutex::new(state), readiness, bell })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the readiness say what is so.
    fn signal(&self, state: &mut State) {
        let ready = !state.translator.frames().is_empty();
        if ready != state.rung {
            state.rung = ready;
            let _ = match ready {
                true => rustix::io::write(&self.bell, &1_u64.to_ne_bytes()),
                false => rustix::io::read(&self.bell, &mut [0_u8; 8]),
            };
        }
        let watch = !state.translator.is_full();
        if watch != state.watched {
            state.watched = watch;
            let flags = if watch { epoll::EventFlags::IN } else { epoll::EventFlags::empty() };
            // It fails only when there is nothing left to watch.
            let _ = epoll::modify(&self.readiness, self.lines.readiness(), epoll::EventData::new_u64(1), flags);
        }
    }

    /// Writes lines as far as they fit.
    fn write(&self, state: &mut State) -> io::Result<()> {
        loop {
            while let Some(message) = state.translator.next_message() {
                state.pending.extend_from_slice(&message);
                state.pending.push(b'\n');
            }
            let rest = state.pending.get(state.written..).unwrap_or_default();
            if rest.is_empty() {
                state.written = 0;
                state.pending.clear();
                state.pending.shrink_to(READ);
                if state.translator.is_ending() {
                    self.lines.finish();
                }
                return Ok(());
            }
            state.written += self.lines.send(&[IoSlice::new(rest)])?;
        }
    }

    /// Takes what has come of lines. `false` when nothing has.
    fn read(&self, state: &mut State) -> io::Result<bool> {
        let count = match self.lines.receive(&mut state.buffer, Duration::ZERO) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        };
        let State { translator, buffer, line, over, .. } = state;
        if count == 0 {
            *over = true;
            let left = std::mem::take(line);
            // Somebody who spoke another language, and no more.
            let first = !translator.is_registered() && !left.is_empty();
            return if first { translator.heard(&left).map(|()| true).map_err(io::Error::other) } else { Ok(true) };
        }
        for piece in buffer.get(..count).unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
            line.extend_from_slice(piece);
            let cap = if translator.is_registered() { LINE } else { FIRST_LINE };
            if line.len() > cap {
                return Err(io::Error::other(message::breach(&format!("it has more than {cap} bytes"), line)));
            }
            if piece.ends_with(b"\n") {
                translator.heard(line).map_err(io::Error::other)?;
                line.clear();
                line.shrink_to(READ);
            }
        }
        Ok(true)
    }

    fn wait(&self, wait: Duration) -> io::Result<()> {
        let mut polled = [PollFd::new(&self.readiness, PollFlags::IN)];
        match rustix::event::poll(&mut polled, Timespec::try_from(wait).ok().as_ref()) {
            Ok(0) => Err(ErrorKind::WouldBlock.into()),
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Carrier for TextCarrier {
    fn receive(&self, into: &mut [u8], wait: Duration) -> io::Result<usize> {
        let mut waited = wait.is_zero();
        let mut reads = 0;
        loop {
            let mut state = self.lock();
            let frames = state.translator.frames();
            if !frames.is_empty() {
                let count = frames.len().min(into.len());
                if let (Some(room), Some(ready)) = (into.get_mut(..count), frames.get(..count)) {
                    room.copy_from_slice(ready);
                }
                frames.drain(..count);
                self.signal(&mut state);
                return Ok(count);
            }
            if state.over {
                return Ok(0);
            }
            let heard = if state.translator.is_full() { Ok(false) } else { self.read(&mut state) };
            self.signal(&mut state);
            drop(state);
            reads += 1;
            match (heard?, waited) {
                // Lines without meaning may come for ever, and others want to be served as well.
                (true, _) if reads >= READS => return Err(ErrorKind::WouldBlock.into()),
                (true, _) => {}
                (false, true) => return Err(ErrorKind::WouldBlock.into()),
                (false, false) => {
                    self.wait(wait)?;
                    waited = true;
                }
            }
        }
    }

    fn send(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut state = self.lock();
        self.write(&mut state)?;
        for part in parts {
            state.translator.told(part).map_err(io::Error::other)?;
        }
        let written = self.write(&mut state);
        self.signal(&mut state);
        match written {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            // What does not fit is this carrier's to keep, until the next flush.
            _ => Ok(parts.iter().map(|part| part.len()).sum()),
        }
    }

    fn flush(&self) -> io::Result<()> {
        self.write(&mut self.lock())
    }

    fn readiness(&self) -> BorrowedFd<'_> {
        self.readiness.as_fd()
    }

    fn at_room(&self, with: &mut dyn FnMut(BorrowedFd<'_>)) -> bool {
        if !self.lines.at_room(with) {
            with(self.lines.readiness());
        }
        true
    }

    fn close(&self) {
        self.lines.close();
    }
}
