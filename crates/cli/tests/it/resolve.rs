//! Which versions go together.

use std::path::Path;

use serde_json::json;

use crate::midplane::run;

/// A folder with plugins: `id version needs`, the needs as a list in YAML.
fn folder(plugins: &[(&str, &str, &str)]) -> tempfile::TempDir {
    let all = tempfile::tempdir().unwrap();
    for (id, version, needs) in plugins {
        let folder = all.path().join(format!("{id}-{version}"));
        std::fs::create_dir(&folder).unwrap();
        let manifest = format!(
            "id: {id}\nname: {id}\nversion: {version}\nentry: {{ runtime: wasm, main: p.wasm }}\ndependencies: {needs}\n"
        );
        std::fs::write(folder.join("plugin.yaml"), manifest).unwrap();
        std::fs::write(folder.join("p.wasm"), "").unwrap();
    }
    all
}

fn resolve(folder: &Path, more: &[&str]) -> crate::midplane::Done {
    let folder = folder.display().to_string();
    let arguments: Vec<&str> = ["resolve", "--plugins", &folder].into_iter().chain(more.iter().copied()).collect();
    run(arguments)
}

#[test]
fn a_plan_is_printed_as_text_json_and_a_graph() {
    let plugins = folder(&[
        ("player", "1.0.0", "['decoder@^1', 'log@*']"),
        ("decoder", "1.4.0", "[]"),
        ("decoder", "2.0.0", "[]"),
        ("log", "1.0.0", "[]"),
    ]);
    let done = resolve(plugins.path(), &["player"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let text = "1  decoder  1.4.0\n1  log      1.0.0\n2  player   1.0.0  needs decoder, log\n";
    assert_eq!(done.text(), text);
    let done = resolve(plugins.path(), &["player", "--output", "json"]);
    let document = done.json();
    assert_eq!(document["waves"], json!([["decoder", "log"], ["player"]]));
    assert_eq!(document["steps"][2]["needs"], json!(["decoder", "log"]));
    let done = resolve(plugins.path(), &["player", "--dot"]);
    assert!(done.text().starts_with("digraph plugins {") && done.text().contains("\"player\" -> \"log\";"));
}

#[test]
fn a_refusal_says_who_asks_for_what_and_ends_with_its_code() {
    let plugins = folder(&[
        ("player", "1.0.0", "['decoder@^2']"),
        ("editor", "1.0.0", "['decoder@<2']"),
        ("decoder", "1.4.0", "[]"),
        ("decoder", "2.0.0", "[]"),
        ("lost", "1.0.0", "['nowhere@*']"),
    ]);
    let done = resolve(plugins.path(), &["player", "editor", "--output", "json"]);
    let error = done.json()["error"].clone();
    assert_eq!((done.code, &error["code"]), (3, &"dependency_conflict".into()));
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("`player` 1.0.0 needs `decoder` ^2") && message.contains("`editor` 1.0.0 needs"),
        "{message}"
    );
    // People read it line by line.
    let told = resolve(plugins.path(), &["player", "editor"]).stderr;
    let line =
        |part: &str| told.lines().position(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}: {told}"));
    assert!(
        line("serves everybody") < line("`editor` 1.0.0 needs")
            && line("`editor` 1.0.0 needs") < line("`player` 1.0.0 needs")
    );
    assert!(line("`player` 1.0.0 needs") < line("help: "), "{told}");
    for (asked, code) in [("lost", 4), ("unknown", 4), ("decoder@^3", 3), ("decoder@>>1", 2), ("NO/ID", 2)] {
        assert_eq!(resolve(plugins.path(), &[asked]).code, code, "{asked}");
    }
    assert_eq!(resolve(plugins.path(), &["decoder", "--strategy", "odd"]).code, 2);
}

#[test]
fn settings_say_which_versions_are_chosen_and_the_command_line_stands_over_them() {
    let plugins = folder(&[
        ("player", "1.0.0", "['decoder@1.4.0']"),
        ("decoder", "1.4.0", "[]"),
        ("decoder", "1.5.0", "[]"),
        ("decoder", "1.6.0-rc.1", "[]"),
    ]);
    let decoder = |more: &[&str]| {
        let done = resolve(plugins.path(), &[&["player", "--output", "json"], more].concat());
        done.json()["steps"][0]["version"].clone()
    };
    assert_eq!(decoder(&[]), "1.5.0");
    assert_eq!(decoder(&["--set", "versions.strategy=exact"]), "1.4.0");
    assert_eq!(decoder(&["--set", "versions.strategy=exact", "--strategy", "semver"]), "1.5.0");
    assert_eq!(decoder(&["--set", "versions.allow_prerelease=true"]), "1.6.0-rc.1");
}
