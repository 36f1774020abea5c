//! How the host is reached, and how it reaches others.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::section;
use crate::defaults;
use crate::settings::units;

section! {
    /// The wire protocol.
    Wire {
        /// Payload bytes in one frame at most.
        #[serde(deserialize_with = "units::size::deserialize")]
        chunk: u64 = defaults::WIRE_CHUNK as u64,
        /// Bytes of a frame's header at most.
        #[serde(deserialize_with = "units::size::deserialize")]
        header: u64 = defaults::WIRE_HEADER as u64,
    }
}

section! {
    /// Connections to plugins that are services elsewhere.
    Remote {
        /// Longest time to dial.
        #[serde(with = "units::duration")]
        dial: Duration = defaults::GRPC_DIAL,
        /// Time between two keep-alive pings.
        #[serde(with = "units::duration")]
        keep_alive: Duration = defaults::GRPC_KEEP_ALIVE,
        /// Longest time of one of them.
        #[serde(with = "units::duration")]
        keep_alive_timeout: Duration = defaults::GRPC_KEEP_ALIVE_TIMEOUT,
        /// Largest message, in bytes.
        #[serde(deserialize_with = "units::size::deserialize")]
        message: u64 = defaults::GRPC_MESSAGE as u64,
        /// How often a call of an idempotent action is tried again.
        retries: u32 = defaults::GRPC_RETRIES,
        /// Time between two tries.
        #[serde(with = "units::duration")]
        retry_pause: Duration = defaults::GRPC_RETRY_PAUSE,
    }
}

section! {
    /// Plugins that connect to this host.
    Listen {
        /// The address to listen on.
        host: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST),
        /// The port; 0 takes a free one.
        port: u16 = defaults::CONNECT_PORT,
        /// Origins whose pages may connect.
        origins: Vec<String> = Vec::new(),
        /// Plugins that can be connected at once.
        plugins: usize = defaults::CONNECTED_PLUGINS,
        /// Connections that can be on their way in at once.
        arrivals: usize = 64,
        /// Largest message, in bytes.
        #[serde(deserialize_with = "units::size::deserialize")]
        message: u64 = defaults::TEXT_LINE as u64,
        /// Longest time of a registration.
        #[serde(with = "units::duration")]
        admission: Duration = defaults::HOOK_DEADLINE,
        /// How long a write may go without getting anywhere.
        #[serde(with = "units::duration")]
        timeout: Duration = defaults::CONNECT_TIMEOUT,
        /// A plugin of which nothing was heard for so long is disconnected.
        #[serde(with = "units::duration")]
        heartbeat: Duration = defaults::HEARTBEAT_TIMEOUT,
        /// Time between two health checks.
        #[serde(with = "units::duration")]
        health: Duration = defaults::HEALTH_INTERVAL,
        /// How long a plugin may come again by itself.
        #[serde(with = "units::duration")]
        renewal: Duration = defaults::CONNECT_RENEWAL,
    }
}
