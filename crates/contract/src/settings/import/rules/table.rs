//! The table, by the section that a file has.

use super::Rule;
use super::Then::{Always, Grant, Item, No, Percent, To};

const fn rule(from: &'static str, then: super::Then) -> Rule {
    Rule { from, then }
}

const NOTICES: &str = "this version sends no notifications";
const PACKAGES: &str = "this version fetches no packages";
const METRICS: &str = "this version collects no metrics";
const UNHELD: &str = "this version cannot hold every plugin to it, and does not load one that it cannot hold to its limits; for \
                      those that it can: plugins.ID.limits";
const SYSCALLS: &str = "system calls are not chosen one by one";
const ORIGINS: &str = "where a plugin comes from is not looked at";
const MACHINE: &str = "what a machine must have is for the plugin's manifest to say";
const ENDINGS: &str = "what is a plugin is told by its manifest or its ending, which cannot be set";

/// The sections of files, and their rules; the first that matches counts.
pub(super) const SECTIONS: &[(&str, &[Rule])] = &[
    ("plugins", PLUGINS),
    ("hotload", HOTLOAD),
    ("dependency", DEPENDENCY),
    ("monitoring", MONITORING),
    ("compatibility", COMPATIBILITY),
    ("wasm_plugins", WASM_PLUGINS),
    ("migration_strategy", &[rule("**", No("it plans how people rebuild a program; no host goes by it"))]),
    ("module_manager", MODULE_MANAGER),
];

/// Plugins that stand at the top of a file, far from the section that they belong to.
pub(super) const LOOSE: &[Rule] = &[
    rule("*.enabled", To("plugins.*.enabled")),
    rule("*.priority", To("plugins.*.priority")),
    rule("*.config", To("plugins.*.config")),
];

const PLUGINS: &[Rule] = &[
    rule("directories", To("folders")),
    rule("auto_load.enabled", To("load.auto")),
    rule("auto_load.scan_interval", To("scan.interval")),
    rule("auto_load.load_timeout", To("load.timeout")),
    rule("hot_reload.enabled", To("reload.auto")),
    rule("hot_reload.watch_directories", Always(true, "reload.auto says it already")),
    rule("hot_reload.reload_delay", To("reload.delay")),
    rule("hot_reload.max_retries", To("reload.retries")),
    rule("hot_reload.backup_enabled", To("versions.rollback")),
    rule("security.signature_verification", Always(false, "this version verifies no signatures")),
    rule("security.sandbox_enabled", Always(false, "how a plugin is confined is decided for each: plugins.ID.trust")),
    rule(
        "security.allowed_capabilities",
        No("capabilities are an application's words; what a plugin may do is granted to each: plugins.ID.permissions"),
    ),
    rule("performance.max_concurrent_loads", To("load.concurrent")),
    rule("performance.memory_limit", To("limits.memory")),
    rule("performance.cpu_limit", No(UNHELD)),
    rule("plugin_configs.*.config", To("plugins.*.config")),
    rule("plugin_configs.*.*", To("plugins.*.*")),
    rule("plugin_configs.*.resources.min_memory_mb", No(MACHINE)),
    rule("plugin_configs.*.resources.requires_gpu", No(MACHINE)),
    rule("plugin_configs.*.security.allowed_syscalls", No(SYSCALLS)),
    rule("plugin_configs.*.security.trusted_sources", No(ORIGINS)),
    rule("plugin_configs.*.*.*", To("plugins.*.*.*")),
    // A file of settings has plugins under the same name.
    rule("*.config", To("plugins.*.config")),
    rule("*.*", To("plugins.*.*")),
    rule("*.resources.min_memory_mb", No(MACHINE)),
    rule("*.resources.requires_gpu", No(MACHINE)),
    rule("*.security.allowed_syscalls", No(SYSCALLS)),
    rule("*.security.trusted_sources", No(ORIGINS)),
];

