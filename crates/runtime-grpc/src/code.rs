//! A remote plugin's code: nothing but its endpoints.

use std::sync::Arc;

use midplane_contract::Result;
use midplane_kernel::{Code, CodeFacts, Instance, InstanceContext};
use serde_json::{Map, Value};

use crate::dialect::Dialect;
use crate::fleet::{Fleet, Manner};
use crate::greet::Offer;
use crate::instance::GrpcInstance;

/// One generation of a remote plugin.
pub(crate) struct GrpcCode {
    fleet: Arc<Fleet>,
    facts: CodeFacts,
    manners: Arc<[Manner]>,
}

impl GrpcCode {
    pub(crate) fn new(fleet: Fleet, offer: &Offer, manifest: &midplane_contract::Manifest) -> Self {
        let info = offer.info.clone();
        let says = |name: &str| manifest.actions.iter().any(|action| action.idempotent && action.name.as_str() == name);
        let manners = info.actions.iter().enumerate().map(|(at, action)| Manner {
            idempotent: action.idempotent || says(action.name.as_str()),
            streamed: offer.streamed.get(at).copied().unwrap_or(false),
        });
        let manners = manners.collect();
        let service = match offer.dialect {
            Dialect::Midplane => "midplane.plugin.v1.Plugin",
            Dialect::Musicfox => "musicfox.plugin.PluginService",
        };
        let mut details = Map::new();
        details.insert("service".to_owned(), service.into());
        details.insert("discovery".to_owned(), fleet.discovery.into());
        let version = if info.version.is_empty() { &fleet.session.version } else { &info.version };
        let facts = CodeFacts {
            actions: info.actions.iter().map(|action| action.name.clone()).collect(),
            hooks: offer.hooks.clone(),
            // Nobody can look into a service; it is what it says it is.
            build_id: format!("{service} {version}"),
            stays_loaded: None,
            details,
            info,
        };
        Self { manners, fleet: Arc::new(fleet), facts }
    }
}

impl Code for GrpcCode {
    fn facts(&self) -> &CodeFacts {
        &self.facts
    }

    fn details(&self) -> Map<String, Value> {
        let mut details = self.facts.details.clone();
        let endpoints = self.fleet.endpoints().iter().map(|endpoint| endpoint.details()).collect();
        details.insert("endpoints".to_owned(), Value::Array(endpoints));
        details
    }

    fn instantiate(&self, context: InstanceContext) -> Result<Box<dyn Instance>> {
        let hooks = self.facts.hooks.clone();
        Ok(Box::new(GrpcInstance::new(Arc::clone(&self.fleet), Arc::clone(&self.manners), hooks, context)))
    }
}
