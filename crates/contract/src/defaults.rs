//! Every default number of the contract, in one place. Each can be configured for the host and per plugin.

use std::time::Duration;

/// Longest time of a call.
pub const CALL_DEADLINE: Duration = Duration::from_secs(30);
/// Longest time of a lifecycle hook.
pub const HOOK_DEADLINE: Duration = Duration::from_secs(10);
/// Longest time of a health probe.
pub const PROBE_DEADLINE: Duration = Duration::from_secs(5);
/// Time between two pings.
pub const PING_INTERVAL: Duration = Duration::from_secs(10);
/// Time between two health checks.
pub const HEALTH_INTERVAL: Duration = Duration::from_secs(30);
/// Time between two scans of the plugin folders.
pub const RESCAN_INTERVAL: Duration = Duration::from_secs(60);
/// Plugins loaded at once.
pub const CONCURRENT_LOADS: usize = 5;
/// Longest search for versions that go together.
pub const RESOLVE_DEADLINE: Duration = Duration::from_secs(10);
/// Restarts allowed within [`RESTART_WINDOW`].
pub const RESTARTS: u32 = 3;
/// The window that [`RESTARTS`] counts in.
pub const RESTART_WINDOW: Duration = Duration::from_secs(60);
/// Time that calls in flight get when the host ends.
pub const SHUTDOWN_DRAIN: Duration = Duration::from_secs(10);
/// Largest payload of a call, request or reply, in bytes.
pub const PAYLOAD_CAP: usize = 64 * 1024 * 1024;
/// Payload bytes in one wire frame at most.
pub const WIRE_CHUNK: usize = 256 * 1024;
/// Bytes of a wire frame's header at most.
pub const WIRE_HEADER: usize = 64 * 1024;
/// Calls waiting for a plugin at most; one more is `overloaded`.
pub const QUEUE_PER_PLUGIN: usize = 1024;
/// Events waiting for a subscriber at most.
pub const QUEUE_PER_SUBSCRIBER: usize = 1024;
/// Depth of nested calls at most.
pub const CALL_DEPTH: usize = 32;
/// Linear memory of a WebAssembly instance, in bytes.
pub const WASM_MEMORY: u64 = 64 * 1024 * 1024;
/// WebAssembly instances of one plugin at most.
pub const WASM_INSTANCES: u32 = 20;
/// Longest time to dial a remote plugin, and then again to ask who is there.
pub const GRPC_DIAL: Duration = Duration::from_secs(10);
/// Time between two keep-alive pings of a connection to a remote plugin, with and without calls.
pub const GRPC_KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Longest time of one of them.
pub const GRPC_KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(3);
/// Largest message from and to a remote plugin, in bytes.
pub const GRPC_MESSAGE: usize = 4 * 1024 * 1024;
/// How often a call of an idempotent action of a remote plugin is tried again.
pub const GRPC_RETRIES: u32 = 3;
/// Time between two tries.
pub const GRPC_RETRY_PAUSE: Duration = Duration::from_secs(1);
/// Port on which plugins may connect to the host.
pub const CONNECT_PORT: u16 = 7420;
/// Longest line or message of the text protocol, in bytes: the payload cap in base64, and room.
pub const TEXT_LINE: usize = 96 * 1024 * 1024;
/// Plugins connected to the host at once.
pub const CONNECTED_PLUGINS: usize = 50;
/// A connected plugin of which nothing was heard for so long is gone.
pub const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a read or write on a plugin's connection may go without getting anywhere.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long after its connection has ended a plugin may come again by itself.
pub const CONNECT_RENEWAL: Duration = Duration::from_secs(300);
/// Fetches of one plugin at once; more wait for their turn.
pub const FETCHES_PER_PLUGIN: usize = 32;
/// Redirects that one fetch follows.
pub const FETCH_REDIRECTS: usize = 10;
/// Earlier versions kept for rollback.
pub const KEPT_VERSIONS: usize = 5;
/// Longest log line of a plugin, in bytes; the rest is cut off and said to be so.
pub const LOG_LINE: usize = 16 * 1024;
/// Lines of a plugin that are logged in a second at most; the rest is counted and the count is logged.
pub const LOG_LINES: u32 = 1_000;
/// Bytes of them at most.
pub const LOG_BYTES: usize = 1024 * 1024;
/// Refused connections that are logged in a second at most; the rest is counted and the count is logged.
pub const LOGGED_REFUSALS: u32 = 10;
/// Share of failed calls at which a plugin counts as unhealthy.
pub const UNHEALTHY_ERROR_RATE: f64 = 0.10;
/// Errors in one minute above which a plugin fails.
pub const ERRORS_PER_MINUTE: u32 = 10;
/// Bytes that a plugin may keep in its state, keys and values together.
pub const STATE_BYTES: u64 = 10 * 1024 * 1024;
/// Keys that a plugin may keep in its state.
pub const STATE_KEYS: u64 = 10_000;
/// Longest key of a plugin's state, in bytes.
pub const STATE_KEY: usize = 512;
/// Series of measurements of one plugin.
pub const METRIC_SERIES: usize = 1000;
/// Largest manifest, in bytes.
pub const MANIFEST_SIZE: usize = 1024 * 1024;
/// Deepest nesting in a manifest.
pub const MANIFEST_DEPTH: usize = 64;
