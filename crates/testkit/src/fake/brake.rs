//! How a running call of the fake is stopped from outside.

use std::sync::atomic::{AtomicBool, Ordering};

use midplane_kernel::Interrupt;

use crate::gate::ring;

/// The brake of one instance. As the contract has it: pulling it does nothing while nothing runs.
#[derive(Debug, Default)]
pub(crate) struct Brake {
    runs: AtomicBool,
    pulled: AtomicBool,
}

impl Brake {
    /// Something begins to run; an earlier pull is forgotten.
    pub(crate) fn enter(&self) {
        self.pulled.store(false, Ordering::SeqCst);
        self.runs.store(true, Ordering::SeqCst);
    }

    pub(crate) fn leave(&self) {
        self.runs.store(false, Ordering::SeqCst);
    }

    pub(crate) fn is_pulled(&self) -> bool {
        self.pulled.load(Ordering::SeqCst)
    }
}

impl Interrupt for Brake {
    fn interrupt(&self) {
        if self.runs.load(Ordering::SeqCst) {
            self.pulled.store(true, Ordering::SeqCst);
            ring();
        }
    }
}
