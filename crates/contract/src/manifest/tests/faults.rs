use super::{FaultCode, Severity, faults, into_error, parse};
use crate::Code;

/// A document that is right but for what is put into it.
fn with(extra: &str) -> String {
    format!("id: a\nname: A\nversion: 1.0.0\nentry: {{main: a.wasm}}\n{extra}\n")
}

#[test]
fn seven_faults_give_seven_entries_in_one_run() {
    let text = "\
id: Video Card
name: Cards
version: 1.2
entry:
  main: ../outside.js
  runtime: jss
permisions: [file.read]
dependencies:
  - id: other
    version: \"=>1.0\"
instances:
  mode: pool
  min: 5
  max: 2
";
    let parsed = parse("plugin.yaml", text.as_bytes());
    assert!(parsed.manifest.is_none());
    let found: Vec<_> = parsed.faults.iter().map(|f| (f.code.as_str(), f.path.as_str(), f.line, f.column)).collect();
    #[rustfmt::skip]
    assert_eq!(found, [
        ("invalid_id", "/id", 1, 5),
        ("wrong_type", "/version", 3, 10),
        ("path_leaves_folder", "/entry/main", 5, 9),
        ("unsupported_runtime", "/entry/runtime", 6, 12),
        ("unknown_field", "/permisions", 7, 1),
        ("invalid_range", "/dependencies/0/version", 10, 14),
        ("out_of_range", "/instances/min", 13, 3),
    ]);
    assert!(parsed.faults.iter().all(|fault| !fault.remedy.is_empty() && !fault.message.is_empty()));
    assert!(parsed.faults[4].remedy.contains("`permissions`"));

    let error = into_error("plugin.yaml", &parsed.faults);
    assert_eq!(error.code(), Code::ManifestInvalid);
    let record = error.record();
    assert!(record.message.contains("plugin.yaml:5:9: "), "{}", record.message);
    assert_eq!(record.data["faults"].as_array().unwrap().len(), 7);
    assert_eq!(record.data["faults"][0]["code"], "invalid_id");
    assert_eq!(record.data["faults"][0]["severity"], "error");
}

#[test]
fn each_field_says_what_is_wrong_with_it() {
    #[rustfmt::skip]
    let table: &[(&str, &str)] = &[
        ("type: widget", "unsupported_plugin_type /type 5:7"),
        ("placement: in_process", "unknown_word /placement 5:12"),
        ("reload: sometimes", "unknown_word /reload 5:9"),
        ("limits: {memory: 64mb}", "invalid_size /limits/memory 5:18"),
        ("limits: {call_deadline: 30}", "wrong_type /limits/call_deadline 5:25"),
        ("limits: {call_deadline: 30 sec}", "invalid_duration /limits/call_deadline 5:25"),
        ("limits: {threads: 0}", "out_of_range /limits/threads 5:19"),
        ("limits: {cpu: -1}", "out_of_range /limits/cpu 5:15"),
        ("limits: {call_deadline: 1s, call_deadline_ms: 5}", "conflict /limits/call_deadline_ms 5:29"),
        ("limits: {memory: 1MiB}\nresources: {max_memory_mb: 2}", "conflict /limits/memory 5:10"),
        ("instances: {max: 3}", "out_of_range /instances/max 5:13"),
        ("instances: {mode: pool, min: 0}", "out_of_range /instances/min 5:30"),
        ("resources: {min_memory_mb: 9, max_memory_mb: 3}", "out_of_range /resources/min_memory_mb 5:13"),
        ("resources: {requires_gpu: yes}", "wrong_type /resources/requires_gpu 5:27"),
        ("permissions: [File.read]", "invalid_permission /permissions/0 5:15"),
        ("permissions: file.read", "wrong_type /permissions 5:14"),
        ("actions: [a, a]", "conflict /actions/1 5:14"),
        ("actions: [a b]", "invalid_value /actions/0 5:11"),
        ("actions: [{description: x}]", "missing_field /actions/0/name 5:11"),
        ("actions: [a]\ninterfaces: {actions: [b]}", "conflict /interfaces/actions 6:14"),
        ("actions: [a]\nfile_types: [{extension: .x, action: b}]", "unknown_word /file_types/0/action 6:38"),
        ("file_types: [{extension: mp4}]", "invalid_value /file_types/0/extension 5:26"),
        ("file_types: [{mime_type: a/b}]", "missing_field /file_types/0/extension 5:14"),
        ("file_types: [{extension: .x, priority: 1.5}]", "out_of_range /file_types/0/priority 5:40"),
        ("dependencies: [{version: ^1}]", "missing_field /dependencies/0 5:16"),
        ("dependencies: [b, b]", "conflict /dependencies/1 5:19"),
        ("dependencies: [a]", "conflict /dependencies/0 5:16"),
        ("compatibility: {core_version: banana}", "invalid_range /compatibility/core_version 5:31"),
        ("compatibility: {min_version: 2.0.0, max_version: 1.0.0}", "out_of_range /compatibility/min_version 5:17"),
        ("entry_point: b.wasm", "conflict /entry_point 5:1"),
        ("labels: {a: 1}", "wrong_type /labels/a 5:13"),
        ("config_schema: [1]", "wrong_type /config_schema 5:16"),
        ("publish_time: yesterday", "invalid_value /publish_time 5:15"),
        ("size: -1", "out_of_range /size 5:7"),
        ("description: 7", "wrong_type /description 5:14"),
        ("x~/y: 1", "unknown_field /x~0~1y 5:1"),
    ];
    for (extra, expected) in table {
        assert_eq!(faults(&with(extra)), [*expected], "{extra}");
    }
}

