use serde_json::json;

use crate::settings::import::import;
use crate::settings::{Layer, settle};

const PLUGINS: &str = "plugins:
  directories: [./plugins, ~/.player/plugins]
  auto_load: {enabled: true, scan_interval: 30s, load_timeout: 10s}
  hot_reload: {enabled: true, watch_directories: true, reload_delay: 2s, max_retries: 4, backup_enabled: true}
  security: {signature_verification: true, sandbox_enabled: false, allowed_capabilities: [search]}
  performance: {max_concurrent_loads: 6, memory_limit: 100MB, cpu_limit: 0.5}
  plugin_configs:
    radio: {enabled: false, priority: 90, config: {url: 'https://a.example', key: '${RADIO_KEY}', timeout: 30s}}
beep:
  enabled: true
  priority: 80
  config: {buffer: 4096, rate: 60fps}
";

#[test]
fn every_known_key_is_mapped_and_every_other_is_named() {
    let imported = import([("plugins.yaml", PLUGINS.as_bytes())]);
    assert_eq!(imported.faults, []);
    assert_eq!(
        imported.settings,
        json!({
            "folders": ["./plugins", "~/.player/plugins"],
            "load": {"auto": true, "timeout": "10s", "concurrent": 6},
            "scan": {"interval": "30s"},
            "reload": {"auto": true, "delay": "2s", "retries": 4},
            "versions": {"rollback": true},
            "limits": {"memory": "100MB"},
            "plugins": {
                "radio": {"enabled": false, "priority": 90,
                    "config": {"url": "https://a.example", "key": "${RADIO_KEY}", "timeout": "30s"}},
                "beep": {"enabled": true, "priority": 80, "config": {"buffer": 4096, "rate": "60fps"}},
            },
        })
    );
    let unused: Vec<(&str, usize)> = imported.unused.iter().map(|key| (key.path.as_str(), key.line)).collect();
    assert_eq!(
        unused,
        [
            ("/plugins/security/signature_verification", 5),
            ("/plugins/security/allowed_capabilities", 5),
            ("/plugins/performance/cpu_limit", 6),
        ]
    );
    assert!(imported.unused.iter().all(|key| !key.outcome.is_empty()));
    let idle: Vec<&str> = imported.idle.iter().map(|key| key.outcome.as_str()).collect();
    assert_eq!(idle, ["reload.auto", "reload.delay", "reload.retries", "versions.rollback"]);
}

#[test]
fn a_key_that_settings_do_not_have_is_named_wherever_it_stands() {
    let text = "compatibility: {strict_mode: true, stric_mode: true, platform_detection: {far: 1}, \
                adapters: {linux: {enabled: true, colour: 2}}}\nmodule_manager: {bar: 1, auto_scan: true}\n\
                hotload: {far: 1}\nplugins:\n  auto_load: {enabled: true, nope: 2}\n  \
                plugin_configs: {a: {colour: red, priority: 1, limits: {memory: 1MB, mem: 2}}}\n";
    let imported = import([("all.yaml", text.as_bytes())]);
    assert_eq!(imported.faults, []);
    let unused: Vec<&str> = imported.unused.iter().map(|key| key.path.as_str()).collect();
    let wanted = [
        "/compatibility/stric_mode",
        "/compatibility/platform_detection/far",
        "/compatibility/adapters/linux/colour",
        "/module_manager/bar",
        "/hotload/far",
        "/plugins/auto_load/nope",
        "/plugins/plugin_configs/a/colour",
        "/plugins/plugin_configs/a/limits/mem",
    ];
    assert_eq!(unused, wanted);
    assert_eq!(imported.unused[0].outcome, "no such key is known here; did you mean `strict_mode`?");
    assert_eq!(imported.settings["plugins"], json!({"a": {"priority": 1, "limits": {"memory": "1MB"}}}));
}

