//! Configurations as the requirements write them, from the file to the plugin.

use std::collections::BTreeMap;

use midplane_contract::settings::import::import;
use midplane_contract::settings::{Layer, PluginSettings, settle};
use midplane_contract::{Code, Hook, PluginId};
use midplane_kernel::{Policy, block_on};
use midplane_testkit::{Gate, PluginFolder, Program, probe};
use serde_json::{Map, Value, json};

use crate::house::{House, Until, name};

/// What a file of another program says about plugins, once it is imported.
fn plugins(text: &str) -> BTreeMap<PluginId, PluginSettings> {
    let imported = import([("plugins.yaml", text.as_bytes())]);
    imported.check().unwrap();
    let variables = [("CLIENT_ID", "me"), ("CLIENT_SECRET", "s3cret")].map(|(n, v)| (n.to_owned(), v.to_owned()));
    let settled = settle([Layer::file("midplane.yaml", imported.to_yaml().as_bytes(), &variables.into())]);
    settled.into_result().unwrap().0.plugins
}

/// The configuration that the plugin itself says it has.
fn received(id: &str, settings: &PluginSettings, schema: Value) -> Value {
    let house = House::new();
    let config = settings.config.clone();
    house.kernel.set_policy(&name(id), Policy { config, ..Policy::default() });
    house.load(&PluginFolder::fake(id, "probe\n1").with("config_schema", schema));
    serde_json::from_str(&house.call(&format!("{id}/config"), "").unwrap()).unwrap()
}

const PLUGINS: &str = "plugins:
  plugin_configs:
    netradio:
      enabled: true
      priority: 100
      config:
        api_base_url: \"https://radio.example\"
        timeout: \"30s\"
        retry_count: 3
        cache_enabled: true
        cache_ttl: \"1h\"
    stream:
      enabled: false
      priority: 90
      config:
        client_id: \"${CLIENT_ID}\"
        client_secret: \"${CLIENT_SECRET}\"
";

fn schema() -> Value {
    json!({"type": "object", "required": ["api_base_url", "timeout"], "properties": {
        "timeout": {"type": "integer", "format": "duration"},
        "cache_ttl": {"type": "integer", "format": "duration"},
        "retry_count": {"type": "integer"},
        "cache_enabled": {"type": "boolean"},
    }})
}

#[test]
fn a_time_of_the_file_reaches_the_plugin_as_a_time_where_its_schema_wants_one_and_as_text_elsewhere() {
    let plugins = plugins(PLUGINS);
    let radio = &plugins["netradio"];
    assert_eq!((radio.enabled, radio.priority), (true, 100));
    let rest = json!({"api_base_url": "https://radio.example", "retry_count": 3, "cache_enabled": true});
    let with = |timeout: Value, ttl: Value| {
        let mut config = rest.clone();
        config["timeout"] = timeout;
        config["cache_ttl"] = ttl;
        config
    };
    assert_eq!(received("netradio", radio, schema()), with(json!(30_000), json!(3_600_000)));
    assert_eq!(received("netradio", radio, json!({})), with(json!("30s"), json!("1h")));
    // Never a zero in silence: what is no time is refused by its path.
    let house = House::new();
    let id = house.register(&PluginFolder::fake("netradio", "probe\n1").with("config_schema", schema()));
    for wrong in [json!("30"), json!("half an hour"), json!("30 MB"), json!("")] {
        let config = with(wrong, json!("1h")).as_object().unwrap().clone();
        house.kernel.set_policy(&id, Policy { config, ..Policy::default() });
        let error = block_on(house.kernel.load(&id)).unwrap_err();
        assert_eq!((error.code(), error.record().message.contains("/timeout")), (Code::ConfigInvalid, true), "{error}");
    }
}

#[test]
fn variables_are_put_in_and_a_disabled_plugin_stays_so() {
    let plugins = plugins(PLUGINS);
    let stream = &plugins["stream"];
    assert_eq!((stream.enabled, stream.priority), (false, 90));
    assert_eq!(received("stream", stream, json!({})), json!({"client_id": "me", "client_secret": "s3cret"}));
}

#[test]
fn entries_are_configured_alike_under_plugin_configs_and_where_they_stand_loose() {
    let entries = [
        "beep:\n  enabled: true\n  priority: 80\n  config:\n    buffer_size: 4096\n    sample_rate: 44100\n    channels: 2\n",
        "tui:\n  enabled: true\n  priority: 100\n  config:\n    theme: \"default\"\n    refresh_rate: \"60fps\"\n    mouse_enabled: true\n    color_support: \"256\"\n",
    ]
    .concat();
    let indented: String = entries.lines().map(|line| format!("    {line}\n")).collect();
    for text in [entries.clone(), format!("plugins:\n  plugin_configs:\n{indented}")] {
        let plugins = plugins(&text);
        assert_eq!((plugins["beep"].priority, plugins["tui"].priority), (80, 100));
        let beep = received("beep", &plugins["beep"], json!({}));
        assert_eq!(beep, json!({"buffer_size": 4096, "sample_rate": 44100, "channels": 2}));
        let schema = json!({"properties": {"refresh_rate": {"type": "number", "format": "frame-rate"}}});
        let tui = received("tui", &plugins["tui"], schema);
        assert_eq!(tui["refresh_rate"].as_f64(), Some(60.0));
        assert_eq!((&tui["color_support"], &tui["mouse_enabled"]), (&json!("256"), &json!(true)));
    }
}