#[test]
fn everything_that_is_required_is_asked_for_at_once() {
    assert_eq!(
        faults("description: x"),
        [
            "missing_field /name 1:1",
            "missing_field /version 1:1",
            "missing_field /id 1:1",
            "missing_field /entry/main 1:1"
        ]
    );
    assert_eq!(
        faults("kind: Plugin"),
        ["missing_field /api_version 1:1", "missing_field /metadata 1:1", "missing_field /spec 1:1"]
    );
    assert_eq!(faults("id: a\nname: ''\nversion: ''\nentry: {main: ''}").len(), 3);
    assert_eq!(faults("- a"), ["wrong_type  1:1"]);
    assert_eq!(faults("just text"), ["wrong_type  1:1"]);
}

#[test]
fn a_runtime_that_nothing_tells_is_asked_for() {
    let text = "id: a\nname: A\nversion: 1.0.0\nentry: {main: run}\n";
    assert_eq!(faults(text), ["missing_field /entry/runtime 4:8"]);
}

#[test]
fn the_envelope_is_checked_too() {
    let envelope = |api: &str, kind: &str, name: &str, spec: &str| {
        faults(&format!(
            "api_version: {api}\nkind: {kind}\nmetadata: {{name: {name}, version: 1.0.0}}\nspec: {{{spec}}}\n"
        ))
    };
    let right = "type: rpc, entry_point: a";
    assert_eq!(envelope("v1", "Plugin", "a", right), [] as [&str; 0]);
    assert_eq!(envelope("v2", "Plugin", "a", right), ["unsupported_api_version /api_version 1:14"]);
    assert_eq!(envelope("v7", "Plugin", "a", right), ["unsupported_api_version /api_version 1:14"]);
    assert_eq!(envelope("v1", "Plugin", "My Plugin", right), ["invalid_id /metadata/name 3:18"]);
    assert_eq!(envelope("v1", "Deployment", "a", right), ["unknown_word /kind 2:1"]);
    assert_eq!(
        envelope("v1", "Plugin", "a", "type: plugin, entry_point: a"),
        ["unsupported_plugin_type /spec/type 4:14"]
    );
    assert_eq!(envelope("v1", "Plugin", "a", "type: rpc"), ["missing_field /spec/entry_point 4:7"]);
    assert_eq!(
        envelope("v1", "Plugin", "a", "type: rpc, entry_point: a, entry: {main: b}"),
        ["conflict /spec/entry_point 4:19"]
    );
    assert_eq!(
        envelope("v1", "Plugin", "a", "type: webassembly, entry_point: a, runtime: native"),
        ["conflict /spec/type 4:8"]
    );
    assert_eq!(
        envelope("v1", "Plugin", "a", "type: rpc, entry_point: /bin/sh"),
        ["path_leaves_folder /spec/entry_point 4:32"]
    );
}

#[test]
fn only_a_wrong_runtime_is_an_unsupported_runtime() {
    let parsed = parse("plugin.yaml", b"id: a\nname: A\nversion: 1.0.0\nentry: {main: a, runtime: cobol}\n");
    let error = parsed.into_result("plugin.yaml").unwrap_err();
    assert_eq!(error.code(), Code::UnsupportedRuntime);
    assert!(error.record().message.contains("cobol"));
}

#[test]
fn warnings_do_not_keep_a_plugin_from_loading() {
    let text = with("permissions: [media.encode]\nmetadata: {icon: ../../x.png}");
    let parsed = parse("plugin.yaml", text.as_bytes());
    assert!(parsed.manifest.is_some());
    assert_eq!(parsed.faults[0].code, FaultCode::UnknownPermission);
    assert!(parsed.faults.iter().all(|fault| fault.severity == Severity::Warning));
    assert_eq!(parsed.faults.len(), 2);
}

#[test]
fn a_flood_of_faults_is_cut_off_and_said_to_be() {
    let text: String = (0..20_000).map(|n| format!("f{n}: 1\n")).collect();
    let parsed = parse("plugin.yaml", text.as_bytes());
    assert_eq!(parsed.faults.len(), super::FAULTS_KEPT + 1);
    assert_eq!(parsed.faults.last().unwrap().code, FaultCode::More);
    let twice: String = "a: 1\n".repeat(20_000);
    assert_eq!(parse("plugin.yaml", twice.as_bytes()).faults.len(), super::FAULTS_KEPT + 1);
}