#[test]
fn settings_of_our_own_stay_as_they_are() {
    let text = "folders: [./p]\nload: {auto: true}\nlimits: {memory: '${M:-1MB}'}\nsecrets: {a: env:A}\n\
                store: {kind: file, path: c}\nplugins:\n  a: {path: ./a, limits: {memory: 1MB}, permissions: [x.y], \
                config: {b: {c: 1}}}\nscann: {auto: true}\n";
    let imported = import([("midplane.yaml", text.as_bytes())]);
    assert_eq!(imported.faults, []);
    let unused: Vec<&str> = imported.unused.iter().map(|key| key.path.as_str()).collect();
    assert_eq!(unused, ["/scann/auto"]);
    let a = json!({"path": "./a", "limits": {"memory": "1MB"}, "permissions": ["x.y"], "config": {"b": {"c": 1}}});
    let wanted = json!({"folders": ["./p"], "load": {"auto": true}, "limits": {"memory": "${M:-1MB}"},
        "secrets": {"a": "env:A"}, "store": {"kind": "file", "path": "c"}, "plugins": {"a": a}});
    assert_eq!(imported.settings, wanted);
}

#[test]
fn a_value_that_another_one_takes_the_place_of_is_named() {
    let hotload = "hotload:\n  plugin_dir: ./more\n  check_interval: 5s\n  load_timeout: 10s\n  enabled: false\n";
    let imported = import([("hotload.yaml", hotload.as_bytes()), ("plugins.yaml", PLUGINS.as_bytes())]);
    assert_eq!(imported.settings["scan"]["interval"], "30s");
    assert_eq!(imported.settings["folders"], json!(["./more", "./plugins", "~/.player/plugins"]));
    let unused = |file: &str| -> Vec<(&str, &str)> {
        let of = imported.unused.iter().filter(|key| key.file == file);
        of.map(|key| (key.path.as_str(), key.outcome.as_str())).collect()
    };
    assert_eq!(
        unused("hotload.yaml"),
        [
            (
                "/hotload/check_interval",
                "scan.interval is what plugins.yaml:3:30: /plugins/auto_load/scan_interval says, which comes later"
            ),
            (
                "/hotload/enabled",
                "reload.auto is what plugins.yaml:4:16: /plugins/hot_reload/enabled says, which comes later"
            ),
        ]
    );
    let names = |keys: &[crate::settings::import::Key], name: &str| keys.iter().filter(|key| key.path == name).count();
    assert_eq!(names(&imported.used, "/hotload/check_interval") + names(&imported.idle, "/hotload/enabled"), 0);
    // Both say the same of the load's time, and each has added a folder.
    assert_eq!(names(&imported.used, "/hotload/load_timeout") + names(&imported.used, "/hotload/plugin_dir"), 2);
}

#[test]
fn a_plugins_manifest_is_told_to_be_one_and_what_to_do_with_it() {
    let flat = "id: radio\nname: Radio\nversion: 1.0.0\nentry: {runtime: js, main: a.js}\ndependencies: [a]\n";
    let enveloped = "api_version: v1\nkind: Plugin\nmetadata: {name: radio, version: 1.0.0}\nspec: {type: js}\n";
    let package = r#"{"name": "radio", "version": "1.0.0", "dependencies": {"a": "^1"}}"#;
    for (file, text) in [("p/plugin.yaml", flat), ("p/module.yaml", enveloped), ("p/any.json", package)] {
        let imported = import([("plugins.yaml", PLUGINS.as_bytes()), (file, text.as_bytes())]);
        let error = imported.check().unwrap_err();
        let (message, remedy) = (&error.record().message, error.record().remedy.as_deref().unwrap_or_default());
        assert!(message.contains(file) && message.contains("manifest of the plugin `radio`"), "{message}");
        assert!(remedy.contains("midplane check p`") && remedy.contains("plugins.radio"), "{remedy}");
        assert!(imported.unused.iter().all(|key| key.file != file), "{:?}", imported.unused);
    }
}

