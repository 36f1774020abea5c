//! What an operator can set.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use midplane_contract::defaults;
use serde::Deserialize;

/// The settings of connect-back. Times are in milliseconds where they are written down, sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The address to listen on; by default only this machine reaches it.
    pub host: IpAddr,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// Web origins whose pages may connect, as browsers write them: `https://tool.example`, `http://localhost:8080`, and
    /// `null` for files. None unless it is set. Programs that are no browsers send no origin and need none.
    pub origins: Vec<String>,
    /// Plugins that can be connected at once.
    pub plugins: usize,
    /// Connections that can be on their way in at once.
    pub arrivals: usize,
    /// Largest message of a registered plugin.
    pub message: usize,
    /// How long a plugin has from its first byte to the end of its registration.
    #[serde(with = "millis")]
    pub admission: Duration,
    /// How long a write may go without getting anywhere.
    #[serde(with = "millis")]
    pub timeout: Duration,
    /// A plugin of which nothing was heard for so long is disconnected. It is pinged three times in that time.
    #[serde(with = "millis")]
    pub heartbeat: Duration,
    /// Time between two health checks in the background.
    #[serde(with = "millis")]
    pub health: Duration,
    /// How long after a connection has ended its plugin may come again with the token that it was given with its
    /// registration; 0 hands out none.
    #[serde(with = "millis")]
    pub renewal: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: defaults::CONNECT_PORT,
            origins: Vec::new(),
            plugins: defaults::CONNECTED_PLUGINS,
            arrivals: 64,
            message: defaults::TEXT_LINE,
            admission: defaults::HOOK_DEADLINE,
            timeout: defaults::CONNECT_TIMEOUT,
            heartbeat: defaults::HEARTBEAT_TIMEOUT,
            health: defaults::HEALTH_INTERVAL,
            renewal: defaults::CONNECT_RENEWAL,
        }
    }
}

impl Settings {
    /// Host and port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }
}

mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_written_has_the_contracts_number() {
        let settings: Settings = serde_json::from_str(r#"{"port": 0, "heartbeat": 1500}"#).unwrap();
        assert_eq!(settings.heartbeat, Duration::from_millis(1500));
        assert_eq!((settings.plugins, settings.timeout), (50, Duration::from_secs(30)));
        assert!(settings.host.is_loopback() && settings.origins.is_empty());
        assert!(serde_json::from_str::<Settings>(r#"{"hosts": 1}"#).is_err());
    }
}
