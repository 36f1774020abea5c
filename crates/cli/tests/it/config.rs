//! `config`, and plugins run by settings.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::midplane::{Done, command, run};

/// A plugin whose only action answers with its configuration.
const PLUGIN: &str = "export default {
  onValidateConfig(config) { if (config.level === 'loud') throw new Error('too loud'); },
  onInit(config) { console.log(`begun with ${config.token}`); },
  onConfigChanged(config) { console.log(`changed to ${config.level}`); },
  actions: { config() { return 'none'; }, fail(input) { throw new Error(`no luck with ${input.token}`); } },
};
";

const CANARY: &str = "canary-9c21-of-the-command";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("plugins/radio");
    fs::create_dir_all(&plugin).unwrap();
    let manifest =
        "{id: radio, name: Radio, version: 1.0.0, entry: {runtime: js, main: radio.js}, actions: [config, fail]}\n";
    fs::write(plugin.join("plugin.yaml"), manifest).unwrap();
    fs::write(plugin.join("radio.js"), PLUGIN).unwrap();
    fs::write(folder.path().join("token"), format!("{CANARY}\n")).unwrap();
    folder
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[test]
fn check_says_everything_that_is_wrong_with_settings_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "m.yaml", "load:\n  concurent: 3\nscan: {interval: 5}\nfolders:\n  - ${NOT_SET}\n");
    let done = Done::of(
        command(["config", "check", &file, "--output", "json"]).env("MIDPLANE__LOAD__AUTO", "maybe").output().unwrap(),
    );
    let faults = done.json()["faults"].as_array().unwrap().clone();
    let codes: Vec<(&str, u64)> =
        faults.iter().map(|fault| (fault["code"].as_str().unwrap(), fault["line"].as_u64().unwrap())).collect();
    assert_eq!(done.code, 3);
    assert_eq!(codes, [("unknown_field", 2), ("wrong_type", 3), ("invalid_value", 5), ("wrong_type", 0)]);
    assert_eq!(faults[3]["file"], "MIDPLANE__LOAD__AUTO");
    let people = run(["config", "check", &file]);
    assert_eq!(people.code, 3);
    assert!(people.stderr.contains("did you mean `concurrent`?") && people.stderr.contains("m.yaml:2:3"), "{people:?}");
}

#[test]
fn show_tells_where_each_value_comes_from_and_no_value_of_a_variable() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "m.yaml", "load: {concurrent: 3}\nplugins: {a: {config: {token: '${TOKEN}'}}}\n");
    let show = |more: &[&str]| {
        let arguments = ["config", "show", file.as_str(), "--set", "load.auto=true"];
        let mut command = command(arguments.iter().chain(more));
        Done::of(command.env("TOKEN", CANARY).env("MIDPLANE__PLUGINS__A__CONFIG__KEY", CANARY).output().unwrap())
    };
    let origins = show(&["--origins"]);
    let row = |path: &str| {
        let text = origins.text();
        let line = text.lines().find(|line| line.starts_with(&format!("{path} "))).map(str::to_owned);
        line.unwrap_or_else(|| panic!("no {path} in {text}"))
    };
    assert!(row("/load/concurrent").ends_with("m.yaml:1:20"));
    assert!(row("/load/auto").ends_with("--set load.auto"));
    assert!(row("/load/timeout").ends_with("default"));
    assert!(row("/plugins/a/config/key").ends_with("MIDPLANE__PLUGINS__A__CONFIG__KEY"));
    for done in [&origins, &show(&[]), &show(&["--output", "json"])] {
        assert_eq!(done.code, 0, "{done:?}");
        assert!(!done.text().contains("canary") && !done.stderr.contains("canary"), "{done:?}");
    }
    assert_eq!(show(&["--output", "json"]).json()["settings"]["load"]["concurrent"], 3);
}

#[test]
fn import_writes_settings_names_what_has_no_place_and_refuses_what_is_no_yaml() {
    let folder = tempfile::tempdir().unwrap();
    let good = write(
        folder.path(),
        "hotload.yaml",
        "hotload:\n  enabled: true\n  max_versions: 7\n  notifications:\n    webhook_url: x\n",
    );
    let saved = folder.path().join("midplane.yaml").display().to_string();
    let done = run(["config", "import", &good, "--save", &saved, "--output", "json"]);
    assert_eq!(done.json()["settings"], json!({"reload": {"auto": true}, "versions": {"keep": 7}}), "{done:?}");
    assert_eq!(done.json()["unused"][0]["path"], "/hotload/notifications/webhook_url");
    let idle = &done.json()["idle"];
    assert_eq!((&idle[0]["outcome"], &idle[1]["outcome"]), (&json!("reload.auto"), &json!("versions.keep")));
    let said = run(["config", "import", &good]).stderr;
    assert!(
        said.contains("/hotload/max_versions is taken over as versions.keep, and nothing in this version"),
        "{said}"
    );
    assert!(said.contains("0 values of 1 file in effect, 2 for a later version, 1 not taken over"), "{said}");
    assert_eq!(run(["config", "check", &saved]).code, 0);
    // What is there is left alone.
    assert_eq!(run(["config", "import", &good, "--save", &saved]).code, 7);

    let radio = self::folder();
    let manifest = radio.path().join("plugins/radio/plugin.yaml").display().to_string();
    let done = run(["config", "import", &manifest, "--output", "json"]);
    let error = done.json()["error"].clone();
    assert_eq!((done.code, &error["code"]), (3, &json!("config_invalid")), "{done:?}");
    assert!(error["message"].as_str().unwrap().contains("the manifest of the plugin `radio`"), "{error}");
    assert!(error["remedy"].as_str().unwrap().contains("midplane check "), "{error}");

    let deep = write(folder.path(), "deep.yaml", "plugins:\n  directories: \"a\"\n   auto_load: true\n");
    let done = run(["config", "import", &deep]);
    assert_eq!(done.code, 3);
    assert!(done.stderr.contains("deep.yaml:3:") && done.stderr.contains("indent both alike"), "{}", done.stderr);
    let error = run(["config", "import", &deep, "--output", "json"]).json();
    assert_eq!(error["error"]["data"]["files"][0]["faults"][0]["line"], 3);
}

