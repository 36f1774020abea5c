//! How a running call of the fake is stopped from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use midplane_kernel::{Host, Interrupt};

use crate::gate::ring;

/// The brake of one instance. As the contract has it: pulling it does nothing while nothing runs.
pub(crate) struct Brake {
    runs: AtomicBool,
    pulled: AtomicBool,
    host: Arc<dyn Host>,
}

impl Brake {
    pub(crate) fn new(host: Arc<dyn Host>) -> Self {
        Self { runs: AtomicBool::new(false), pulled: AtomicBool::new(false), host }
    }

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
            self.host.interrupted();
        }
    }
}
