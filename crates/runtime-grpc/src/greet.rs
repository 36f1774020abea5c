//! Who answers at an endpoint, and what it offers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use midplane_contract::{ActionName, ActionSpec, Code, Error, Hook, PluginInfo, Result};
use midplane_kernel::Scope;
use serde_json::Value;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::dialect::{self, Dialect};
use crate::link::{Link, Msg};
use crate::metadata::metadata;
use crate::proto::v1;
use crate::session::Session;
use crate::status;

/// The capability that says that a service asks its host for something.
const ASKS: &str = "host";

/// What an endpoint offers.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) dialect: Dialect,
    pub(crate) info: PluginInfo,
    /// Which of the actions are always called through streams, by their positions in `info.actions`.
    pub(crate) streamed: Vec<bool>,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// What there is to know of each capability.
    pub(crate) capability_config: BTreeMap<String, Value>,
    /// Whether it asks its host for something.
    pub(crate) asks: bool,
}

/// A connection to an endpoint that was asked who it is.
pub(crate) struct Peer {
    pub(crate) link: Link,
    pub(crate) offer: Offer,
}

/// Asks whether the service serves, who it is and what it offers.
pub(crate) async fn greet(link: Link, session: &Session) -> Result<Peer> {
    let time = session.settings.dial;
    if !serves(&link, time).await? {
        return Err(not_serving(&link.name));
    }
    let offer = match midplane(&link, session, time).await {
        Err(error) if dialect::is_absent(&error) => match dialect::musicfox(&link, session, time).await {
            // Of two services that are not there the first is the one to name.
            Err(other) if dialect::is_absent(&other) => return Err(error),
            other => other?,
        },
        other => other?,
    };
    Ok(Peer { link, offer })
}

/// Whether the standard health service says SERVING.
pub(crate) async fn serves(link: &Link, time: Duration) -> Result<bool> {
    let reply: Result<HealthCheckResponse, _> =
        link.unary("/grpc.health.v1.Health/Check", HealthCheckRequest::default(), Default::default(), Some(time)).await;
    match reply {
        Ok(reply) => Ok(reply.status() == ServingStatus::Serving),
        Err(status) => Err(match link.fate_behind(&status).await {
            Some(fate) => fate,
            None => status::error_of(&status, &link.name, "grpc.health.v1.Health/Check"),
        }),
    }
}

pub(crate) fn not_serving(name: &str) -> Error {
    Error::new(Code::NotRunning, format!("{name} says that it is not SERVING"))
        .remedy("start what the service needs; the host asks again by itself")
        .with("endpoint", name)
}

/// Asking a service about itself, before it is anybody's plugin.
pub(crate) struct Introduction<'a> {
    pub(crate) link: &'a Link,
    pub(crate) session: &'a Session,
    /// How long each answer may take.
    pub(crate) time: Duration,
}

impl Introduction<'_> {
    /// Asks the method at `/SERVICE/METHOD`.
    pub(crate) async fn ask<Q: Msg, R: Msg>(&self, path: &'static str, request: Q) -> Result<R> {
        let method = path.rsplit('/').next().unwrap_or_default();
        let metadata = metadata(self.session, method, self.session.number(), &Scope::default());
        let reply = self.link.unary(path, request, metadata, Some(self.time)).await;
        reply.map_err(|status| status::error_of(&status, &self.link.name, method))
    }
}

/// The capabilities that a service names in either of its answers, each once.
pub(crate) fn united(of_info: Vec<String>, offered: Vec<String>) -> Vec<String> {
    of_info.into_iter().chain(offered).collect::<BTreeSet<_>>().into_iter().collect()
}

async fn midplane(link: &Link, session: &Session, time: Duration) -> Result<Offer> {
    let service = Introduction { link, session, time };
    let info: v1::PluginInfo = service.ask("/midplane.plugin.v1.Plugin/GetInfo", v1::GetInfoRequest {}).await?;
    let offered: v1::Capabilities =
        service.ask("/midplane.plugin.v1.Plugin/GetCapabilities", v1::GetCapabilitiesRequest {}).await?;
    let metadata = info.metadata.into_iter().collect();
    let asks = offered.capabilities.iter().any(|name| name == ASKS);
    let capabilities = united(info.capabilities, offered.capabilities);
    let streamed = offered.actions.iter().map(|action| action.stream).collect();
    let actions = offered.actions.into_iter().map(|action| spec(action, &link.name)).collect::<Result<_>>()?;
    let mut hooks = dialect::LIFE.to_vec();
    hooks.extend(
        offered.hooks.iter().filter_map(|name| Hook::from_name(name)).filter(|hook| !dialect::LIFE.contains(hook)),
    );
    let info = PluginInfo {
        id: info.id,
        name: info.name,
        version: info.version,
        description: info.description,
        author: info.author,
        capabilities,
        actions,
        ..PluginInfo::default()
    };
    let json = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
    Ok(Offer {
        dialect: Dialect::Midplane,
        info,
        streamed,
        hooks,
        metadata,
        capability_config: offered.capability_config.into_iter().map(|(name, text)| (name, json(text))).collect(),
        asks,
    })
}

fn spec(action: v1::Action, endpoint: &str) -> Result<ActionSpec> {
    let name = ActionName::new(&action.name).map_err(|error| {
        Error::new(Code::NotAPlugin, format!("{endpoint} offers an action whose name is none: {error}"))
            .remedy("rename it in the service's capabilities")
    })?;
    let schema = |text: &str| serde_json::from_str::<Value>(text).ok();
    Ok(ActionSpec {
        description: Some(action.description).filter(|text| !text.is_empty()),
        input: schema(&action.input_schema),
        output: schema(&action.output_schema),
        idempotent: action.idempotent,
        deadline_ms: Some(action.deadline_ms).filter(|time| *time > 0),
        ..ActionSpec::named(name)
    })
}

impl Offer {
    /// Whether another endpoint offers what this one does.
    ///
    /// # Errors
    /// `build_id_mismatch` with what is different.
    pub(crate) fn covers(&self, wanted: &Self, endpoint: &str) -> Result<()> {
        let differs = |what: String| {
            Error::new(
                Code::BuildIdMismatch,
                format!("{endpoint} does not offer what the plugin's other endpoints do: {what}"),
            )
            .remedy("run the same version of the service at every endpoint, or reload the plugin")
            .with("endpoint", endpoint)
        };
        for action in &wanted.info.actions {
            if !self.info.actions.iter().any(|own| own.name == action.name) {
                return Err(differs(format!("the action `{}` is missing", action.name)));
            }
        }
        if let Some(hook) = wanted.hooks.iter().find(|hook| !self.hooks.contains(hook)) {
            return Err(differs(format!("the hook `{hook}` is missing")));
        }
        Ok(())
    }
}
