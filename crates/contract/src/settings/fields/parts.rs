//! The sections that are about the host as a whole, or about the host and single plugins alike.

use crate::manifest::shapes::{COUNT, DURATION, FILLED, SIZE, TEXTS};
use crate::reading::rule::Rule;
use crate::reading::shape::{Field, Shape, may};
use crate::reading::{FaultCode, Words};

const MANY: Shape = Shape::Whole(0, u32::MAX as u64);

pub(super) const SCANNING: &[Field] =
    &[may("auto", Shape::Flag, "Look again from time to time"), may("interval", DURATION, "Time between two scans")];

pub(super) const LOADING: &[Field] = &[
    may("auto", Shape::Flag, "Load what is found unasked"),
    may("timeout", DURATION, "Longest time of a load, its hooks among it"),
    may("concurrent", COUNT, "Plugins loaded at once"),
];

pub(super) const RELOADING: &[Field] = &[
    may("auto", Shape::Flag, "Replace a running plugin when its files change"),
    may("delay", DURATION, "How long files have to rest first"),
    may("retries", MANY, "How often a reload that failed is tried again"),
];

pub(super) const RESTARTING: &[Field] = &[
    may("auto", Shape::Flag, "Restart what has failed"),
    may("attempts", MANY, "Restarts within the window; then the plugin is quarantined"),
    may("window", DURATION, "The time that the restarts are counted in"),
];

pub(super) const HEALTH: &[Field] = &[
    may("interval", DURATION, "Time between two health checks"),
    may("timeout", DURATION, "Longest time of a probe"),
    may("ping", DURATION, "Time between two pings"),
    may("error_rate", Shape::Share(1.0), "Share of failed calls at which a plugin is unhealthy"),
    may("errors_per_minute", COUNT, "Errors in a minute above which a plugin fails"),
];

const WASM: &[Field] =
    &[may("memory", SIZE, "Linear memory of an instance"), may("instances", COUNT, "Instances of a plugin at most")];

pub(super) const RUNTIMES: &[Field] = &[may("wasm", Shape::Object(WASM), "WebAssembly")];

pub(super) const WIRE: &[Field] = &[
    may("chunk", SIZE, "Payload bytes in one frame at most"),
    may("header", SIZE, "Bytes of a frame's header at most"),
];

pub(super) const REMOTE: &[Field] = &[
    may("dial", DURATION, "Longest time to dial"),
    may("keep_alive", DURATION, "Time between two keep-alive pings"),
    may("keep_alive_timeout", DURATION, "Longest time of one of them"),
    may("message", SIZE, "Largest message, both ways"),
    may("retries", MANY, "How often a call of an idempotent action is tried again"),
    may("retry_pause", DURATION, "Time between two tries"),
];

pub(super) const LISTEN: &[Field] = &[
    may("host", FILLED, "The address to listen on; by default only this machine reaches it"),
    may("port", Shape::Whole(0, 65_535), "The port; 0 takes a free one"),
    may("origins", TEXTS, "Origins whose pages may connect, and `null` for files"),
    may("plugins", COUNT, "Plugins that can be connected at once"),
    may("arrivals", COUNT, "Connections that can be on their way in at once"),
    may("message", SIZE, "Largest message of a connected plugin"),
    may("admission", DURATION, "Longest time of a registration"),
    may("timeout", DURATION, "How long a write may go without getting anywhere"),
    may("heartbeat", DURATION, "A plugin of which nothing was heard for so long is disconnected"),
    may("health", DURATION, "Time between two health checks of connected plugins"),
    may("renewal", DURATION, "How long after its connection a plugin may come again by itself"),
];

pub(super) const SHUTDOWN: &[Field] = &[may("drain", DURATION, "Time that calls in flight get")];

static STRATEGIES: Words =
    Words { what: "version strategy", code: FaultCode::UnknownWord, words: &["semver", "exact", "latest"] };

pub(super) const VERSIONS: &[Field] = &[
    may("keep", COUNT, "Earlier versions kept for rollback"),
    may("rollback", Shape::Flag, "Go back to the version before when an update fails"),
    may("strategy", Shape::Word(&STRATEGIES), "How a version is chosen"),
    may("allow_prerelease", Shape::Flag, "Choose pre-releases as well"),
];

const ADAPTER: &[Field] = &[
    may("enabled", Shape::Flag, "Whether it may be used"),
    may("supported_formats", TEXTS, "Formats or endings that it may be used for; its own where empty"),
    may("runtime", FILLED, "The engine; each adapter has one, and another name is a warning"),
];

pub(super) const COMPATIBILITY: &[Field] = &[
    may("strict_mode", Shape::Flag, "Refuse a plugin that says nothing about where it runs"),
    may("enable_fallback", Shape::Flag, "Load what a plugin names instead where it cannot run"),
    may("auto_detect", Shape::Flag, "Look at the machine; without, only what the overrides say is known of it"),
    may("override_os", Shape::Text(Rule::Any), "The operating system to compare with; the machine's where empty"),
    may("override_arch", Shape::Text(Rule::Any), "The processor to compare with; the machine's where empty"),
    may("prefer_native", Shape::Flag, "Prefer native code among fallbacks"),
    may("allow_emulation", Shape::Flag, "Allow code for another processor where the machine emulates it"),
    may("max_fallback_attempts", MANY, "Fallbacks tried at most"),
    may(
        "adapters",
        Shape::Table(Rule::Filled, &Shape::Object(ADAPTER)),
        "Adapters by name: windows, linux, macos, process, wasm, script, remote, or the embedder's",
    ),
];

static STORES: Words = Words { what: "store", code: FaultCode::UnknownWord, words: &["file", "database", "redis"] };

pub(super) const STORE: &[Field] = &[
    may("kind", Shape::Word(&STORES), "file, database or redis"),
    may("path", FILLED, "The folder of the files, or the data folder of the database; the host's own where absent"),
    may("address", Shape::Text(Rule::Server), "HOST:PORT of the Redis server, or the path of its socket"),
    may("database", Shape::Whole(0, 65_535), "The number of the Redis database"),
    may("user", FILLED, "The user at the Redis server"),
    may("password", Shape::Text(Rule::Secret), "Where the password is: env:VARIABLE or file:PATH"),
    may("prefix", FILLED, "What every key begins with; hosts with the same one share configurations"),
    may("timeout", DURATION, "Longest time of one request"),
];
