//! `routes`: who gets what.

use serde_json::Value;

use crate::midplane::run;
use crate::plugins;

#[test]
fn the_table_shows_types_actions_and_who_is_shadowed() {
    let folder = plugins::folder().display().to_string();
    let done = run(["routes", "--plugins", &folder]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let rows: Vec<Vec<String>> =
        done.text().lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect();
    let of = |kind: &str, pattern: &str| -> Vec<String> {
        rows.iter().filter(|row| row[0] == kind && row[1] == pattern).map(|row| row[2..].join(" ")).collect()
    };
    assert_eq!(of("file", "*.txt"), ["tool/upper 9", "guest/echo 5 (after tool/upper)"]);
    let shadowed = of("action", "echo");
    assert_eq!(shadowed, ["guest 0", "tool 0 (after guest)"]);
}

#[test]
fn a_route_can_be_added_and_a_wrong_one_is_refused() {
    let folder = plugins::folder().display().to_string();
    let route = r#"{"match": {"file": "*.txt"}, "to": {"plugin": "guest"}, "priority": 50}"#;
    let done = run(["routes", "--plugins", &folder, "--route", route, "--output", "json"]);
    let shown: Value = serde_json::from_str(&done.text()).unwrap();
    let files = shown["routes"].as_array().unwrap().iter().filter(|row| row["match"]["file"] == "*.txt");
    let files: Vec<(&Value, &Value)> = files.map(|row| (&row["to"]["plugin"], &row["rule"])).collect();
    assert_eq!(files[0], (&"guest".into(), &"--route 1".into()));
    assert_eq!(files[1], (&"tool".into(), &Value::Null));
    for (wrong, part) in
        [("{", "--route {"), (r#"{"match": {"action": ""}, "to": {"plugin": "guest"}}"#, "route is for")]
    {
        let done = run(["routes", "--plugins", &folder, "--route", wrong]);
        assert_eq!(done.code, 3, "{}", done.stderr);
        assert!(done.stderr.contains(part), "{}", done.stderr);
    }
}