#[test]
fn what_is_imported_is_settings() {
    let imported = import([("plugins.yaml", PLUGINS.as_bytes())]);
    let variables = [("RADIO_KEY".to_owned(), "k".to_owned())].into();
    let settled = settle([Layer::file("midplane.yaml", imported.to_yaml().as_bytes(), &variables)]);
    let settings = settled.settings.clone().unwrap_or_else(|| panic!("{:?}\n{}", settled.faults, imported.to_yaml()));
    assert_eq!(settings.load.concurrent, 6);
    assert_eq!(settings.plugins.len(), 2);
}

#[test]
fn the_other_files_are_known_as_well() {
    let files: [(&str, &str); 7] = [
        (
            "hotload.yaml",
            "hotload: {enabled: true, plugin_dir: ./p, check_interval: 5s, max_versions: 5, enable_rollback: \
          true, validation_timeout: 30s, watch_patterns: ['*.so'], max_file_size: 100MB, allowed_extensions: [.so], \
          load_timeout: 30s, validation_workers: 4, notifications: {webhook_url: x}}\n",
        ),
        (
            "dependency.yaml",
            "dependency: {registry: {url: x}, cache: {dir: c}, download: {timeout: 5m}, security: \
          {require_signature: true}, versioning: {strategy: latest, allow_prerelease: true, max_versions_per_plugin: 3}}\n",
        ),
        (
            "monitoring.yaml",
            "monitoring: {enabled: true, prometheus: {port: 1}, alert_thresholds: {error_rate_threshold: \
          5.0, cpu_threshold: 80.0}, resource_limits: {max_memory: 500MB, max_cpu: 90.0, max_goroutines: 10, \
          max_file_descriptors: 11, max_network_connections: 12, max_disk_io: 100MB/s, max_network_io: 50MB/s}}\n",
        ),
        (
            "compatibility.yaml",
            "compatibility: {enable_fallback: true, strict_mode: true, platform_detection: \
          {auto_detect: true, override_os: linux, override_arch: ''}, adapters: {wasm: {enabled: true, runtime: \
          wasmtime}}, fallback_strategy: {prefer_native: false, allow_emulation: true, max_fallback_attempts: 2}}\n",
        ),
        (
            "wasm_plugins.yaml",
            "wasm_plugins: {runtime: {memory_limit: 64MB, execution_timeout: 30s, max_instances: 9}, \
          security: {sandbox_enabled: true, network_access: false}, plugins: {w: {path: ./w.wasm, memory_quota: 32MB, \
          cpu_quota: 10s, network_access: true, allowed_apis: [a], config: {a: 1}}}}\n",
        ),
        ("module_manager.yaml", "module_manager: {module_dirs: [./p, ./m], scan_interval: 60}\n"),
        ("migration.yaml", "migration_strategy: {approach: gradual, phases: [{name: a}], colour: 1}\nother: 1\n"),
    ];
    let imported = import(files.map(|(name, text)| (name, text.as_bytes())));
    assert_eq!(imported.faults, []);
    let at = |path: &str| imported.settings.pointer(path).cloned().unwrap_or_default();
    assert_eq!(at("/folders"), json!(["./p", "./m"]));
    assert_eq!(at("/scan/interval"), json!("60s"));
    assert_eq!(at("/versions"), json!({"keep": 3, "rollback": true, "strategy": "latest", "allow_prerelease": true}));
    assert_eq!(at("/health"), json!({"timeout": "30s", "error_rate": 0.05}));
    // Nothing that keeps plugins from being loaded, whatever runs them.
    assert_eq!(at("/limits"), json!({"memory": "500MB", "file_descriptors": 11, "call_deadline": "30s"}));
    assert_eq!(at("/compatibility/override_os"), json!("linux"));
    assert_eq!(at("/compatibility/max_fallback_attempts"), json!(2));
    assert_eq!(at("/runtimes/wasm"), json!({"memory": "64MB", "instances": 9}));
    assert_eq!(
        at("/plugins/w"),
        json!({"path": "./w.wasm", "limits": {"memory": "32MB", "call_deadline": "10s"}, "permissions": ["network.http"],
            "config": {"a": 1}})
    );
    let unused: Vec<&str> = imported.unused.iter().map(|key| key.path.as_str()).collect();
    for path in ["/migration_strategy/phases", "/migration_strategy/colour", "/other", "/monitoring/prometheus/port"] {
        assert!(unused.contains(&path), "{path} in {unused:?}");
    }
    let text = settle([Layer::file("m.yaml", imported.to_yaml().as_bytes(), &Default::default())]);
    assert!(text.settings.is_some(), "{:?}", text.faults);
}