#[test]
fn a_host_runs_by_its_settings_and_takes_over_what_changes_in_them() {
    let folder = folder();
    let settings = |level: &str| {
        let (plugins, token) = (folder.path().join("plugins"), folder.path().join("token"));
        let config = json!({"level": level, "token": {"secret": format!("file:{}", token.display())}});
        let text = json!({"folders": [plugins], "plugins": {"radio": {"auto_start": true, "config": config}}});
        write(folder.path(), "midplane.json", &text.to_string())
    };
    let file = settings("low");
    let mut child =
        command(["run", "--settings", &file]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut heard = Vec::new();
    let mut until = |part: &str| {
        let found = lines.by_ref().any(|line| {
            heard.push(line.clone());
            line.contains(part)
        });
        assert!(found, "no {part} in {heard:#?}");
    };
    until("running; Ctrl-C ends it");
    settings("higher");
    until("changed to higher");
    settings("loud");
    until("the changed configuration is refused");
    settings("lowest");
    until("changed to lowest");
    std::fs::write(folder.path().join("token"), format!("{CANARY}-renewed")).unwrap();
    until("changed to lowest");
    std::fs::write(folder.path().join("token"), "").unwrap();
    until("a changed secret is not in effect");
    assert!(heard.iter().any(|line| line.contains("begun with ******")), "{heard:#?}");
    assert!(!heard.iter().any(|line| line.contains("canary")), "{heard:#?}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_secret_is_in_no_error_of_a_plugin_and_a_disabled_plugin_is_not_loaded() {
    let folder = folder();
    let plugin = folder.path().join("plugins/radio").display().to_string();
    let token = folder.path().join("token").display().to_string();
    let text = json!({"plugins": {"radio": {"config": {"token": {"secret": format!("file:{token}")}}}}});
    let file = write(folder.path(), "m.json", &text.to_string());
    let input = json!({"token": CANARY}).to_string();
    for more in [&["--output", "json"][..], &[]] {
        let arguments = ["run", &plugin, "--settings", &file, "--call", "radio/fail", "--input", &input];
        let done = run(arguments.into_iter().chain(more.iter().copied()));
        assert_eq!(done.code, 1, "{done:?}");
        assert!(!done.text().contains("canary") && !done.stderr.contains("canary"), "{done:?}");
    }
    let disabled =
        run(["run", &plugin, "--set", "plugins.radio.enabled=false", "--call", "radio/config", "--output", "json"]);
    assert_eq!(disabled.json()["error"]["code"], Value::from("not_running"), "{disabled:?}");
}

#[test]
fn an_interface_that_there_is_not_and_a_definition_that_cannot_be_read_end_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.wit");
    std::fs::write(&file, "package a:b@1.0.0;\ninterface c {\n  d: fun();\n}\n").unwrap();
    let plugin = crate::plugins::guest().display().to_string();
    let with = |interfaces: &str| run(["inspect", &plugin, "--set", &format!("interfaces=[{interfaces}]")]);
    let unknown = with("plyer");
    assert!(unknown.code == 3 && unknown.stderr.contains("music-source"), "{unknown:?}");
    let broken = with(&file.display().to_string());
    assert!(broken.code == 3 && broken.stderr.contains("a.wit:3:"), "{broken:?}");
    assert_eq!(with("player, plugin").code, 0);
}

#[test]
fn a_secret_that_stands_in_the_settings_by_mistake_is_not_shown_with_the_fault() {
    let folder = tempfile::tempdir().unwrap();
    let texts = [
        format!("secrets:\n  radio: {CANARY}\n"),
        format!("store: {{kind: redis, address: 'a:1', password: {CANARY}}}\nloda: 1\n"),
        format!("store: {{kind: redis, address: 'redis://:{CANARY}@a:1'}}\n"),
    ];
    for text in texts {
        let file = write(folder.path(), "m.yaml", &text);
        for done in [run(["config", "check", &file]), run(["run", "--settings", &file]), run(["config", "show", &file])]
        {
            assert!(done.code == 3 && done.stderr.contains("m.yaml:"), "{done:?}");
            assert!(!done.stderr.contains("canary") && !done.text().contains("canary"), "{done:?}");
        }
    }
}

#[test]
fn a_variable_that_is_set_to_nothing_is_as_good_as_not_set() {
    let folder = tempfile::tempdir().unwrap();
    let unset = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.env("MIDPLANE_SETTINGS", "").env("MIDPLANE_DATA", "").env("XDG_DATA_HOME", folder.path());
        Done::of(command.current_dir(folder.path()).output().unwrap())
    };
    assert_eq!(unset(&["config", "check"]).code, 0);
    let nobody = unset(&["status", "--output", "json"]);
    assert_eq!((nobody.code, nobody.error().as_str()), (7, "peer_gone"), "{nobody:?}");
    assert_eq!(unset(&["status", "--data", ""]).code, 2);
}
