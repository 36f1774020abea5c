//! Loaded code: what it offers, and new instances of it.

use std::sync::{Arc, Mutex, PoisonError};

use midplane_contract::{ActionName, Code as ErrorCode, Error, Hook, PluginId, PluginInfo, Result};
use midplane_kernel::{Code, CodeFacts, Instance, InstanceContext, Scope};
use rquickjs::{Module, Object, Value};
use serde::Deserialize;
use serde_json::json;

use crate::config::JsConfig;
use crate::engine::Engine;
use crate::inside::Inside;
use crate::instance::JsInstance;
use crate::reply::Manner;
use crate::run::Run;
use crate::sources::Sources;
use crate::tools::{Tool, Tools, keep_entries};

/// What a plugin offers.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) info: Vec<u8>,
    pub(crate) actions: Arc<[ActionName]>,
    manners: Vec<Manner>,
    pub(crate) hooks: Vec<Hook>,
    /// Where further instances find it: JSON for `prelude/core.js`.
    plan: String,
}

/// What every instance of a generation is made from.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) plugin: PluginId,
    pub(crate) main: String,
    pub(crate) sources: Arc<Sources>,
    pub(crate) config: JsConfig,
    pub(crate) memory: u64,
    pub(crate) start: Scope,
}

/// One loaded version of a plugin.
pub(crate) struct JsCode {
    pub(crate) terms: Terms,
    pub(crate) facts: CodeFacts,
    pub(crate) offer: Arc<Offer>,
    /// The engine that said what the plugin offers: the first instance's.
    pub(crate) first: Mutex<Option<Arc<Engine>>>,
}

impl Code for JsCode {
    fn facts(&self) -> &CodeFacts {
        &self.facts
    }

    fn instantiate(&self, context: InstanceContext) -> Result<Box<dyn Instance>> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let engine = match first {
            Some(engine) => engine,
            None => self.another()?,
        };
        engine.inside.take_up(context, Arc::clone(&self.offer.actions));
        crate::background::schedule(&engine);
        Ok(Box::new(JsInstance { engine, offer: Arc::clone(&self.offer), buffer: Vec::new() }))
    }
}

impl JsCode {
    fn another(&self) -> Result<Arc<Engine>> {
        let (engine, ()) = self.terms.make(|run, namespace| run.bind(namespace, &self.offer.plan))?;
        Ok(engine)
    }
}

impl Terms {
    /// Makes an engine with the plugin's modules evaluated, and finds the plugin in them.
    pub(crate) fn make<T>(
        &self,
        find: impl for<'r, 'js> FnOnce(&'r Run<'r, 'js>, Object<'js>) -> rquickjs::Result<T>,
    ) -> Result<(Arc<Engine>, T)> {
        let inside = Inside::new(self.plugin.clone(), Arc::clone(&self.sources));
        let engine = Engine::new(inside, &self.config, self.memory)?;
        let text = self.sources.text(&self.main)?;
        let found = engine.perform(&self.start, None, |run| {
            let namespace = run.evaluate(&self.main, &text)?;
            find(run, namespace).and_then(|found| run.keep().map(|()| found)).map_err(|error| run.explain(&error))
        });
        found.map(|found| (engine, found)).map_err(|error| at_load(&self.main, error))
    }
}

impl<'js> Run<'_, 'js> {
    /// Evaluates the plugin's main module.
    fn evaluate(&self, main: &str, text: &str) -> Result<Object<'js>> {
        let begun = Module::declare(self.ctx.clone(), main, text).and_then(Module::eval);
        let (module, promise) = begun.map_err(|error| self.explain(&error))?;
        self.settle(promise.into_value())?;
        module.namespace().map_err(|error| self.explain(&error))
    }

    /// Reads what the plugin offers, as JSON.
    pub(crate) fn shape(&self, namespace: Object<'js>) -> rquickjs::Result<String> {
        Tools::of(&self.ctx)?.get(Tool::Shape)?.call((namespace,))
    }

    /// Finds what the first instance offered.
    fn bind(&self, namespace: Object<'js>, plan: &str) -> rquickjs::Result<()> {
        Tools::of(&self.ctx)?.get(Tool::Bind)?.call((namespace, plan))
    }

    /// Keeps the plugin's functions.
    fn keep(&self) -> rquickjs::Result<()> {
        let entries: Vec<Value<'js>> = Tools::of(&self.ctx)?.get(Tool::Entries)?.call(())?;
        keep_entries(&self.ctx, entries)
    }
}

impl Offer {
    /// From what the prelude says.
    pub(crate) fn read(said: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Said {
            info: serde_json::Value,
            actions: Vec<Action>,
            hooks: Vec<String>,
        }
        #[derive(Deserialize)]
        struct Action {
            name: ActionName,
            raw: bool,
            plain: bool,
            declared: bool,
        }
        let said: Said = serde_json::from_str(said).map_err(|error| {
            Error::new(ErrorCode::NotAPlugin, format!("what the plugin offers cannot be used: {error}"))
                .remedy("see contract/js.md for the shape of a plugin")
        })?;
        let hooks: Vec<Hook> = said.hooks.iter().filter_map(|name| Hook::from_name(name)).collect();
        let place = |action: &Action| json!({ "name": action.name, "raw": action.raw, "declared": action.declared });
        let spelled: Vec<_> = hooks.iter().map(|hook| [hook.name(), hook.camel_case()]).collect();
        let plan = json!({ "actions": said.actions.iter().map(place).collect::<Vec<_>>(), "hooks": spelled });
        Ok(Self {
            plan: plan.to_string(),
            info: said.info.to_string().into_bytes(),
            manners: said.actions.iter().map(|action| Manner { raw: action.raw, plain: action.plain }).collect(),
            actions: said.actions.into_iter().map(|action| action.name).collect(),
            hooks,
        })
    }

    /// What the plugin says of itself.
    pub(crate) fn described(&self) -> Result<PluginInfo> {
        serde_json::from_slice(&self.info).map_err(|error| {
            Error::new(ErrorCode::NotAPlugin, format!("the plugin's `info` is not what it should be: {error}"))
                .remedy("see PluginInfo in sdk/js/index.d.ts for its fields")
        })
    }

    #[inline]
    pub(crate) fn manner(&self, action: u32) -> Result<Manner> {
        self.manners
            .get(action as usize)
            .copied()
            .ok_or_else(|| Error::new(ErrorCode::ActionNotFound, format!("there is no action number {action}")))
    }
}

/// What goes wrong while a module is evaluated makes it no plugin; limits, deadlines and refused imports keep their names.
fn at_load(main: &str, error: Error) -> Error {
    if !matches!(error.code(), ErrorCode::Panicked | ErrorCode::PluginError) {
        return error;
    }
    let record = error.record();
    let stack = record.data.get("stack").and_then(|stack| stack.as_str()).unwrap_or_default();
    let place = stack.lines().find_map(|line| line.trim().strip_prefix("at "));
    let place = place.map(|place| place.rsplit_once('(').map_or(place, |(_, inner)| inner.trim_end_matches(')')));
    let message = match place {
        Some(place) => format!("{place}: {}", record.message),
        None => format!("{main}: {}", record.message),
    };
    record
        .data
        .iter()
        .fold(Error::new(ErrorCode::NotAPlugin, message), |error, (key, value)| error.with(key, value.clone()))
        .remedy("correct the source; see contract/js.md for the shape of a plugin")
}
