//! What the settings say: plain structs, and every default of them.

mod limits;
mod listen;
mod plugin;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ServerAddress, units};
use crate::{PluginId, SecretRef, defaults};

pub use limits::HostLimits;
pub use listen::{Listen, Remote, Wire};
pub use plugin::PluginSettings;

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $kind:ty = $default:expr,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name { $($(#[$fdoc])* pub $field: $kind),+ }

        impl Default for $name {
            fn default() -> Self { Self { $($field: $default),+ } }
        }
    };
}
use section;

section! {
    /// The settings of a host.
    Settings {
        /// Folders with plugins, as written: `~` is expanded by whoever reads them. An earlier one shadows a later one.
        folders: Vec<String> = ["./plugins", "~/.midplane/plugins", "/usr/local/share/midplane/plugins"].map(str::to_owned).into(),
        /// Looking for plugins.
        scan: Scanning = Scanning::default(),
        /// Loading plugins.
        load: Loading = Loading::default(),
        /// Replacing plugins whose files change.
        reload: Reloading = Reloading::default(),
        /// Restarting plugins that fail.
        restart: Restarting = Restarting::default(),
        /// Asking plugins how they are.
        health: Health = Health::default(),
        /// What plugins may use where their manifests say nothing.
        limits: HostLimits = HostLimits::default(),
        /// Numbers of single runtimes.
        runtimes: Runtimes = Runtimes::default(),
        /// The wire protocol.
        wire: Wire = Wire::default(),
        /// Plugins that are services elsewhere.
        remote: Remote = Remote::default(),
        /// Plugins that connect.
        listen: Listen = Listen::default(),
        /// The end of the host.
        shutdown: Shutdown = Shutdown::default(),
        /// Versions of plugins.
        versions: Versions = Versions::default(),
        /// Plugins and the machine.
        compatibility: Compatibility = Compatibility::default(),
        /// Interfaces that providers are held to: files of definitions, and names of those that come along.
        interfaces: Vec<String> = Vec::new(),
        /// Where secrets are, by name.
        secrets: BTreeMap<String, SecretRef> = BTreeMap::new(),
        /// Where configurations that are changed at run time are kept; nowhere where absent.
        store: Option<ConfigStore> = None,
        /// What is decided about single plugins.
        plugins: BTreeMap<PluginId, PluginSettings> = BTreeMap::new(),
    }
}

section! {
    /// Looking for plugins.
    Scanning {
        /// Look again from time to time.
        auto: bool = true,
        /// Time between two scans.
        #[serde(with = "units::duration")]
        interval: Duration = defaults::RESCAN_INTERVAL,
    }
}

section! {
    /// Loading plugins.
    Loading {
        /// Load what is found unasked.
        auto: bool = false,
        /// Longest time of a load; the hooks' own limits where absent.
        #[serde(with = "units::option_duration")]
        timeout: Option<Duration> = None,
        /// Plugins loaded at once.
        concurrent: usize = defaults::CONCURRENT_LOADS,
    }
}

section! {
    /// Replacing plugins whose files change.
    Reloading {
        /// Replace a running plugin when its files change.
        auto: bool = false,
        /// How long files have to rest first.
        #[serde(with = "units::duration")]
        delay: Duration = Duration::from_secs(2),
        /// How often a reload that failed is tried again.
        retries: u32 = 3,
    }
}

section! {
    /// Restarting plugins that fail.
    Restarting {
        /// Restart what has failed.
        auto: bool = true,
        /// Restarts within the window.
        attempts: u32 = defaults::RESTARTS,
        /// The time that the restarts are counted in.
        #[serde(with = "units::duration")]
        window: Duration = defaults::RESTART_WINDOW,
    }
}

section! {
    /// Asking plugins how they are.
    Health {
        /// Time between two health checks.
        #[serde(with = "units::duration")]
        interval: Duration = defaults::HEALTH_INTERVAL,
        /// Longest time of a probe.
        #[serde(with = "units::duration")]
        timeout: Duration = defaults::PROBE_DEADLINE,
        /// Time between two pings.
        #[serde(with = "units::duration")]
        ping: Duration = defaults::PING_INTERVAL,
        /// Share of failed calls at which a plugin is unhealthy.
        error_rate: f64 = defaults::UNHEALTHY_ERROR_RATE,
        /// Errors in a minute above which a plugin fails.
        errors_per_minute: u32 = defaults::ERRORS_PER_MINUTE,
    }
}

section! {
    /// Numbers of single runtimes.
    Runtimes {
        /// WebAssembly.
        wasm: Wasm = Wasm::default(),
    }
}

section! {
    /// Numbers of WebAssembly.
    Wasm {
        /// Linear memory of an instance, in bytes.
        #[serde(deserialize_with = "units::size::deserialize")]
        memory: u64 = defaults::WASM_MEMORY,
        /// Instances of a plugin at most.
        instances: u32 = defaults::WASM_INSTANCES,
    }
}

section! {
    /// The end of the host.
    Shutdown {
        /// Time that calls in flight get.
        #[serde(with = "units::duration")]
        drain: Duration = defaults::SHUTDOWN_DRAIN,
    }
}

/// Which of the versions that fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// What is there already where it fits, else the highest.
    #[default]
    Semver,
    /// As `semver`, but a version without operator (`1.2.3`) means that one and no other.
    Exact,
    /// The highest, whatever is there already.
    Latest,
}

