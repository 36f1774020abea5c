//! The two services that a plugin may be, and how each is told what a plugin's life demands.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use midplane_contract::{Code, Error, Health, HealthStatus, Hook, PluginInfo, Result};
use serde_json::{Map, Value, json};

use crate::endpoint::{Ask, Endpoint};
use crate::greet::{Introduction, Offer, Peer, united};
use crate::link::Link;
use crate::proto::{musicfox, v1};
use crate::session::Session;
use crate::status;

/// The hooks that have a method of their own.
pub(crate) const LIFE: [Hook; 6] = [Hook::Init, Hook::Start, Hook::Stop, Hook::Cleanup, Hook::Health, Hook::Ping];

/// Which service a plugin is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `midplane.plugin.v1.Plugin`.
    Midplane,
    /// `musicfox.plugin.PluginService`: it lives and is described; its actions are services of their own.
    Musicfox,
}

/// Whether a method is not there at all.
pub(crate) fn is_absent(error: &Error) -> bool {
    error.code() == Code::NotSupported && error.record().data.get("grpc_status") == Some(&json!("UNIMPLEMENTED"))
}

/// A method that need not be there.
fn optional(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if is_absent(&error) => Ok(()),
        other => other,
    }
}

fn done(error: Option<v1::Error>) -> Result<()> {
    error.map_or(Ok(()), |error| Err(status::error_from(error)))
}

/// Begins the session with a configuration.
pub(crate) async fn initialize(endpoint: &Endpoint, peer: &Peer, ask: &Ask<'_>, config: &str) -> Result<()> {
    let session = &endpoint.session;
    let (plugin_id, version) = (session.plugin.to_string(), session.version.clone());
    let (success, message, error) = match peer.offer.dialect {
        Dialect::Midplane => {
            let generation = session.generation;
            let request = v1::InitializeRequest { config: config.to_owned(), plugin_id, version, generation };
            let path = "/midplane.plugin.v1.Plugin/Initialize";
            let reply: Result<v1::InitializeReply> = endpoint.unary(peer, path, request, ask).await;
            match reply {
                Err(error) if is_absent(&error) => return Ok(()),
                reply => reply.map(|reply| (reply.success, reply.message, reply.error))?,
            }
        }
        Dialect::Musicfox => {
            let request = musicfox::InitializeRequest { config: texts(config), plugin_id, version };
            let path = "/musicfox.plugin.PluginService/Initialize";
            let reply: musicfox::InitializeResponse = endpoint.unary(peer, path, request, ask).await?;
            (reply.success, reply.message, None)
        }
    };
    done(error)?;
    if success {
        return Ok(());
    }
    let message = if message.is_empty() { "the service does not say why".to_owned() } else { message };
    Err(Error::new(Code::PluginError, message).with("code", "initialize_refused"))
}

/// The values of a configuration as texts.
fn texts(config: &str) -> HashMap<String, String> {
    let config: Map<String, Value> = serde_json::from_str(config).unwrap_or_default();
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    config.into_iter().map(|(key, value)| (key, text(value))).collect()
}

/// A step of a life that has neither input nor answer.
pub(crate) async fn step(endpoint: &Endpoint, peer: &Peer, ask: &Ask<'_>, hook: Hook) -> Result<()> {
    const PLUGIN: [&str; 3] =
        ["/midplane.plugin.v1.Plugin/Start", "/midplane.plugin.v1.Plugin/Stop", "/midplane.plugin.v1.Plugin/Shutdown"];
    const SERVICE: [&str; 3] = [
        "/musicfox.plugin.PluginService/Start",
        "/musicfox.plugin.PluginService/Stop",
        "/musicfox.plugin.PluginService/Shutdown",
    ];
    let [start, stop, shutdown] = if peer.offer.dialect == Dialect::Midplane { PLUGIN } else { SERVICE };
    let path = match hook {
        Hook::Start => start,
        Hook::Stop => stop,
        _ => shutdown,
    };
    optional(match peer.offer.dialect {
        // The three replies are alike.
        Dialect::Midplane => {
            let reply: Result<v1::StartReply> = endpoint.unary(peer, path, v1::StartRequest {}, ask).await;
            reply.and_then(|reply| done(reply.error))
        }
        Dialect::Musicfox => endpoint.unary::<(), ()>(peer, path, (), ask).await,
    })
}

