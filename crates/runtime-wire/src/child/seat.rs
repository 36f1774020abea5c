//! One instance in a worker: what it is doing, what waits for it, and how its answers leave.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::ThreadId;

use midplane_contract::frame::{FrameKind, Prefix, flag};
use midplane_contract::{ActionName, Code, Error, Hook, Result, defaults};
use midplane_kernel::{Call, Condition, Instance, Interrupt, Reply};

use super::job::Request;
use super::line::{Line, lock};
use super::reply::Chunks;

/// Requests that may wait for an instance that is busy. The kernel sends one at a time; more only follow one that was
/// given up.
const WAITING: usize = 16;

pub(super) struct Seat {
    pub(super) number: u16,
    work: Mutex<Work>,
    pub(super) desk: Mutex<Desk>,
    pub(super) bell: Condvar,
    interrupter: Option<Arc<dyn Interrupt>>,
    actions: Arc<[ActionName]>,
    /// Set while the request under way has been given up.
    cancelled: AtomicBool,
}

/// What only the working thread touches.
struct Work {
    instance: Option<Box<dyn Instance>>,
    reply: Vec<u8>,
}

#[derive(Default)]
pub(super) struct Desk {
    /// Whether some thread works on it.
    busy: bool,
    /// The request under way; 0 for none.
    running: u32,
    thread: Option<ThreadId>,
    /// Bytes of the answer that may still be sent.
    pub(super) credit: usize,
    waiting: VecDeque<Request>,
}

impl Seat {
    pub(super) fn new(number: u16, instance: Box<dyn Instance>, actions: Arc<[ActionName]>) -> Self {
        let interrupter = instance.interrupter();
        Self {
            number,
            work: Mutex::new(Work { instance: Some(instance), reply: Vec::new() }),
            desk: Mutex::default(),
            bell: Condvar::new(),
            interrupter,
            actions,
            cancelled: AtomicBool::new(false),
        }
    }

    /// Takes a request. It comes back when the instance is free and the caller has to run it; otherwise it waits.
    ///
    /// # Errors
    /// `overloaded` when too many wait.
    pub(super) fn admit(&self, request: Request) -> Result<Option<Request>> {
        let mut desk = lock(&self.desk);
        if !desk.busy {
            desk.busy = true;
            self.take_on(&mut desk, &request);
            return Ok(Some(request));
        }
        if desk.waiting.len() >= WAITING {
            let message = format!("{WAITING} requests wait for instance {}", self.number);
            return Err(Error::new(Code::Overloaded, message).remedy("wait for answers first"));
        }
        desk.waiting.push_back(request.wait());
        Ok(None)
    }

    /// From here on a request can only be interrupted, also before it has begun to run.
    fn take_on(&self, desk: &mut Desk, request: &Request) {
        self.cancelled.store(false, Ordering::SeqCst);
        desk.running = request.head.id;
    }

    /// Gives a request up. `true` when it had not begun and the caller has to answer.
    pub(super) fn cancel(self: &Arc<Self>, line: &Arc<Line>, id: u32) -> bool {
        let mut desk = lock(&self.desk);
        if desk.running == id {
            self.cancelled.store(true, Ordering::SeqCst);
            self.interrupt();
            self.bell.notify_all();
            drop(desk);
            line.wake_asks(self.number);
            line.crew.keep_stopping(self);
            return false;
        }
        let before = desk.waiting.len();
        desk.waiting.retain(|request| request.head.id != id);
        desk.waiting.len() < before
    }

    fn interrupt(&self) {
        if let Some(interrupter) = &self.interrupter {
            interrupter.interrupt();
        }
    }

