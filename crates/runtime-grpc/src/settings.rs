//! The numbers of connections: the contract's, the host's, the plugin's.

use std::net::SocketAddr;
use std::time::Duration;

use midplane_contract::defaults;
use midplane_contract::manifest::ConnectionSpec;

/// Smallest message that a plugin may ask for: errors have to fit.
const LEAST_MESSAGE: usize = 16 * 1024;

/// How connections behave. The default is the contract's; a manifest's `entry.connection` overrides it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Longest time to dial, and then again to ask who is there.
    pub dial: Duration,
    /// Time between two keep-alive pings, with and without calls.
    pub keep_alive: Duration,
    /// Longest time of one of them.
    pub keep_alive_timeout: Duration,
    /// Time between two health checks of an endpoint.
    pub probe_interval: Duration,
    /// Longest time of one of them.
    pub probe_timeout: Duration,
    /// How often a call of an idempotent action is tried again.
    pub retries: u32,
    /// Time between two tries where no other endpoint is ready.
    pub retry_pause: Duration,
    /// Largest message both ways, in bytes.
    pub message: usize,
    /// Time before a lost endpoint is dialled again; it doubles with every failure, up to `redial_most`.
    pub redial: Duration,
    /// Longest of these times.
    pub redial_most: Duration,
    /// Longest time that a load waits for the rest of the endpoints when one is ready.
    pub rest: Duration,
    /// Time between two look-ups of names.
    pub lookup: Duration,
    /// Name servers that are asked for SRV records; empty means those of `/etc/resolv.conf`.
    pub name_servers: Vec<SocketAddr>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dial: defaults::GRPC_DIAL,
            keep_alive: defaults::GRPC_KEEP_ALIVE,
            keep_alive_timeout: defaults::GRPC_KEEP_ALIVE_TIMEOUT,
            probe_interval: defaults::PING_INTERVAL,
            probe_timeout: defaults::PROBE_DEADLINE,
            retries: defaults::GRPC_RETRIES,
            retry_pause: defaults::GRPC_RETRY_PAUSE,
            message: defaults::GRPC_MESSAGE,
            redial: Duration::from_millis(100),
            redial_most: Duration::from_secs(10),
            rest: Duration::from_secs(1),
            lookup: Duration::from_secs(30),
            name_servers: Vec::new(),
        }
    }
}

impl Settings {
    /// These settings with what a manifest says.
    pub(crate) fn with(&self, spec: &ConnectionSpec) -> Self {
        let time = |own: Option<u64>, otherwise: Duration| own.map_or(otherwise, Duration::from_millis);
        let message = spec.message.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        Self {
            dial: time(spec.dial_ms, self.dial),
            keep_alive: time(spec.keep_alive_ms, self.keep_alive),
            keep_alive_timeout: time(spec.keep_alive_timeout_ms, self.keep_alive_timeout),
            probe_interval: time(spec.probe_interval_ms, self.probe_interval),
            retries: spec.retries.unwrap_or(self.retries),
            retry_pause: time(spec.retry_pause_ms, self.retry_pause),
            message: message.unwrap_or(self.message).clamp(LEAST_MESSAGE, defaults::PAYLOAD_CAP),
            ..self.clone()
        }
    }

    /// Time before the dial after so many failures.
    pub(crate) fn pause(&self, failures: u32) -> Duration {
        let doubled = self.redial.saturating_mul(1_u32.checked_shl(failures.min(16)).unwrap_or(u32::MAX));
        let pause = doubled.min(self.redial_most);
        // Hosts that lost a service at the same moment do not come back at the same moment.
        let mut random = [0_u8; 1];
        let share = getrandom::fill(&mut random).map_or(0, |()| u32::from(random[0]));
        pause * (230 + share / 5) / 256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound() {
        let settings = Settings::default();
        assert!(settings.pause(0) < Duration::from_millis(120));
        assert!(settings.pause(3) > Duration::from_millis(600));
        for failures in [10, 31, 32, u32::MAX] {
            assert!((Duration::from_secs(8)..=Duration::from_millis(11_100)).contains(&settings.pause(failures)));
        }
    }

    #[test]
    fn a_manifest_overrides_the_host() {
        let spec = ConnectionSpec { retries: Some(7), message: Some(1), ..ConnectionSpec::default() };
        let settings = Settings::default().with(&spec);
        assert_eq!((settings.retries, settings.message), (7, LEAST_MESSAGE));
        assert_eq!(settings.dial, Duration::from_secs(10));
    }
}
