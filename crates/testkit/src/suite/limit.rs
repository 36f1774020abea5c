//! Work with an end, whatever the work says.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Does something on a thread of its own. `None` when it has not come back in time: then the thread is left to itself,
/// since nothing can end it.
pub(super) fn within<T: Send + 'static>(time: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let begun = thread::Builder::new().name("suite".into()).spawn(move || {
        // Nobody waits any longer: then nobody misses it.
        let _ = sender.send(work());
    });
    begun.ok()?;
    receiver.recv_timeout(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Gate;

    #[test]
    fn work_that_does_not_come_back_is_given_up() {
        let gate = Gate::new();
        let inside = gate.clone();
        let lost = within(Duration::from_millis(1), move || inside.wait_for(1));
        assert!(lost.is_none());
        gate.arrive();
        assert_eq!(within(crate::PATIENCE, || 5), Some(5));
    }
}