section! {
    /// Versions of plugins.
    Versions {
        /// Earlier versions kept for rollback.
        keep: usize = defaults::KEPT_VERSIONS,
        /// Go back when an update fails.
        rollback: bool = true,
        /// How a version is chosen.
        strategy: Strategy = Strategy::Semver,
        /// Choose pre-releases as well.
        allow_prerelease: bool = false,
    }
}

section! {
    /// Plugins and the machine.
    Compatibility {
        /// Refuse a plugin that says nothing about where it runs.
        strict_mode: bool = false,
        /// Load what a plugin names instead where it cannot run.
        enable_fallback: bool = true,
        /// Look at the machine. Without that, and without overrides, its system and processor are unknown.
        auto_detect: bool = true,
        /// The operating system to compare with; the machine's where empty.
        override_os: String = String::new(),
        /// The processor to compare with; the machine's where empty.
        override_arch: String = String::new(),
        /// Prefer native code among fallbacks.
        prefer_native: bool = true,
        /// Allow code for another processor.
        allow_emulation: bool = false,
        /// Fallbacks tried at most.
        max_fallback_attempts: u32 = 3,
        /// Adapters by name; one that is not listed is on, with its own formats.
        adapters: BTreeMap<String, AdapterSettings> = BTreeMap::new(),
    }
}

section! {
    /// What executes code of some formats.
    AdapterSettings {
        /// Whether it may be used.
        enabled: bool = true,
        /// The formats (`wasm`) or endings (`.wasm`) that it may be used for; its own where empty.
        supported_formats: Vec<String> = Vec::new(),
        /// The engine, where there is a choice.
        runtime: Option<String> = None,
    }
}

/// Which kind of store keeps configurations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// A folder with a file per plugin.
    #[default]
    File,
    /// The embedded database.
    Database,
    /// A Redis server, shared by hosts.
    Redis,
}

section! {
    /// Where configurations that are changed at run time are kept.
    ConfigStore {
        /// Which kind.
        kind: StoreKind = StoreKind::File,
        /// The folder of the files, or the data folder of the database.
        path: Option<PathBuf> = None,
        /// Where the Redis server is.
        address: Option<ServerAddress> = None,
        /// The number of the Redis database.
        database: u16 = 0,
        /// The user at the Redis server.
        user: Option<String> = None,
        /// Where the password is.
        password: Option<SecretRef> = None,
        /// What every key begins with.
        prefix: String = "midplane".to_owned(),
        /// Longest time of one request.
        #[serde(with = "units::duration")]
        timeout: Duration = Duration::from_secs(5),
    }
}
