use std::time::Duration;

use serde_json::json;

use crate::Trust;
use crate::settings::StoreKind;

use super::{errors, read};

#[test]
fn module_manager_is_read_as_it_stands() {
    let text = "module_manager:\n  module_dirs: [./m, ~/m]\n  auto_scan: false\n  scan_interval: 60\n  auto_load: true\n  \
                auto_restart: false\n  max_restart_attempts: 7\n  health_check_interval: 15\n  module_timeout: 90\n";
    let settings = read(text).settings.unwrap();
    assert_eq!(settings.folders, ["./m", "~/m"]);
    assert!(!settings.scan.auto && settings.load.auto && !settings.restart.auto);
    assert_eq!(settings.scan.interval, Duration::from_secs(60));
    assert_eq!(settings.restart.attempts, 7);
    assert_eq!(settings.health.interval, Duration::from_secs(15));
    assert_eq!(settings.limits.call_deadline, Some(Duration::from_secs(90)));
    assert_eq!(settings.limits.limits().call_deadline_ms, Some(90_000));

    let warned = read(text).faults;
    assert!(warned.iter().flat_map(|(_, faults)| faults).any(|fault| fault.path == "/restart"));

    let bare = read("module_manager: {scan_interval: 30s}\n").settings.unwrap();
    assert_eq!(bare.folders, ["./modules", "~/.chips/modules", "/usr/local/chips/modules"]);
    let twice = read("scan: {auto: true}\nmodule_manager:\n  auto_scan: true\n");
    assert_eq!(errors(&twice), ["3:3 conflict"]);
}

#[test]
fn a_plugin_s_settings_are_read_in_both_spellings() {
    let text = "health: {timeout: 2s}\nplugins:\n  p:\n    name: P\n    type: dynamic_library\n    path: ./p\n    \
                auto_start: true\n    priority: -3\n    config: {any: [1, {b: null}]}\n    health: {ping: 1s}\n    \
                resources: {max_memory: 100MB, max_cpu: 0.5, max_disk_io: 100MB/s, max_network_io: 5, timeout: 5m, \
                max_goroutines: 9}\n    \
                security: {sandbox: true, allowed_paths: [/data/**], allowed_networks: ['https://a.example/*'], \
                allowed_syscalls: [read], trusted_sources: [x]}\n    permissions: [bus.publish]\n";
    let settled = read(text);
    let settings = settled.settings.clone().unwrap_or_else(|| panic!("{:?}", settled.faults));
    let plugin = settings.plugins.values().next().unwrap();
    assert_eq!(plugin.runtime(), Some(crate::RuntimeKind::Native));
    assert_eq!((plugin.priority, plugin.auto_start, plugin.trust), (-3, true, Trust::Untrusted));
    assert_eq!(serde_json::Value::Object(plugin.config.clone()), json!({"any": [1, {"b": null}]}));
    let limits = plugin.limits.limits();
    assert_eq!((limits.memory, limits.disk_io, limits.network_io), (Some(100_000_000), Some(100_000_000), Some(5)));
    assert_eq!((limits.cpu, limits.call_deadline_ms, limits.threads), (Some(0.5), Some(300_000), Some(9)));
    let permissions: Vec<&str> = plugin.permissions.iter().map(crate::Permission::as_str).collect();
    let wanted = ["bus.publish", "file.read:/data/**", "file.write:/data/**", "network.http:https://a.example/*"];
    assert_eq!(permissions, wanted);
    // What is said for all holds for each, unless it says otherwise.
    assert_eq!((plugin.health.timeout, plugin.health.ping), (Duration::from_secs(2), Duration::from_secs(1)));
    let warned: Vec<_> = settled.faults.iter().flat_map(|(_, f)| f).filter(|f| f.path.contains("/security/")).collect();
    assert_eq!(warned.len(), 2);
}

#[test]
fn secrets_and_stores_are_named_never_written() {
    let text = "secrets: {spotify: env:SPOTIFY, key: file:/run/key}\nstore: {kind: redis, address: '127.0.0.1:6379', \
                password: env:REDIS, timeout: 500ms}\n";
    let settings = read(text).settings.unwrap();
    let store = settings.store.unwrap();
    assert_eq!((store.kind, store.timeout), (StoreKind::Redis, Duration::from_millis(500)));
    assert_eq!(settings.secrets["spotify"].to_string(), "env:SPOTIFY");
    let settled = read("secrets: {a: canary-7f3a}\n");
    assert_eq!(errors(&settled), ["1:14 invalid_value"]);
    assert!(!format!("{:?}", settled.faults).contains("canary"));
}

#[test]
fn a_setting_that_nothing_goes_by_is_said_to_be_one() {
    let settled = read("restart: {auto: false}\nlimits: {queue: 3}\n");
    let (_, faults) = settled.faults.first().unwrap();
    let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(paths, ["/restart"]);
    assert!(settled.settings.is_some());
}

#[test]
fn a_limit_that_no_placement_holds_is_said_to_keep_plugins_from_being_loaded() {
    let settled = read("limits: {cpu: 0.5, memory: 1MB}\nplugins: {a: {resources: {max_network_connections: 3}}}\n");
    let (_, faults) = settled.faults.first().unwrap();
    let told: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(told, ["/limits/cpu", "/plugins/a/limits/connections"]);
    assert!(faults[0].message.contains("loads none that has it") && !faults[0].is_error(), "{faults:?}");
}

#[test]
fn a_number_where_a_duration_is_wanted_is_told_to_have_a_unit() {
    let settled = read("load: {timeout: 30}\n");
    let (_, faults) = settled.faults.first().unwrap();
    assert_eq!(faults.first().unwrap().remedy, "write it with its unit: `30s`, `30ms`");
}

#[test]
fn a_limit_that_leaves_nothing_is_refused() {
    let text = "limits: {memory: 0, call_deadline: 0s}\nplugins: {a: {resources: {max_memory: 0.1B, timeout: 0ms}}}\n";
    let wrong = ["1:18 out_of_range", "1:36 out_of_range", "2:39 out_of_range", "2:54 out_of_range"];
    assert_eq!(errors(&read(text)), wrong);
    assert!(read("limits: {memory: 1, payload: 0, disk_io: 0}\nshutdown: {drain: 0s}\n").settings.is_some());
}
