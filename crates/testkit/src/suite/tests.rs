use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use midplane_contract::{Code, Error, Hook};
use serde_json::{Value, json};

use super::*;
use crate::{Fake, PluginFolder, Program, Sabotage, Scratch};

/// A plugin with a word counter, a wrong answer, a hang and a crash.
fn program() -> Program {
    let number = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok().and_then(|value| value.as_i64());
    Program::new()
        .action("count", |_, input, reply| {
            let words = String::from_utf8_lossy(input).split_whitespace().count();
            reply.write(json!({ "words": words, "bytes": input.len() }).to_string().as_bytes())
        })
        .action("double", move |desk, input, reply| match number(input) {
            // Wrong on purpose.
            Some(number) => reply.write(number.pow(2).to_string().as_bytes()),
            None => Err(desk.own_error("no_number", "that is no number", false, Value::Null)),
        })
        .action("remember", |desk, _, reply| {
            desk.memory.counter += 1;
            reply.write(desk.memory.counter.to_string().as_bytes())
        })
        .hang("hang")
        .action("crash", |desk, _, _| Err(desk.die()))
}

const THREE: &str = "\
cases:
  - { name: counts words, action: count, text: one two, expect: { subset: { words: 2 } } }
  - { name: doubles, action: double, input: 4, expect: { json: 8 } }
  - { name: hangs, action: hang, timeout: 100ms }
  - { name: remembers, setup: [{ action: remember }], action: remember, expect: { text: \"2\" } }
  - { name: crashes, action: crash }
  - { name: forgets, action: remember, expect: { json: 1 } }
  - { name: says what is no number, action: double, text: x, expect: { error: { code: no_number, message: no num } } }
";

/// A plugin folder with case files, and the fake that runs it.
struct Place {
    _scratch: Scratch,
    folder: PathBuf,
    fake: Fake,
}

impl Place {
    fn new(plugin: PluginFolder, fake: Fake, cases: &[(&str, &str)]) -> Self {
        let scratch = Scratch::new("suite").unwrap();
        let folder = plugin.write(scratch.path()).unwrap();
        for (name, text) in cases {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self { _scratch: scratch, folder, fake }
    }

    fn counting(cases: &[(&str, &str)]) -> Self {
        let actions = json!(["count", "double", "remember", "hang", "crash"]);
        let plugin = PluginFolder::fake("counting", "counting").with("actions", actions);
        Self::new(plugin, Fake::new().program("counting", program()), cases)
    }

    fn suite(&self) -> Suite {
        let fake = self.fake.clone();
        Suite::for_folder(&self.folder)
            .effort(Effort::Quick)
            .kernel(move || Kernel::builder().runtime(Arc::new(fake.clone())))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.fake.release();
    }
}

fn failed(report: &Report) -> Vec<&str> {
    report.verdicts.iter().filter(|verdict| verdict.failed()).map(|verdict| verdict.name.as_str()).collect()
}

fn failure<'r>(report: &'r Report, name: &str) -> &'r Failure {
    match &report.verdict(name).unwrap_or_else(|| panic!("no `{name}` in {}", report.text())).outcome {
        Outcome::Failed(failure) => failure,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn a_wrong_answer_a_hang_and_a_crash_are_exactly_what_fails() {
    let place = Place::counting(&[("tests/three.yaml", THREE)]);
    let report = place.suite().run().unwrap();
    assert_eq!(failed(&report), ["doubles", "hangs", "crashes"], "{}", report.text());
    assert_eq!((report.failed, report.passed()), (3, false));
    let wrong = failure(&report, "doubles");
    assert_eq!((wrong.kind, wrong.at_line), (FailureKind::WrongAnswer, Some(3)));
    assert_eq!((wrong.expected.as_deref(), wrong.got.as_deref()), (Some("8"), Some("16")));
    let hang = failure(&report, "hangs");
    assert!(hang.kind == FailureKind::Timeout && hang.reason.contains("100 ms"), "{hang:?}");
    assert_eq!(failure(&report, "crashes").kind, FailureKind::Crash);
    // What the cases say of an action is not said again by a check.
    let odd = &report.verdict("odd input does not end it: hang").unwrap().outcome;
    assert!(matches!(odd, Outcome::Skipped { reason } if reason.contains("`hangs`")), "{odd:?}");
}

#[test]
fn without_a_case_the_checks_find_the_hang_and_the_crash_themselves() {
    let place = Place::counting(&[]);
    let report = place.suite().only("odd input").run().unwrap();
    assert_eq!(failed(&report), ["odd input does not end it: hang", "odd input does not end it: crash"]);
    assert_eq!(failure(&report, "odd input does not end it: hang").kind, FailureKind::Timeout);
    assert_eq!(failure(&report, "odd input does not end it: crash").kind, FailureKind::Crash);
}

#[test]
fn a_hang_that_nothing_can_end_costs_its_own_case_only() {
    let fake = Fake::sabotaged(Sabotage::NoDeadline).program("counting", program());
    let plugin = PluginFolder::fake("counting", "counting");
    let place = Place::new(plugin, fake, &[("plugin.test.yaml", THREE)]);
    let report = place.suite().without_conformance().run().unwrap();
    assert_eq!(failed(&report), ["doubles", "hangs", "crashes"], "{}", report.text());
}

#[test]
fn the_report_is_text_json_and_junit() {
    let place = Place::counting(&[("tests/three.yaml", THREE)]);
    let report = place.suite().without_conformance().run().unwrap();
    let text = report.text();
    for part in [
        "counting 1.0.0 (wasm/in-process)",
        "tests/three.yaml",
        "ok      counts words",
        "FAILED  doubles",
        "tests/three.yaml:3: the reply is another value",
        "expected: 8",
        "got: 16",
        "4 passed, 3 failed",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json = report.json();
    assert_eq!((&json["failed"], &json["plugin"]), (&json!(3), &json!("counting")));
    assert_eq!(json["verdicts"][1]["outcome"], "failed");
    assert_eq!(json["verdicts"][1]["kind"], "wrong_answer");
    let junit = report.junit();
    let xml = roxmltree::Document::parse(&junit).unwrap();
    assert_eq!(xml.root_element().attribute("failures"), Some("3"));
    assert_eq!(xml.descendants().filter(|node| node.has_tag_name("testcase")).count(), 7);
}

#[test]
fn cleanup_happens_whatever_has_happened_before() {
    let cleaned = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&cleaned);
    let program = program().action("clean", move |_, _, _| {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    let cases = "\
timeout: 100ms
cleanup: [{ action: clean }]
cases:
  - { name: good, action: count }
  - { name: wrong, action: count, expect: { json: 1 } }
  - { name: hang, action: hang }
  - { name: crash, action: crash }
  - { name: setup, setup: [{ action: crash }], action: count }
  - { name: verify, action: count, verify: [{ action: double, input: x }] }
  - { name: cleanup, action: count, cleanup: [{ action: double, input: x }] }
";
    let fake = Fake::new().program("counting", program);
    let place = Place::new(PluginFolder::fake("counting", "counting"), fake, &[("tests/a.yaml", cases)]);
    let report = place.suite().without_conformance().run().unwrap();
    assert_eq!(failed(&report), ["wrong", "hang", "crash", "setup", "verify", "cleanup"], "{}", report.text());
    assert_eq!(cleaned.load(Ordering::SeqCst), 7);
    assert!(failure(&report, "setup").reason.starts_with("setup 1 (`crash`)"), "{}", report.text());
    assert!(failure(&report, "verify").reason.starts_with("verify 1 (`double`)"), "{}", report.text());
    let cleanup = failure(&report, "cleanup");
    assert!(cleanup.also[0].contains("cleanup 1 (`double`)"), "{cleanup:?}");
}

#[test]
fn every_way_to_say_what_comes_back_tells_right_from_wrong() {
    let program = Program::echoing();
    let cases = "\
cases:
  - { name: json, action: echo, input: { b: [1.0], a: null }, expect: { json: { a: null, b: [1] } } }
  - { name: no json, action: echo, text: '{', expect: { json: {} } }
  - { name: subset, action: echo, input: { a: 1, b: [1, 2] }, expect: { subset: { b: [1] } } }
  - { name: no subset, action: echo, input: { a: 1 }, expect: { subset: { b: 1 } } }
  - { name: text, action: echo, text: 'ü', expect: { text: 'ü' } }
  - { name: no text, action: echo, text: a, expect: { text: b } }
  - { name: bytes, action: echo, base64: /wD/, expect: { base64: '/wD /' } }
  - { name: no bytes, action: echo, base64: /wD/, expect: { base64: /wAA } }
  - { name: file, action: echo, file: data.bin, expect: { file: data.bin } }
  - { name: no file, action: echo, file: data.bin, expect: { text: x } }
  - { name: contains, action: echo, text: one two, expect: { contains: [one, two] } }
  - { name: no contains, action: echo, text: one two, expect: { contains: three } }
  - { name: schema, action: echo, input: 5, expect: { schema: { type: integer, minimum: 5 } } }
  - { name: no schema, action: echo, input: 4, expect: { schema: { type: integer, minimum: 5 } } }
  - { name: empty, action: echo, expect: { empty: true } }
  - { name: no empty, action: echo, text: a, expect: { empty: true } }
  - { name: no error, action: echo, expect: { error: plugin_error } }
  - { name: not there, action: nothing, expect: { error: action_not_found } }
  - { name: no not there, action: nothing, expect: { error: { code: action_not_found, message: something else } } }
";
    let fake = Fake::new().program("echo", program);
    let place = Place::new(PluginFolder::fake("echo", "echo"), fake, &[("tests/a.yaml", cases)]);
    std::fs::write(place.folder.join("data.bin"), b"\xff\x00data").unwrap();
    let report = place.suite().without_conformance().run().unwrap();
    for verdict in &report.verdicts {
        assert_eq!(verdict.failed(), verdict.name.starts_with("no "), "{}", verdict.text());
    }
    assert!(report.verdicts.iter().all(|verdict| verdict.text().len() < 1500));
}

#[test]
fn a_case_without_a_call_is_about_loading() {
    let program =
        Program::new().action("show", |desk, _, reply| reply.write(desk.memory.config.to_string().as_bytes()));
    let program = program.hook(Hook::Init, |desk, input| {
        desk.memory.config = serde_json::from_slice(input).unwrap_or_default();
        Ok(Vec::new())
    });
    let schema = json!({ "type": "object", "required": ["top"], "properties": { "top": { "type": "integer" } } });
    let cases = "\
config: { top: 1 }
cases:
  - { name: loads }
  - { name: takes its own, config: { top: 5 }, action: show, expect: { json: { top: 5 } } }
  - { name: takes the file's, action: show, expect: { subset: { top: 1 } } }
  - { name: refuses text, config: { top: many }, expect: { error: { code: config_invalid, message: /top } } }
  - { name: should be refused, expect: { error: config_invalid } }
  - { name: cannot be called, config: { top: many }, action: show }
";
    let plugin = PluginFolder::fake("top", "top").with("config_schema", schema).with("actions", json!(["show"]));
    let place = Place::new(plugin, Fake::new().program("top", program), &[("tests/a.yaml", cases)]);
    let report = place.suite().run().unwrap();
    assert_eq!(failed(&report), ["should be refused", "cannot be called"], "{}", report.text());
    assert_eq!(failure(&report, "cannot be called").kind, FailureKind::Lifecycle);
    // The checks load it with a configuration of the author's, since it needs one.
    assert_eq!(report.skipped, 0, "{}", report.text());
    let noted = &report.verdict("a configuration that breaks its schema is refused").unwrap().notes;
    assert!(noted[0].contains("top"), "{noted:?}");
}

#[test]
fn the_conformance_plugin_passes_its_own_conformance() {
    let cases = "\
cases:
  - { name: hangs, action: hang, timeout: 50ms, expect: { error: deadline_exceeded } }
  - { name: aborts, action: abort, expect: { error: crashed } }
  - { name: panics, action: panic, text: boo, expect: { error: { code: panicked, message: boo } } }
  - { name: does not take what it does not like, config: { invalid: true }, expect: { error: config_invalid } }
";
    let place = Place::new(
        PluginFolder::fake("probe", "probe"),
        Fake::new().program("probe", crate::probe()),
        &[("plugin.test.yml", cases)],
    );
    let report = place.suite().run().unwrap();
    assert!(report.passed(), "{}", report.text());
    let odd = report.verdicts.iter().filter(|verdict| verdict.name.starts_with("odd input")).count();
    assert_eq!(odd, 16, "one for each action that the code names: {}", report.text());
}

#[test]
fn faults_of_a_runtime_are_noticed() {
    let noticed = |sabotage, check: &str| {
        let cases = "cases: [{ name: echoes, action: echo, text: x, expect: { text: x } }]";
        let fake = Fake::sabotaged(sabotage).program("probe", crate::probe());
        let plugin =
            PluginFolder::fake("probe", "probe").with("actions", json!([{ "name": "echo", "idempotent": true }]));
        let place = Place::new(plugin, fake, &[("tests/echo.yaml", cases)]);
        let report = place.suite().effort(Effort::Usual).only(check).run().unwrap();
        assert_eq!(report.failed, 1, "{sabotage:?}: {}", report.text());
    };
    noticed(Sabotage::LostReply, "at once");
    noticed(Sabotage::LeakedInstance, "does not grow");
}

#[test]
fn what_does_not_load_is_said_once() {
    let place = Place::new(PluginFolder::fake("lost", "no such program"), Fake::new(), &[]);
    let report = place.suite().run().unwrap();
    assert_eq!(failed(&report), ["it loads and runs"], "{}", report.text());
    assert!(report.verdicts.iter().any(|verdict| matches!(verdict.outcome, Outcome::Skipped { .. })));
    let missing = PluginFolder::fake("counting", "counting").with("actions", json!(["count", "subtract"]));
    let place = Place::new(missing, Fake::new().program("counting", program()), &[]);
    let report = place.suite().only("declares").run().unwrap();
    assert!(failure(&report, "it has the actions that it declares").reason.contains("subtract"), "{}", report.text());
}

#[test]
fn nothing_is_run_where_a_file_is_wrong_and_all_faults_are_told() {
    let place = Place::counting(&[
        ("tests/a.yaml", "cases:\n  - nam: x\n"),
        (
            "tests/b.yaml",
            "cases:\n  - { name: x, action: count, base64: '?', expect: { schema: { type: 5 } } }\n  - { name: y, action: count, file: tests/gone }\n",
        ),
    ]);
    let error = place.suite().run().unwrap_err();
    assert_eq!(error.code(), Code::ManifestInvalid);
    let files = error.record().data["files"].as_array().unwrap();
    let count = |number: usize| files[number]["faults"].as_array().unwrap().len();
    assert_eq!((files.len(), count(0), count(1)), (2, 2, 3), "{error}");
    let message = &error.record().message;
    assert!(message.contains("did you mean `name`") && message.contains("b.yaml:3:"), "{message}");
    let missing = Suite::for_folder("/no/such/plugin").run().unwrap_err();
    assert_eq!(missing.code(), Code::PluginNotFound);
}

#[test]
fn a_plugin_is_found_by_its_manifest_and_by_a_folder_that_is_here() {
    let place = Place::counting(&[("tests/three.yaml", THREE)]);
    let fake = place.fake.clone();
    let suite = Suite::for_folder(place.folder.join("plugin.json"))
        .kernel(move || Kernel::builder().runtime(Arc::new(fake.clone())));
    assert!(suite.only("counts words").run().unwrap().passed());
}

#[test]
fn one_can_list_choose_and_stop() {
    let place = Place::counting(&[("tests/three.yaml", THREE)]);
    let names: Vec<String> = place.suite().list().unwrap().into_iter().map(|listed| listed.name).collect();
    assert!(names.contains(&"counts words".to_owned()) && names.contains(&"it reloads".to_owned()), "{names:?}");
    assert_eq!(place.suite().only("three.yaml: COUNTS").list().unwrap().len(), 1);
    assert_eq!(place.suite().only("no such").run().unwrap_err().code(), Code::InvalidInput);
    let mut seen = 0;
    let stopped = place.suite().run_watched(&mut |_| {
        seen += 1;
        if seen == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let stopped = stopped.unwrap();
    assert!(stopped.ended_early && !stopped.passed() && stopped.verdicts.len() == 2);
}

#[test]
fn cases_call_other_plugins_and_policies_are_for_plugins_that_are_there() {
    let cases = "\
cases:
  - name: with a neighbour
    setup: [{ plugin: neighbour, action: remember, expect: { json: 1 } }]
    action: count
    verify: [{ plugin: neighbour, action: remember, expect: { json: 2 } }]
";
    let place = Place::counting(&[("tests/a.yaml", cases)]);
    let neighbour = PluginFolder::fake("neighbour", "counting").write(place.folder.parent().unwrap()).unwrap();
    let suite = place.suite().without_conformance();
    let report = suite.clone().with_plugin(&neighbour).run().unwrap();
    assert!(report.passed(), "{}", report.text());
    assert!(!suite.run().unwrap().passed());
    let unknown = PluginId::new("unknown").unwrap();
    let error: Error = place.suite().policy(unknown, Policy::default()).run().unwrap_err();
    assert_eq!(error.code(), Code::PluginNotFound);
}

#[test]
fn loading_calling_and_unloading_are_measured() {
    let place = Place::counting(&[("tests/three.yaml", THREE)]);
    let bench = place.suite().bench(5).unwrap();
    assert_eq!((bench.rounds, bench.action.as_deref()), (5, Some("count")));
    for spread in [bench.load, bench.first_call, bench.unload] {
        assert!(spread.min_ms > 0.0 && spread.min_ms <= spread.median_ms && spread.median_ms <= spread.max_ms);
    }
    assert!(bench.text().contains("median") && bench.text().contains("count"), "{}", bench.text());
}
