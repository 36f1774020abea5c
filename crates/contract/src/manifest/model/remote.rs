//! Where a remote plugin's service is, and how to talk to it.

use serde::{Deserialize, Serialize};

/// Where a remote plugin's service is, and how to talk to it. It stands in `entry`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RemoteSpec {
    /// Addresses of the service: `grpc://host:port` in the clear, `grpcs://host:port` with TLS. Empty means that `main`
    /// is one, or the name of a file in the plugin's folder that lists them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
    /// What the addresses mean.
    pub discovery: Discovery,
    /// Certificates of `grpcs` addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSpec>,
    /// Numbers that differ from the contract's.
    #[serde(skip_serializing_if = "ConnectionSpec::is_empty")]
    pub connection: ConnectionSpec,
}

impl RemoteSpec {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What the addresses of a remote plugin mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Discovery {
    /// Each is one endpoint.
    #[default]
    Static,
    /// Each is a name whose records are the endpoints: SRV where no port is written, A and AAAA where one is. Looked up
    /// again every 30 s.
    Dns,
}

/// Certificates. Paths are relative to the plugin's folder and inside it; the files are PEM.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TlsSpec {
    /// The authority that must have signed the service's certificate; `None` means those that the system trusts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// The certificate that the host shows, with its chain; needs `key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<String>,
    /// Its private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The name that the service's certificate must bear; `None` means the address's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
}

/// Numbers of a connection to a remote plugin; `None` means the contract's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConnectionSpec {
    /// Longest time to dial, and then again to ask who is there, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dial_ms: Option<u64>,
    /// Milliseconds between two keep-alive pings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_alive_ms: Option<u64>,
    /// Milliseconds that one of them may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_alive_timeout_ms: Option<u64>,
    /// Milliseconds between two health checks of an endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe_interval_ms: Option<u64>,
    /// How often a call of an idempotent action is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// Milliseconds between two tries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_pause_ms: Option<u64>,
    /// Largest message, in bytes, both ways.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<u64>,
}

impl ConnectionSpec {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
