//! One live instance.

use std::sync::Arc;

use midplane_contract::{Error, Hook, Result};
use midplane_kernel::{Call, Condition, Instance, Interrupt, Reply, Scope};
use rquickjs::Value;

use crate::bytes;
use crate::code::Offer;
use crate::engine::Engine;
use crate::reply::Out;
use crate::run::Run;
use crate::tools::{Tool, Tools};

/// An engine with a plugin in it.
pub(crate) struct JsInstance {
    pub(crate) engine: Arc<Engine>,
    pub(crate) offer: Arc<Offer>,
    /// What replies are made in.
    pub(crate) buffer: Vec<u8>,
}

impl Instance for JsInstance {
    fn call_inline(&mut self, call: &Call<'_>, reply: &mut Reply<'_>) -> Result<()> {
        let manner = self.offer.manner(call.action)?;
        let mut out = Out { reply, buffer: &mut self.buffer };
        self.engine.perform(call.scope, Some(call.action), |run| run.call(manner, call, &mut out))
    }

    fn hook(&mut self, hook: Hook, input: &[u8], scope: &Scope) -> Result<Option<Vec<u8>>> {
        if hook == Hook::Info {
            return Ok(Some(self.offer.info.clone()));
        }
        let has = self.offer.hooks.contains(&hook);
        let done = if has { self.engine.perform(scope, None, |run| run.hook(hook, input)) } else { Ok(None) };
        match hook {
            Hook::Init | Hook::ConfigChanged if done.is_ok() => self.engine.inside.accept_config(input),
            Hook::Stop => self.engine.end_background(scope)?,
            _ => {}
        }
        done
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        Some(Arc::clone(&self.engine.inside) as Arc<dyn Interrupt>)
    }

    fn condition(&self) -> Condition {
        self.engine.inside.spent().map_or(Condition::Ready, |why: &Error| Condition::Spent(why.clone()))
    }

    fn memory(&self) -> Option<u64> {
        Some(self.engine.memory())
    }
}

impl Drop for JsInstance {
    /// Work between calls that still runs ends at its next step, and the environment with it.
    fn drop(&mut self) {
        self.engine.inside.clock.close();
        self.engine.inside.timers.clear_all();
    }
}

impl Engine {
    /// What `onStart` began ends here, whether or not `onStop` ended it.
    fn end_background(self: &Arc<Self>, scope: &Scope) -> Result<()> {
        self.inside.timers.clear_all();
        if self.inside.spent().is_some() {
            return Ok(());
        }
        self.perform(scope, None, |run| {
            let tools = Tools::of(&run.ctx).map_err(|error| run.explain(&error))?;
            tools.get(Tool::Stop).and_then(|stop| stop.call::<_, ()>(())).map_err(|error| run.explain(&error))
        })
    }
}

impl<'js> Run<'_, 'js> {
    /// Runs a hook that the plugin has.
    fn hook(&self, hook: Hook, input: &[u8]) -> Result<Option<Vec<u8>>> {
        let begun = || -> rquickjs::Result<Value<'js>> {
            let input = bytes::array(&self.ctx, input)?;
            Tools::of(&self.ctx)?.get(Tool::Hook)?.call((hook.name(), input, self.number))
        };
        let answer = begun().map_err(|error| self.explain(&error))?;
        let answer = self.settle(answer)?;
        bytes::copied(self.inside, &answer).map_err(|error| self.explain(&error))
    }
}