/// How the plugin is.
pub(crate) async fn health(endpoint: &Endpoint, peer: &Peer, ask: &Ask<'_>) -> Result<Health> {
    let (status, message, details) = match peer.offer.dialect {
        Dialect::Midplane => {
            let path = "/midplane.plugin.v1.Plugin/HealthCheck";
            let reply: Result<v1::HealthReport> = endpoint.unary(peer, path, v1::HealthCheckRequest {}, ask).await;
            let reply = match reply {
                Err(error) if is_absent(&error) => return Ok(Health::healthy()),
                reply => reply?,
            };
            done(reply.error)?;
            (reply.status, reply.message, reply.details)
        }
        Dialect::Musicfox => {
            let path = "/musicfox.plugin.PluginService/HealthCheck";
            let reply: musicfox::HealthResponse = endpoint.unary(peer, path, (), ask).await?;
            (reply.status, reply.message, String::new())
        }
    };
    use v1::health_report::Status;
    let mut details: Map<String, Value> = serde_json::from_str(&details).unwrap_or_default();
    let (status, word) = match Status::try_from(status).unwrap_or(Status::Unknown) {
        Status::Serving => (HealthStatus::Healthy, None),
        Status::Degraded => (HealthStatus::Degraded, None),
        Status::NotServing => (HealthStatus::Unhealthy, Some("NOT_SERVING")),
        Status::Unknown => (HealthStatus::Unhealthy, Some("UNKNOWN")),
        Status::ServiceUnknown => (HealthStatus::Unhealthy, Some("SERVICE_UNKNOWN")),
    };
    if let Some(word) = word {
        details.entry("status").or_insert(word.into());
    }
    if !message.is_empty() {
        details.entry("message").or_insert(message.into());
    }
    Ok(Health { status, details })
}

/// Every other hook. `None` when there is no such hook.
pub(crate) async fn hook(
    endpoint: &Endpoint,
    peer: &Peer,
    ask: &Ask<'_>,
    hook: Hook,
    input: &[u8],
) -> Result<Option<Vec<u8>>> {
    if peer.offer.dialect == Dialect::Musicfox {
        return Ok(None);
    }
    let request = v1::HookRequest { hook: hook.name().to_owned(), input: input.to_vec() };
    let reply: v1::HookReply = endpoint.unary(peer, "/midplane.plugin.v1.Plugin/Hook", request, ask).await?;
    done(reply.error)?;
    Ok((!reply.absent).then_some(reply.output))
}

/// What a service under the names of requirement 004 says of itself.
pub(crate) async fn musicfox(link: &Link, session: &Session, time: Duration) -> Result<Offer> {
    let service = Introduction { link, session, time };
    let info: musicfox::PluginInfo = service.ask("/musicfox.plugin.PluginService/GetInfo", ()).await?;
    let offered: musicfox::CapabilitiesResponse =
        service.ask("/musicfox.plugin.PluginService/GetCapabilities", ()).await?;
    let capabilities = united(info.capabilities, offered.capabilities);
    let shown = |any: prost_types::Any| json!({ "type": any.type_url, "bytes": any.value.len() });
    let config: BTreeMap<String, Value> =
        offered.capability_config.into_iter().map(|(name, any)| (name, shown(any))).collect();
    Ok(Offer {
        dialect: Dialect::Musicfox,
        info: PluginInfo {
            id: info.id,
            name: info.name,
            version: info.version,
            description: info.description,
            author: info.author,
            capabilities,
            ..PluginInfo::default()
        },
        streamed: Vec::new(),
        hooks: LIFE.to_vec(),
        metadata: info.metadata.into_iter().collect(),
        capability_config: config,
        asks: false,
    })
}
