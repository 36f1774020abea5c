//! JavaScript at work: promises, jobs and timers are driven here, on one thread, until what was asked for is there.

use std::time::{Duration, Instant};

use midplane_contract::Result;
use midplane_kernel::Deadline;
use rquickjs::{Ctx, Promise, Value};

use crate::clock::{Errand, Stop};
use crate::fault;
use crate::inside::Inside;
use crate::tools::{Tool, Tools};

/// What a plugin has to clean up once a call of it was cancelled: less than the kernel waits for the instance.
const FAREWELL: Duration = Duration::from_millis(100);

/// One call, hook or piece of background work, inside the engine.
pub(crate) struct Run<'a, 'js> {
    pub(crate) ctx: Ctx<'js>,
    pub(crate) inside: &'a Inside,
    /// Its number: what contexts are made with.
    pub(crate) number: u32,
}

impl<'js> Run<'_, 'js> {
    /// The value that a promise settles to; any other value as it is.
    ///
    /// # Errors
    /// What it is rejected with; `deadline_exceeded`, `cancelled`.
    pub(crate) fn settle(&self, value: Value<'js>) -> Result<Value<'js>> {
        let Some(promise) = value.as_promise() else { return Ok(value) };
        loop {
            self.jobs()?;
            match promise.result() {
                Some(Ok(value)) => return Ok(value),
                Some(Err(error)) => {
                    let error = self.explain(&error);
                    self.complain(Some(promise));
                    return Err(error);
                }
                None if self.fire_due(Instant::now())? => {}
                None => self.wait(promise)?,
            }
        }
    }

    /// Runs what promises and `queueMicrotask` left to do.
    pub(crate) fn jobs(&self) -> Result<()> {
        while self.ctx.execute_pending_job() {
            if self.inside.clock.stopped().is_some() {
                return Err(self.explain(&rquickjs::Error::Unknown));
            }
        }
        Ok(())
    }

    /// Runs the timers that are due by now, with what they leave to do, until a call waits.
    pub(crate) fn due(&self) -> Result<()> {
        let now = Instant::now();
        while self.fire_due(now)? && !self.inside.turnstile.is_awaited() {}
        Ok(())
    }

    /// Runs one timer that was due by then.
    fn fire_due(&self, by: Instant) -> Result<bool> {
        let Some(id) = self.inside.timers.take_due(by) else { return Ok(false) };
        let fired = Tools::of(&self.ctx).and_then(|tools| tools.get(Tool::Fire)?.call::<_, ()>((id,)));
        if let Err(error) = fired {
            let error = self.explain(&error);
            if self.inside.spent().is_some() {
                return Err(error);
            }
            let stack =
                error.record().data.get("stack").and_then(|stack| stack.as_str()).unwrap_or_default().trim_end();
            self.inside.log("error", &format!("in a timer: {}\n{stack}", error.record().message), None);
        }
        self.jobs()?;
        Ok(true)
    }

    /// Waits until something may have happened.
    fn wait(&self, promise: &Promise<'js>) -> Result<()> {
        let clock = &self.inside.clock;
        let end = clock.end();
        let next = self.inside.timers.next();
        clock.wait(next.map_or(end, |next| next.min(end)));
        if !clock.look() {
            return Ok(());
        }
        let stop = clock.stopped().unwrap_or(Stop::Cancelled);
        self.farewell(promise);
        Err(fault::unsettled(stop, next.is_some()))
    }

    /// Tells the plugin that its call is over, and lets it clean up.
    fn farewell(&self, promise: &Promise<'js>) {
        self.inside.clock.arm(Errand::Background, Deadline::After(FAREWELL));
        let told = Tools::of(&self.ctx).and_then(|tools| tools.get(Tool::Abort)?.call::<_, ()>(()));
        if let Err(error) = told {
            self.explain(&error);
        }
        // What goes wrong here is not the call's outcome; an engine that is spent by it says so itself.
        if self.jobs().is_ok() {
            self.complain(Some(promise));
        }
    }

    /// Ends what was begun: jobs that are left, rejections that nobody handled.
    #[inline]
    pub(crate) fn tidy<T>(&self, done: Result<T>) -> Result<T> {
        if self.inside.spent().is_some() {
            return done;
        }
        let jobs = self.jobs();
        if self.inside.take_rejections() {
            self.complain(None);
        }
        match (done, jobs) {
            (Ok(_), Err(error)) => Err(error),
            (done, _) => done,
        }
    }

    /// Says in the log which rejections nobody handled; that of a call's own result is the call's outcome.
    #[cold]
    fn complain(&self, own: Option<&Promise<'js>>) {
        let own = own.map(|promise| promise.clone().into_value());
        let said = Tools::of(&self.ctx).and_then(|tools| tools.get(Tool::Complain)?.call::<_, ()>((own,)));
        if let Err(error) = said {
            self.explain(&error);
        }
    }

    /// The error of what the engine gave back.
    #[cold]
    pub(crate) fn explain(&self, error: &rquickjs::Error) -> midplane_contract::Error {
        fault::explain(&self.ctx, self.inside, error)
    }
}
