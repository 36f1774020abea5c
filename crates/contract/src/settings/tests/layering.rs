use std::time::Duration;

use crate::settings::{Layer, Settings, settle};
use crate::{PluginId, Trust};

use super::{errors, file, read};

#[test]
fn later_layers_stand_over_earlier_ones_and_each_value_knows_its_origin() {
    let settled = settle([
        file("load: {auto: true, concurrent: 2}\nscan:\n  interval: 10s\nfolders: [a, b]\n"),
        Layer::file("more.yaml", b"load: {concurrent: 3}\nfolders: [c]\n", &Default::default()),
        Layer::variable("MIDPLANE__LOAD__CONCURRENT", "4").unwrap(),
        Layer::assignment("scan.interval=20s"),
    ]);
    assert_eq!(errors(&settled), [""; 0]);
    let settings = settled.settings.unwrap();
    assert!(settings.load.auto);
    assert_eq!(settings.load.concurrent, 4);
    assert_eq!(settings.scan.interval, Duration::from_secs(20));
    assert_eq!(settings.folders, ["c"]);
    let origin = |path: &str| settled.origins.get(path).map(ToString::to_string);
    assert_eq!(origin("/load/auto").as_deref(), Some("midplane.yaml:1:14"));
    assert_eq!(origin("/load/concurrent").as_deref(), Some("MIDPLANE__LOAD__CONCURRENT"));
    assert_eq!(origin("/scan/interval").as_deref(), Some("--set scan.interval"));
    assert_eq!(origin("/folders").as_deref(), Some("more.yaml:2:10"));
    assert_eq!(origin("/shutdown/drain"), None);
    assert_eq!(settled.shown.pointer("/shutdown/drain").unwrap(), "10s");
    assert_eq!(settled.shown.pointer("/load/concurrent").unwrap(), 4);
}

#[test]
fn an_empty_value_brings_the_default_back() {
    let settled = settle([file("load: {concurrent: 2}\n"), Layer::assignment("load.concurrent=null")]);
    assert_eq!(settled.settings.unwrap().load.concurrent, Settings::default().load.concurrent);
    assert!(settled.origins.is_empty());
    assert_eq!(settled.shown.pointer("/load/concurrent").unwrap(), 5);
}

#[test]
fn variables_of_the_environment_find_ids_that_they_cannot_spell() {
    let settled = settle([
        file("plugins:\n  text-stats.v2: {enabled: true}\n"),
        Layer::variable("MIDPLANE__PLUGINS__TEXT_STATS_V2__ENABLED", "false").unwrap(),
        Layer::variable("MIDPLANE__PLUGINS__TEXT_STATS_V2__CONFIG__TOP", "[1, 2]").unwrap(),
        Layer::variable("MIDPLANE__PLUGINS__NEW__TRUST", "trusted").unwrap(),
        Layer::variable("MIDPLANE__STORE", "{kind: redis, address: redis}").unwrap(),
        Layer::variable("MIDPLANE__STORE__USER", "007").unwrap(),
        Layer::assignment("/plugins/a.b/auto_start=true"),
    ]);
    let settings = settled.settings.clone().unwrap_or_else(|| panic!("{:?}", settled.faults));
    let plugin = |id: &str| settings.plugins.get(&PluginId::new(id).unwrap()).unwrap();
    assert!(!plugin("text-stats.v2").enabled);
    assert_eq!(plugin("text-stats.v2").config["top"], serde_json::json!([1, 2]));
    assert_eq!(plugin("new").trust, Trust::Trusted);
    assert!(plugin("a.b").auto_start);
    assert_eq!(settings.store.as_ref().unwrap().user.as_deref(), Some("007"));
    assert!(Layer::variable("MIDPLANE_PLUGINS", "x").is_none());
}

#[test]
fn faults_of_all_layers_come_together_with_their_places() {
    let settled = settle([
        file("load:\n  concurent: 3\n  auto: yes\nplugins:\n  A B: {trust: full}\nscan: {interval: 5}\n"),
        Layer::variable("MIDPLANE__LOAD__CONCURRENT", "none").unwrap(),
        Layer::assignment("load"),
    ]);
    let wanted = ["2:3 unknown_field", "3:9 wrong_type", "5:3 invalid_id", "5:16 unknown_word", "6:18 wrong_type"];
    assert_eq!(errors(&settled)[..5], wanted);
    assert_eq!(errors(&settled)[5..], ["0:0 wrong_type", "0:0 syntax"]);
    let error = settled.into_result().unwrap_err();
    let text = &error.record().message;
    assert!(text.contains("midplane.yaml:2:3: there is no field `concurent`"), "{text}");
    assert!(text.contains("MIDPLANE__LOAD__CONCURRENT: "), "{text}");
}

#[test]
fn variables_fit_where_numbers_and_flags_are_wanted_and_are_text_elsewhere() {
    let settled =
        read("listen: {port: '${PORT}'}\nload: {auto: '${NONE:-true}'}\nplugins: {p: {config: {port: '${PORT}'}}}\n");
    let settings = settled.settings.clone().unwrap_or_else(|| panic!("{:?}", settled.faults));
    assert_eq!(settings.listen.port, 7000);
    assert!(settings.load.auto);
    assert_eq!(settings.plugins.values().next().unwrap().config["port"], "7000");
    assert_eq!(errors(&read("folders:\n  - ${NOWHERE}\n")), ["2:5 invalid_value"]);
}

#[test]
fn values_of_variables_are_used_and_not_shown() {
    let settled = settle([
        file("plugins: {p: {config: {token: '${TOKEN}', key: {secret: 'env:KEY'}}}}\n"),
        Layer::variable("MIDPLANE__PLUGINS__P__CONFIG__OTHER", "canary-7f3a").unwrap(),
    ]);
    assert!(!settled.shown.to_string().contains("canary"), "{}", settled.shown);
    let settings = settled.settings.unwrap();
    let config = &settings.plugins.values().next().unwrap().config;
    assert_eq!((config["token"].as_str(), config["other"].as_str()), (Some("canary-7f3a"), Some("canary-7f3a")));
}

#[test]
fn a_store_has_what_its_kind_needs_whichever_layer_says_it() {
    let of = |layers: &[&str]| {
        let layer = |(number, text): (usize, &&str)| {
            Layer::file(&format!("{number}.yaml"), text.as_bytes(), &Default::default())
        };
        settle(layers.iter().enumerate().map(layer))
    };
    assert_eq!(errors(&of(&["store: {kind: redis, password: 'env:P'}\n", "store: {address: 'r:1'}\n"])), [""; 0]);
    assert_eq!(errors(&of(&["store: {kind: database}\n"])), [""; 0]);
    assert_eq!(errors(&of(&["store:\n  kind: redis\n"])), ["2:9 missing_field"]);
    assert_eq!(errors(&of(&["load: {auto: true}\nstore: {}\n"])), ["2:8 missing_field"]);
    assert_eq!(errors(&of(&["store: {address: 'r:1'}\n", "\nstore: {kind: file}\n"])), ["2:15 missing_field"]);
    // A field of another kind does no harm.
    let foreign = of(&["store: {kind: file, path: c, address: 'r:1'}\n"]);
    assert_eq!(errors(&foreign), [""; 0]);
    assert!(foreign.settings.is_some());
    assert_eq!(foreign.faults[0].1[0].path, "/store/address");
    // An address of the kind that has a password in it is not shown.
    let url = of(&["store: {kind: redis, address: 'redis://:canary-7f3a@r:1'}\n"]);
    assert_eq!(errors(&url), ["1:31 invalid_value"]);
    assert!(!format!("{:?}", url.faults).contains("canary"));
}
