//! The runtime: reads a plugin's modules, evaluates them and learns what they offer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use midplane_contract::{Code as ErrorCode, Error, Hook, Limit, Limits, Placement, Result, RuntimeKind, defaults};
use midplane_kernel::{Code, CodeFacts, LoadRequest, Runtime, Scope};
use serde_json::{Map, Value, json};

use crate::code::{JsCode, Offer, Terms};
use crate::config::JsConfig;
use crate::sources::Sources;

/// Runs JavaScript and TypeScript in this process. It has no state of its own: each instance has an engine for itself.
#[derive(Debug, Default)]
pub struct JsRuntime {
    config: JsConfig,
}

impl JsRuntime {
    /// A runtime with these settings.
    #[must_use]
    pub fn new(config: JsConfig) -> Self {
        Self { config }
    }
}

impl Runtime for JsRuntime {
    fn serves(&self) -> (RuntimeKind, Placement) {
        (RuntimeKind::Js, Placement::InProcess)
    }

    /// Memory, stack, time and payloads are held. Plugins have no threads, files or sockets of their own.
    fn unenforceable(&self, limits: &Limits) -> Vec<&'static str> {
        limits.set_among(&[Limit::Cpu, Limit::NetworkIo, Limit::Connections])
    }

    fn load(&self, request: &LoadRequest) -> Result<Arc<dyn Code>> {
        let terms = self.terms(request)?;
        let (engine, said) = terms.make(|run, namespace| run.shape(namespace))?;
        let offer = Offer::read(&said)?;
        // The runtime itself keeps the configuration and ends what `onStart` began, whichever hooks the plugin has.
        let mut hooks = offer.hooks.clone();
        hooks.extend([Hook::Init, Hook::Stop, Hook::ConfigChanged].iter().filter(|hook| !offer.hooks.contains(hook)));
        let facts = CodeFacts {
            info: offer.described()?,
            actions: offer.actions.to_vec(),
            hooks,
            build_id: terms.sources.hash(),
            stays_loaded: None,
            details: details(&terms),
        };
        Ok(Arc::new(JsCode { terms, facts, offer: Arc::new(offer), first: Mutex::new(Some(engine)) }))
    }
}

impl JsRuntime {
    fn terms(&self, request: &LoadRequest) -> Result<Terms> {
        let folder = request.folder.canonicalize().map_err(|error| {
            Error::new(ErrorCode::Io, format!("{} cannot be reached", request.folder.display()))
                .remedy("check the plugin's folder and who may read it")
                .caused_by(&error)
        })?;
        let main = request.main.canonicalize().ok();
        let main = main.as_deref().and_then(|main| main.strip_prefix(&folder).ok()).ok_or_else(|| {
            Error::new(ErrorCode::NotAPlugin, format!("{} is not in the plugin's folder", request.main.display()))
                .remedy("put the file itself into the folder and name it in `entry.main`")
        })?;
        let hook_time = request.limits.hook_deadline_ms.map_or(defaults::HOOK_DEADLINE, Duration::from_millis);
        Ok(Terms {
            plugin: request.manifest.id.clone(),
            main: main.to_string_lossy().replace('\\', "/"),
            sources: Arc::new(Sources::new(&folder, &self.config)),
            config: self.config.clone(),
            memory: request.limits.memory.unwrap_or(self.config.memory),
            start: Scope::within(hook_time),
        })
    }
}

fn details(terms: &Terms) -> Map<String, Value> {
    let all = json!({ "engine": "quickjs", "modules": terms.sources.names(), "memory_limit": terms.memory });
    match all {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