const HOTLOAD: &[Rule] = &[
    rule("enabled", To("reload.auto")),
    rule("plugin_dir", Item("folders")),
    rule("check_interval", To("scan.interval")),
    rule("max_versions", To("versions.keep")),
    rule("enable_rollback", To("versions.rollback")),
    rule("validation_timeout", To("health.timeout")),
    rule("watch_patterns", No(ENDINGS)),
    rule("allowed_extensions", No(ENDINGS)),
    rule("max_file_size", No("the size of a plugin's file is not limited")),
    rule("load_timeout", To("load.timeout")),
    rule("validation_workers", No("a plugin is validated as part of its load; load.concurrent bounds both")),
    rule("notifications.**", No(NOTICES)),
];

const DEPENDENCY: &[Rule] = &[
    rule("registry.**", No(PACKAGES)),
    rule("cache.**", No(PACKAGES)),
    rule("download.**", No(PACKAGES)),
    rule("security.**", No(PACKAGES)),
    rule("versioning.strategy", To("versions.strategy")),
    rule("versioning.allow_prerelease", To("versions.allow_prerelease")),
    rule("versioning.max_versions_per_plugin", To("versions.keep")),
];

const MONITORING: &[Rule] = &[
    rule("enabled", No(METRICS)),
    rule("collect_interval", No(METRICS)),
    rule("retention_period", No(METRICS)),
    rule("prometheus.**", No(METRICS)),
    rule("alert_thresholds.error_rate_threshold", Percent("health.error_rate")),
    rule("alert_thresholds.**", No("this version raises no alerts; limits hold whether or not somebody is told")),
    rule("resource_limits.max_memory", To("limits.memory")),
    rule("resource_limits.max_cpu", No(UNHELD)),
    rule("resource_limits.max_goroutines", No(UNHELD)),
    rule("resource_limits.max_file_descriptors", To("limits.file_descriptors")),
    rule("resource_limits.max_network_connections", No(UNHELD)),
    rule("resource_limits.max_disk_io", No(UNHELD)),
    rule("resource_limits.max_network_io", No(UNHELD)),
    rule("notifications.**", No(NOTICES)),
];

const COMPATIBILITY: &[Rule] = &[
    rule("platform_detection.*", To("compatibility.*")),
    rule("adapters.*.*", To("compatibility.adapters.*.*")),
    rule("fallback_strategy.*", To("compatibility.*")),
    rule("*", To("compatibility.*")),
];

const WASM_PLUGINS: &[Rule] = &[
    rule("runtime.memory_limit", To("runtimes.wasm.memory")),
    rule("runtime.max_instances", To("runtimes.wasm.instances")),
    rule("runtime.execution_timeout", To("limits.call_deadline")),
    rule("security.sandbox_enabled", Always(true, "WebAssembly is always confined")),
    rule("security.network_access", Always(false, "permissions are granted to each plugin: plugins.ID.permissions")),
    rule("security.filesystem_access", Always(false, "permissions are granted to each plugin: plugins.ID.permissions")),
    rule(
        "security.allowed_imports",
        No("a module may import what the contract names; what it does with it needs permissions"),
    ),
    rule("plugins.*.enabled", To("plugins.*.enabled")),
    rule("plugins.*.path", To("plugins.*.path")),
    rule("plugins.*.memory_quota", To("plugins.*.limits.memory")),
    rule("plugins.*.cpu_quota", To("plugins.*.limits.call_deadline")),
    rule("plugins.*.network_access", Grant("plugins.*.permissions", "network.http")),
    rule("plugins.*.filesystem_access", Grant("plugins.*.permissions", "file.read")),
    rule("plugins.*.allowed_apis", No("a plugin's actions are those of its manifest")),
    rule("plugins.*.config", To("plugins.*.config")),
];

/// Read as it stands by every host; imported it is written in its present names.
const MODULE_MANAGER: &[Rule] = &[rule("*", To("module_manager.*"))];
