//! A lock for what takes a few moves of a pointer.

use spin::mutex::{SpinMutex, SpinMutexGuard};

/// Rounds that somebody spins before letting others run.
const SPINS: u32 = 100;

/// CONCURRENCY: a spin lock, because a publisher with a hundred subscribers takes a hundred of them: it costs half as
/// much as a lock that can sleep. It is held for a few moves of a pointer; wakers are run, and events dropped, after it
/// was let go. Whoever finds it taken for long lets others run, since the holder may wait for this very processor.
#[derive(Default)]
pub(super) struct Spin<T>(SpinMutex<T>);

pub(super) type Held<'a, T> = SpinMutexGuard<'a, T>;

impl<T> Spin<T> {
    #[inline]
    pub(super) fn lock(&self) -> Held<'_, T> {
        self.0.try_lock().unwrap_or_else(|| self.wait())
    }

    #[cold]
    fn wait(&self) -> Held<'_, T> {
        let mut rounds = 0_u32;
        loop {
            if let Some(held) = self.0.try_lock() {
                return held;
            }
            rounds = rounds.wrapping_add(1);
            if rounds.is_multiple_of(SPINS) { std::thread::yield_now() } else { std::hint::spin_loop() }
        }
    }
}
