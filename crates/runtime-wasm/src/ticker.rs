//! Time for guests: one thread per engine that advances its epoch while any instance runs, and sleeps otherwise.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, compiler_fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, Thread};
use std::time::Duration;

use midplane_contract::{Code, Error, Result};
use midplane_kernel::{Host, Interrupt};
use wasmtime::{Engine, EngineWeak};

/// The time between two looks at a running guest: deadlines and cancellation act this late at most, and a guest that
/// shares an executor yields this often.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// Ticks between two checks whether anything runs at all.
const IDLE_CHECK: u32 = 32;

/// The thread that keeps time for one engine. It ends with the engine.
#[derive(Debug)]
pub(crate) struct Ticker {
    beats: Mutex<Vec<Weak<Beat>>>,
    parked: AtomicBool,
    thread: Mutex<Option<Thread>>,
}

impl Ticker {
    /// Starts the thread.
    ///
    /// # Errors
    /// `io` when the system gives no thread.
    pub(crate) fn start(engine: &Engine) -> Result<Arc<Self>> {
        let ticker =
            Arc::new(Self { beats: Mutex::new(Vec::new()), parked: AtomicBool::new(false), thread: Mutex::new(None) });
        let (weak, engine) = (Arc::downgrade(&ticker), engine.weak());
        let handle = thread::Builder::new()
            .name("midplane-epoch".to_owned())
            .spawn(move || run(&weak, &engine))
            .map_err(|error| Error::new(Code::Io, "no thread for the WebAssembly clock").caused_by(&error))?;
        *lock(&ticker.thread) = Some(handle.thread().clone());
        Ok(ticker)
    }

    /// A beat for one more instance.
    pub(crate) fn beat(self: &Arc<Self>, host: Option<Arc<dyn Host>>) -> Arc<Beat> {
        let ticker = Arc::clone(self);
        let beat = Arc::new(Beat { calls: AtomicU64::new(0), stop: AtomicU64::new(0), ticker, host });
        let mut beats = lock(&self.beats);
        // Dead entries are swept when the list would grow, so it stays within twice the living.
        if beats.len() == beats.capacity() {
            beats.retain(|beat| beat.strong_count() > 0);
        }
        beats.push(Arc::downgrade(&beat));
        beat
    }

    fn anything_runs(&self) -> bool {
        lock(&self.beats).iter().filter_map(Weak::upgrade).any(|beat| beat.running().is_some())
    }

    #[cold]
    fn wake(&self) {
        self.parked.store(false, Ordering::Relaxed);
        if let Some(thread) = lock(&self.thread).as_ref() {
            thread.unpark();
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.wake();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(ticker: &Weak<Ticker>, engine: &EngineWeak) {
    let mut ticks = 0_u32;
    loop {
        thread::sleep(TICK);
        let (Some(ticker), Some(engine)) = (ticker.upgrade(), engine.upgrade()) else { return };
        engine.increment_epoch();
        ticks = ticks.wrapping_add(1);
        if !ticks.is_multiple_of(IDLE_CHECK) || ticker.anything_runs() {
            continue;
        }
        // CONCURRENCY: a call stores that it runs and then loads `parked`; this thread stores `parked` and then looks
        // at the calls. Neither side pays for a fence: the pause between store and look is what makes each store
        // visible to the other side, by five orders of magnitude.
        ticker.parked.store(true, Ordering::SeqCst);
        thread::sleep(TICK);
        if ticker.anything_runs() {
            ticker.parked.store(false, Ordering::SeqCst);
            continue;
        }
        let parked = Arc::downgrade(&ticker);
        drop((ticker, engine));
        // A token that `wake` left before this point makes the next `park` return at once.
        while parked.upgrade().is_some_and(|ticker| ticker.parked.load(Ordering::SeqCst)) {
            thread::park();
        }
    }
}

/// Says whether one instance runs, and carries the wish that it stops.
pub(crate) struct Beat {
    /// Odd while a call runs; each call has a number of its own.
    calls: AtomicU64,
    /// The number of the call that is to end; 0 for none.
    stop: AtomicU64,
    ticker: Arc<Ticker>,
    /// What it may wait for.
    host: Option<Arc<dyn Host>>,
}

impl fmt::Debug for Beat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beat").field("calls", &self.calls).field("stop", &self.stop).finish_non_exhaustive()
    }
}

impl Beat {
    /// A call begins. Only the owner of the instance calls this.
    #[inline]
    pub(crate) fn enter(&self) {
        let number = self.calls.load(Ordering::Relaxed) | 1;
        self.calls.store(number, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        if self.ticker.parked.load(Ordering::Relaxed) {
            self.ticker.wake();
        }
    }

    /// The call has ended, however it did.
    #[inline]
    pub(crate) fn leave(&self) {
        let number = self.calls.load(Ordering::Relaxed);
        self.calls.store((number | 1).wrapping_add(1), Ordering::Release);
    }

    /// Whether somebody wants the running call to end.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire) == self.calls.load(Ordering::Relaxed)
    }

    fn running(&self) -> Option<u64> {
        let number = self.calls.load(Ordering::Acquire);
        (number & 1 == 1).then_some(number)
    }
}

impl Interrupt for Beat {
    fn interrupt(&self) {
        if let Some(call) = self.running() {
            self.stop.store(call, Ordering::Release);
            // A guest that waits for the host meets no tick.
            if let Some(host) = &self.host {
                host.interrupted();
            }
        }
    }
}
