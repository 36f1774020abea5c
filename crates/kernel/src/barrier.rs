//! An asymmetric memory barrier: free for the many who leave, paid by the few who wait.
//!
//! CONCURRENCY: a caller that leaves a lane stores "free" and then loads "does anybody wait?". A waiter stores "I wait"
//! and then loads "is it free?". One of the two must see the other, or the waiter sleeps forever. The usual cure is a
//! full fence on both sides, which costs as much as the rest of the call. On Linux the waiter instead runs
//! `membarrier(2)` (PRIVATE_EXPEDITED), which makes every thread of the process pass a full barrier, and the leaving
//! side needs only to keep the compiler from reordering. Where the system call is missing, both sides fence.

use std::sync::atomic::{Ordering, compiler_fence, fence};

/// The leaving side, between its store and its load.
#[inline]
pub(crate) fn light() {
    if system::available() { compiler_fence(Ordering::SeqCst) } else { fence(Ordering::SeqCst) }
}

/// The waiting side, between its store and its load.
pub(crate) fn heavy() {
    fence(Ordering::SeqCst);
    if system::available() {
        system::barrier();
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::sync::atomic::{AtomicU8, Ordering};

    use rustix::thread::{MembarrierCommand, membarrier};

    const UNKNOWN: u8 = 0;
    const AVAILABLE: u8 = 1;
    const MISSING: u8 = 2;
    static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);

    #[inline]
    pub(super) fn available() -> bool {
        match STATE.load(Ordering::Relaxed) {
            AVAILABLE => true,
            MISSING => false,
            _ => register(),
        }
    }

    #[cold]
    fn register() -> bool {
        let available = membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok();
        // Two threads may both register; that is harmless and they agree.
        STATE.store(if available { AVAILABLE } else { MISSING }, Ordering::SeqCst);
        available
    }

    pub(super) fn barrier() {
        // Cannot fail after a registration that succeeded.
        let _ = membarrier(MembarrierCommand::PrivateExpedited);
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn available() -> bool {
        false
    }
    pub(super) fn barrier() {}
}
