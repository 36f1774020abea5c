//! One engine: a QuickJS runtime with one context and the prelude in it.

use std::sync::Arc;
use std::time::Duration;

use midplane_contract::{Code, Error, Result};
use midplane_kernel::{Deadline, Scope};
use rquickjs::{Context, Function, Runtime};

use crate::clock::Errand;
use crate::config::JsConfig;
use crate::inside::Inside;
use crate::loader::Modules;
use crate::run::Run;
use crate::tools::keep_tools;
use crate::{background, compiled, fault, native};

/// An engine. Dropping it destroys the plugin's whole JavaScript environment.
pub(crate) struct Engine {
    context: Context,
    runtime: Runtime,
    pub(crate) inside: Arc<Inside>,
}

impl Engine {
    /// Makes one with the prelude in it, and nothing of the plugin.
    ///
    /// # Errors
    /// `memory_limit` when the limit has no room for an engine (it takes about 300 KiB).
    pub(crate) fn new(inside: Inside, config: &JsConfig, memory: u64) -> Result<Arc<Self>> {
        let inside = Arc::new(inside);
        let runtime = Runtime::new().map_err(|error| no_room(&error))?;
        runtime.set_memory_limit(usize::try_from(memory).unwrap_or(usize::MAX));
        runtime.set_max_stack_size(config.stack);
        let clock = Arc::clone(&inside.clock);
        runtime.set_interrupt_handler(Some(Box::new(move || clock.look())));
        runtime.set_loader(Modules(Arc::clone(&inside.sources)), Modules(Arc::clone(&inside.sources)));
        native::track_rejections(&runtime, &inside);
        let context = Context::full(&runtime).map_err(|error| no_room(&error))?;
        inside.clock.arm(Errand::Background, Deadline::After(Duration::from_secs(10)));
        context
            .with(|ctx| {
                let native = native::object(&ctx, &inside)?;
                let core: Function<'_> = compiled::prelude(&ctx, "core")?.get()?;
                keep_tools(&ctx, core.call((native,))?)
            })
            .map_err(|error| no_room(&error))?;
        Ok(Arc::new(Self { context, runtime, inside }))
    }

    /// Runs something for the kernel: a call or a hook. Waits for work between calls to end its turn.
    ///
    /// CONCURRENCY: whoever calls this holds the instance, so only work between calls can be in the engine, which there is
    /// none of before the first timer. A timer that is set meanwhile is looked at when this is over.
    ///
    /// # Errors
    /// What `act` says; `deadline_exceeded` or `cancelled` when that comes before its turn.
    pub(crate) fn perform<T>(
        self: &Arc<Self>,
        scope: &Scope,
        action: Option<u32>,
        act: impl for<'r, 'js> FnOnce(&'r Run<'r, 'js>) -> Result<T>,
    ) -> Result<T> {
        let inside = &*self.inside;
        if let Some(why) = inside.spent() {
            return Err(why.clone());
        }
        inside.clock.enter();
        let is_shared = inside.timers.were_used();
        if is_shared && !inside.turnstile.enter(&inside.clock, || scope.deadline.instant()) {
            let stop = inside.clock.wants_call_to_end();
            inside.clock.leave();
            return Err(never_began(stop));
        }
        let done = self.run(Errand::Call, scope, action, act);
        if is_shared {
            inside.turnstile.leave();
        }
        inside.clock.leave();
        background::schedule(self);
        done
    }

    /// Runs what is due between calls. Nothing happens while a call runs: its end asks for this again.
    pub(crate) fn work(self: &Arc<Self>, time: Duration) {
        let inside = &*self.inside;
        if inside.spent().is_some() || inside.clock.is_closed() || !inside.turnstile.try_enter() {
            return;
        }
        let done = self.run(Errand::Background, &Scope::within(time), None, |run| run.due());
        inside.turnstile.leave();
        if let Err(error) = done {
            inside.log("error", &format!("work between calls was ended: {}", error.record().message), None);
            inside.lost(error);
        }
        background::schedule(self);
    }

    fn run<T>(
        &self,
        errand: Errand,
        scope: &Scope,
        action: Option<u32>,
        act: impl for<'r, 'js> FnOnce(&'r Run<'r, 'js>) -> Result<T>,
    ) -> Result<T> {
        let inside = &*self.inside;
        inside.clock.arm(errand, scope.deadline);
        let number = inside.running.begin(scope, action);
        let done = self.context.with(|ctx| {
            let run = Run { ctx, inside, number };
            let done = act(&run);
            run.tidy(done)
        });
        inside.running.end();
        done
    }

    /// Memory in use, in bytes; what it was when something runs.
    pub(crate) fn memory(&self) -> u64 {
        use std::sync::atomic::Ordering;
        if self.inside.turnstile.try_enter() {
            let used = u64::try_from(self.runtime.memory_usage().malloc_size).unwrap_or(0);
            self.inside.turnstile.leave();
            self.inside.memory.store(used, Ordering::Relaxed);
        }
        self.inside.memory.load(Ordering::Relaxed)
    }
}

#[cold]
fn never_began(cancelled: bool) -> Error {
    if cancelled {
        return fault::stopped(crate::clock::Stop::Cancelled);
    }
    Error::new(Code::DeadlineExceeded, "the deadline passed while the plugin was busy with work of its own")
        .remedy("do less in timers at once, or give the call more time")
}

#[cold]
fn no_room(error: &rquickjs::Error) -> Error {
    match error {
        rquickjs::Error::Allocation | rquickjs::Error::Exception => {
            Error::new(Code::MemoryLimit, "the memory limit has no room for a JavaScript engine")
                .remedy("set limits.memory to 1 MiB or more")
        }
        other => Error::new(Code::Internal, format!("no JavaScript engine: {other}")),
    }
}
