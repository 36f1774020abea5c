//! The permissions that the host API itself asks for.

use std::borrow::Cow;

use crate::HostFunction;

/// A permission of the host API.
#[derive(Debug, Clone, Copy)]
pub struct HostPermission {
    /// `area.verb`.
    pub name: &'static str,
    /// What a target is; empty where there is none.
    pub target: &'static str,
    /// What it allows, for people.
    pub about: &'static str,
}

macro_rules! permissions {
    ($($name:literal, $target:literal, $about:literal;)+) => {
        /// Every permission of the host API. An application may have more of its own (`media.encode`).
        pub const HOST_PERMISSIONS: &[HostPermission] =
            &[$(HostPermission { name: $name, target: $target, about: $about }),+];
    };
}

permissions! {
    "plugin.call", "PLUGIN/ACTION", "call actions of other plugins";
    "service.find", "INTERFACE", "ask who provides an interface";
    "service.call", "INTERFACE", "call whoever provides an interface";
    "state.read", "KEY", "read the plugin's own state";
    "state.write", "KEY", "change the plugin's own state";
    "bus.publish", "TOPIC", "publish events and ask topics";
    "bus.subscribe", "TOPIC", "receive events";
    "network.http", "URL", "fetch web addresses through the host";
    "file.read", "PATH", "read files";
    "file.write", "PATH", "write files";
    "secret.read", "NAME", "read secrets";
    "metrics.write", "NAME", "report metrics";
    "process.spawn", "PROGRAM", "start programs";
    "env.read", "NAME", "read environment variables of the host";
}

/// Whether the host API asks for a permission of this `area.verb`.
#[must_use]
pub fn is_host_permission(name: &str) -> bool {
    HOST_PERMISSIONS.iter().any(|known| known.name == name)
        || name.strip_suffix(".*").is_some_and(|area| {
            HOST_PERMISSIONS.iter().any(|known| known.name.split_once('.').is_some_and(|(known, _)| known == area))
        })
}

/// The `area.verb` that a host function needs; `None` for those that every plugin may use.
#[must_use]
pub fn required(function: HostFunction) -> Option<&'static str> {
    use HostFunction as F;
    match function {
        F::Log | F::ConfigGet | F::BusUnsubscribe | F::TimeNow | F::TimeMonotonic | F::Random => None,
        F::StateGet | F::StateList => Some("state.read"),
        F::StateSet | F::StateCompareAndSet | F::StateDelete => Some("state.write"),
        F::BusPublish | F::BusRequest => Some("bus.publish"),
        F::BusSubscribe => Some("bus.subscribe"),
        F::Call => Some("plugin.call"),
        F::ServiceFind => Some("service.find"),
        F::ServiceCall => Some("service.call"),
        F::HttpFetch => Some("network.http"),
        F::MetricsCount | F::MetricsGauge | F::MetricsObserve => Some("metrics.write"),
        F::SecretGet => Some("secret.read"),
    }
}

/// Names of host functions in the place of the permission that they need.
pub(super) fn canonical<'a>(area: &'a str, verb: &'a str) -> (&'a str, &'a str) {
    match (area, verb) {
        ("http", "fetch") => ("network", "http"),
        ("events", "emit") | ("bus", "request") => ("bus", "publish"),
        ("state", "get" | "list") => ("state", "read"),
        ("state", "set" | "delete" | "compare_and_set") => ("state", "write"),
        ("secret", "get") => ("secret", "read"),
        ("metrics", "count" | "gauge" | "observe") => ("metrics", "write"),
        other => other,
    }
}

/// The one spelling of a target: events of modules are those of plugins.
pub(super) fn target<'a>(area: &str, target: &'a str) -> Cow<'a, str> {
    match target.strip_prefix("module.") {
        Some(rest) if area == "bus" => Cow::Owned(format!("plugin.{rest}")),
        _ => Cow::Borrowed(target),
    }
}