#[test]
fn a_line_that_is_indented_too_deep_is_named_with_what_to_do() {
    for (text, line) in [
        ("a:\n  b:\n    c: \"x\"\n     d: \"y\"\n", 4),
        ("a:\n  b: \"x\"\n   c: true\n", 3),
        ("a:\n  b: \"x\"  # note\n   c: true\n   d: 1\n", 3),
    ] {
        let imported = import([("a.yaml", text.as_bytes())]);
        let (file, faults) = imported.faults.first().unwrap();
        let fault = faults.first().unwrap();
        assert_eq!((file.as_str(), fault.line), ("a.yaml", line), "{fault:?}");
        assert!(fault.remedy.contains("space"), "{fault:?}");
        assert!(imported.check().unwrap_err().record().message.starts_with("a.yaml:"));
    }
}

#[test]
fn what_a_plugin_is_said_to_have_ends_where_it_holds_or_is_named() {
    let text = "plugins:
  plugin_configs:
    a:
      name: A
      resources: {max_memory: 100MB, requires_gpu: true}
      security: {allowed_paths: [/x], allowed_syscalls: [read], trusted_sources: [y]}
module_manager: {auto_restart: true, module_timeout: 5}
";
    let imported = import([("a.yaml", text.as_bytes())]);
    let ends = |keys: &[super::super::import::Key]| keys.iter().map(|key| key.outcome.clone()).collect::<Vec<_>>();
    assert_eq!(ends(&imported.used), ["plugins.a.limits.memory", "plugins.a.permissions", "limits.call_deadline"]);
    assert_eq!(ends(&imported.idle), ["plugins.a.name", "restart.auto"]);
    let unused: Vec<&str> = imported.unused.iter().filter_map(|key| key.path.rsplit('/').next()).collect();
    assert_eq!(unused, ["requires_gpu", "allowed_syscalls", "trusted_sources"]);
    assert_eq!(imported.faults, [], "nothing is left to be warned of");
}

#[test]
fn variables_are_taken_over_as_they_are_written_wherever_they_stand() {
    let text = "plugins: {auto_load: {enabled: '${AUTO:-true}', load_timeout: '${T}'}, directories: ['${D}']}\n";
    let imported = import([("a.yaml", text.as_bytes())]);
    assert_eq!(imported.faults, []);
    let variables = [("T", "3s"), ("D", "/x")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settled = settle([Layer::file("m.yaml", imported.to_yaml().as_bytes(), &variables.into())]);
    let settings = settled.settings.unwrap_or_else(|| panic!("{:?}", settled.faults));
    assert_eq!((settings.load.auto, settings.load.timeout), (true, Some(std::time::Duration::from_secs(3))));
    assert_eq!(settings.folders, ["/x"]);
}

#[test]
fn plugins_that_names_no_directories_has_those_that_it_always_had() {
    let folders = |text: &str| import([("a.yaml", text.as_bytes())]).settings.pointer("/folders").cloned();
    let known = json!(["./plugins", "~/.musicfox/plugins", "/usr/share/musicfox/plugins"]);
    assert_eq!(folders("plugins: {auto_load: {enabled: true}}\n"), Some(known));
    assert_eq!(folders("plugins: {directories: [./x], auto_load: {enabled: true}}\n"), Some(json!(["./x"])));
    assert_eq!(folders("plugins: {radio: {enabled: true}}\n"), None);
}
