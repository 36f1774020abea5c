//! A runtime that starts when the first plugin needs it. An engine costs milliseconds and address space; a worker that
//! hosts native code should not pay for WebAssembly.

use std::sync::{Arc, Mutex, PoisonError};

use midplane_contract::{Limits, Placement, Result, RuntimeKind};
use midplane_kernel::{Code, LoadRequest, Runtime};

type Make = dyn Fn() -> Result<Arc<dyn Runtime>> + Send + Sync;

/// See the module's text.
pub(crate) struct OnDemand {
    kind: RuntimeKind,
    placement: Placement,
    make: Box<Make>,
    made: Mutex<Option<Arc<dyn Runtime>>>,
}

impl OnDemand {
    pub(crate) fn of(
        kind: RuntimeKind,
        placement: Placement,
        make: impl Fn() -> Result<Arc<dyn Runtime>> + Send + Sync + 'static,
    ) -> Arc<dyn Runtime> {
        Arc::new(Self { kind, placement, make: Box::new(make), made: Mutex::new(None) })
    }

    /// The runtime itself. A failure to start is not kept: the next load tries again.
    fn runtime(&self) -> Result<Arc<dyn Runtime>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &*made {
            return Ok(Arc::clone(runtime));
        }
        let runtime = (self.make)()?;
        *made = Some(Arc::clone(&runtime));
        Ok(runtime)
    }
}

impl Runtime for OnDemand {
    fn serves(&self) -> (RuntimeKind, Placement) {
        (self.kind, self.placement)
    }

    fn unenforceable(&self, limits: &Limits) -> Vec<&'static str> {
        // What cannot start cannot be asked; the load that follows says why.
        self.runtime().map(|runtime| runtime.unenforceable(limits)).unwrap_or_default()
    }

    fn load(&self, request: &LoadRequest) -> Result<Arc<dyn Code>> {
        self.runtime()?.load(request)
    }
}