#[test]
fn every_unit_of_the_documents_becomes_its_number() {
    let units = [
        ("duration", "30s", 30_000),
        ("duration", "5m", 300_000),
        ("duration", "1h", 3_600_000),
        ("duration", "24h", 86_400_000),
        ("size", "100MB", 100_000_000),
        ("size", "1GB", 1_000_000_000),
        ("rate", "100MB/s", 100_000_000),
        ("frame-rate", "60fps", 60),
    ];
    for (format, text, number) in units {
        let config = json!({ "value": text }).as_object().unwrap().clone();
        let settings = PluginSettings { config, ..PluginSettings::default() };
        let schema = json!({"properties": {"value": {"type": "integer", "format": format}}});
        assert_eq!(received("p", &settings, schema), json!({ "value": number }), "{text}");
    }
}

#[test]
fn any_value_of_json_reaches_the_plugin_as_it_is_at_load_and_at_a_change() {
    let config = json!({
        "null": null, "flag": false, "zero": 0, "large": 9_007_199_254_740_993_u64, "negative": -1, "float": 0.1,
        "text": "ä\u{1f3b5}\"\\\n", "empty": "", "list": [1, [2, {"three": [null]}]], "map": {"": {}, "a.b/c~d": true},
    });
    let settings = PluginSettings { config: config.as_object().unwrap().clone(), ..PluginSettings::default() };
    assert_eq!(received("p", &settings, json!({})), config);
    let house = House::new();
    let id = house.probe("p");
    block_on(house.kernel.update_config(&id, settings.config)).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&house.call("p/config", "").unwrap()).unwrap(), config);
}

#[test]
fn a_plugin_is_asked_first_and_what_it_says_is_told() {
    let strict = probe().hook(Hook::ValidateConfig, |desk, input| {
        let config: Map<String, Value> = serde_json::from_slice(input).unwrap();
        let missing = ["api_base_url", "timeout"].into_iter().find(|key| !config.contains_key(*key));
        let refuse = |key| {
            Err(desk.own_error("invalid", &format!("missing required config key: {key}"), false, json!({"key": key})))
        };
        missing.map_or(Ok(Vec::new()), refuse)
    });
    let house = House::with(&[("strict", strict)]);
    let id = house.register(&PluginFolder::fake("p", "strict\n1").with("config", json!({"api_base_url": "x"})));
    let error = block_on(house.kernel.load(&id)).unwrap_err();
    assert_eq!(error.code(), Code::ConfigInvalid, "{error:?}");
    assert!(error.record().message.contains("missing required config key: timeout"), "{error}");
    let policy = Policy { config: json!({"timeout": "30s"}).as_object().unwrap().clone(), ..Policy::default() };
    house.kernel.set_policy(&id, policy);
    block_on(house.kernel.load(&id)).unwrap();
    let error = block_on(house.kernel.update_config(&id, Map::new())).unwrap_err();
    assert!(error.record().message.contains("missing required config key: timeout"), "{error}");
}

#[test]
fn a_change_blocks_nobody_else_and_a_plugin_without_hooks_takes_it_and_does_nothing() {
    let gate = Gate::new();
    let until = Until(&gate);
    let slow = probe().waits_in(Hook::ConfigChanged, &gate);
    let plain = Program::echoing();
    let house = House::with(&[("slow", slow), ("plain", plain)]);
    let (slow, plain) =
        (house.load(&PluginFolder::fake("slow", "slow\n1")), house.load(&PluginFolder::fake("plain", "plain\n1")));
    let config = |n: u64| json!({ "n": n }).as_object().unwrap().clone();
    std::thread::scope(|scope| {
        let changing = scope.spawn(|| block_on(house.kernel.update_config(&slow, config(1))));
        assert!(gate.wait_for(1));
        block_on(house.kernel.update_config(&plain, config(2))).unwrap();
        assert_eq!(house.call("plain/echo", "x").unwrap(), "x");
        // Without a hook to ask, it is what the host knows.
        assert_eq!(block_on(house.kernel.config(&plain)).unwrap(), json!({"n": 2}));
        assert!(!changing.is_finished());
        drop(until);
        changing.join().unwrap().unwrap();
    });
}