    /// Interrupts again what was given up and still runs: the first time may have come before the engine had begun.
    /// `false` when there is nothing of the kind.
    pub(super) fn stop_again(&self) -> bool {
        let desk = lock(&self.desk);
        let stopping = desk.running != 0 && self.is_cancelled();
        if stopping {
            self.interrupt();
        }
        stopping
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// Whether the calling thread runs this instance's request.
    pub(super) fn runs_here(&self) -> bool {
        lock(&self.desk).thread == Some(std::thread::current().id())
    }

    /// The host has room for more of an answer.
    pub(super) fn credit(&self, id: u32, more: usize) {
        let mut desk = lock(&self.desk);
        if desk.running == id {
            desk.credit = desk.credit.saturating_add(more);
            self.bell.notify_all();
        }
    }

    /// Drops the instance unless it is at work.
    pub(super) fn vacate(&self) {
        if let Ok(mut work) = self.work.try_lock() {
            let instance = work.instance.take();
            let _ = catch_unwind(AssertUnwindSafe(|| drop(instance)));
        }
    }

    /// Works on a request and on what has come to wait since. Returns the last input buffer for the next one.
    pub(super) fn run(self: &Arc<Self>, line: &Arc<Line>, request: Request) -> Vec<u8> {
        let mut request = request;
        loop {
            self.answer(line, &request);
            let mut desk = lock(&self.desk);
            match desk.waiting.pop_front() {
                Some(next) => {
                    self.take_on(&mut desk, &next);
                    drop(desk);
                    // Whoever waits behind a request that was given up should not wait for its answer to leave.
                    line.flush();
                    request = next;
                }
                None => {
                    desk.busy = false;
                    return request.input;
                }
            }
        }
    }

    fn answer(self: &Arc<Self>, line: &Arc<Line>, request: &Request) {
        {
            let mut desk = lock(&self.desk);
            desk.thread = Some(std::thread::current().id());
            desk.credit = line.host_limits().window;
        }
        let mut work = lock(&self.work);
        let Work { instance, reply } = &mut *work;
        reply.clear();
        let result = match instance {
            Some(live) => catch_unwind(AssertUnwindSafe(|| self.execute(line, &mut **live, request, reply)))
                .unwrap_or_else(|panic| Err(panicked(&*panic))),
            None => Err(Error::new(Code::NotLoaded, "the instance was closed").remedy("OPEN it again")),
        };
        if request.head.kind == FrameKind::Close {
            let closed = instance.take();
            let _ = catch_unwind(AssertUnwindSafe(|| drop(closed)));
            line.remove_seat(self);
        }
        let spent = match instance.as_ref().map(|live| live.condition()) {
            Some(Condition::Spent(_) | Condition::Dead(_)) => flag::SPENT,
            Some(Condition::Ready | Condition::Settling) | None => 0,
        };
        {
            let mut desk = lock(&self.desk);
            desk.thread = None;
        }
        let head = Prefix { flags: spent, ..request.head };
        match result {
            Ok(absent) => {
                let head = Prefix { flags: spent | if absent { flag::ABSENT } else { 0 }, ..head };
                self.send_reply(line, head, reply);
            }
            Err(error) => line.answer_error(head, &error),
        }
        reply.shrink_to(1024 * 1024);
        lock(&self.desk).running = 0;
    }

    /// Runs the request. `Ok(true)` says that there is no such hook.
    fn execute(
        self: &Arc<Self>,
        line: &Arc<Line>,
        instance: &mut dyn Instance,
        request: &Request,
        reply: &mut Vec<u8>,
    ) -> Result<bool> {
        let Request { head, scope, input, .. } = request;
        match head.kind {
            FrameKind::Call => {
                let Some(name) = self.actions.get(head.value as usize) else {
                    let message = format!("the plugin has no action number {}", head.value);
                    return Err(Error::new(Code::ActionNotFound, message)
                        .remedy("name actions by their position in the answer to LOAD"));
                };
                let call = Call { action: head.value, name: name.as_str(), input, scope };
                if head.flags & flag::STREAM != 0 {
                    let mut sink = Chunks { line, seat: self, head: *head };
                    instance.call_inline(&call, &mut Reply::stream(&mut sink, defaults::PAYLOAD_CAP))?;
                } else {
                    instance.call_inline(&call, &mut Reply::buffer(reply, defaults::PAYLOAD_CAP))?;
                }
                Ok(false)
            }
            FrameKind::Hook => {
                let Some(hook) = Hook::ALL.get(head.value as usize) else { return Ok(true) };
                let answer = instance.hook(*hook, input, scope)?;
                reply.extend_from_slice(answer.as_deref().unwrap_or_default());
                Ok(answer.is_none())
            }
            _ => Ok(false),
        }
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::new(Code::Panicked, format!("the plugin panicked: {}", text.unwrap_or("with a value that is no text")))
        .remedy("report it to the plugin's author")
}
