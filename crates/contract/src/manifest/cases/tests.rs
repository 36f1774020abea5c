use serde_json::json;

use super::*;
use crate::manifest::FaultCode;

const GOOD: &str = "\
description: What it counts
config: { top: 3, deep: { a: 1 } }
timeout: 5s
setup:
  - action: reset
cases:
  - name: counts words
    config: { deep: { b: 2 } }
    action: count
    text: one two
    expect:
      subset: { words: 2 }
      contains: words
    verify:
      - action: total
        input: null
        expect: { json: 2 }
    cleanup:
      - { plugin: store, action: clear, base64: AAEC }
  - name: refuses nothing
    action: count
    timeout: 300ms
    expect: { error: { code: empty, message: [no, text] } }
  - name: does not load without a top
    config: { top: null }
    expect: { error: config_invalid }
  - name: not yet
    skip: waits for the parser
    action: v1/parse
    file: tests/data/a.txt
";

fn faults(text: &str) -> Vec<(FaultCode, usize, String)> {
    parse("a.yaml", text.as_bytes()).faults.into_iter().map(|fault| (fault.code, fault.line, fault.remedy)).collect()
}

#[test]
fn a_file_says_what_is_done_and_what_comes_of_it() {
    let parsed = parse("cases.yaml", GOOD.as_bytes());
    assert_eq!(parsed.faults, Vec::new());
    let file = parsed.file.unwrap();
    let [words, nothing, loading, skipped] = file.cases.as_slice() else { panic!("{file:?}") };
    assert_eq!(json!(words.config), json!({"top": 3, "deep": {"a": 1, "b": 2}}));
    assert_eq!((words.setup.len(), words.timeout.as_secs(), words.spot.line()), (1, 5, 7));
    assert_eq!(words.act.as_ref().unwrap().input, Body::Text("one two".into()));
    assert_eq!(words.verify[0].input, Body::Json(json!(null)));
    assert_eq!(words.cleanup[0].plugin.as_ref().unwrap().as_str(), "store");
    assert!(matches!(&words.cleanup[0].input, Body::Base64(text, spot) if text == "AAEC" && spot.line() == 19));
    let Some(Expectation::Reply(demands)) = &words.act.as_ref().unwrap().expect else { panic!("{words:?}") };
    assert_eq!(demands[0].demanded, Demanded::Subset(json!({"words": 2})));
    assert_eq!(demands[1].demanded, Demanded::Contains(vec!["words".into()]));
    assert_eq!(nothing.timeout.as_millis(), 300);
    let error = ExpectedError { code: Some("empty".into()), message: vec!["no".into(), "text".into()] };
    assert_eq!(nothing.act.as_ref().unwrap().expect, Some(Expectation::Error(error)));
    assert!(loading.act.is_none() && loading.expect.is_some());
    assert_eq!(skipped.skip.as_deref(), Some("waits for the parser"));
}

#[test]
fn every_fault_is_found_at_once_with_its_line_and_a_remedy() {
    let text = "\
cases:
  - nam: x
    acton: count
    input: 1
    text: two
    expect: { jsn: 1 }
  - name: a
    action: no spaces
    timeout: 5
    expect: { json: 1, text: a, error: x }
  - name: a
    action: b
    timeout: 2h
    file: ../outside
    setup: [{ action: c, input: 1, base64: AA== }, { input: 2 }]
";
    let found = faults(text);
    let kinds: Vec<(FaultCode, usize)> = found.iter().map(|(code, line, _)| (*code, *line)).collect();
    for expected in [
        (FaultCode::MissingField, 2),
        (FaultCode::UnknownField, 2),
        (FaultCode::UnknownField, 3),
        (FaultCode::Conflict, 5),
        (FaultCode::UnknownField, 6),
        (FaultCode::InvalidValue, 8),
        (FaultCode::WrongType, 9),
        (FaultCode::Conflict, 10),
        (FaultCode::Conflict, 11),
        (FaultCode::OutOfRange, 13),
        (FaultCode::PathLeavesFolder, 14),
        (FaultCode::Conflict, 15),
        (FaultCode::MissingField, 15),
    ] {
        assert!(kinds.contains(&expected), "{expected:?} is not in {found:#?}");
    }
    let remedies: Vec<&str> = found.iter().map(|(_, _, remedy)| remedy.as_str()).collect();
    for near in ["`name`", "`action`", "`json`"] {
        assert!(remedies.iter().any(|remedy| remedy.contains(&format!("did you mean {near}"))), "{near}: {remedies:?}");
    }
    assert!(remedies.iter().all(|remedy| !remedy.is_empty() && !remedy.contains("manifest")), "{remedies:?}");
}

#[test]
fn a_reply_cannot_be_expected_where_nothing_is_called() {
    let found = faults("cases: [{ name: a, expect: { json: 1 } }, { name: b, text: x }, { name: c, expect: {} }]");
    assert_eq!(found.iter().map(|(code, _, _)| *code).collect::<Vec<_>>(), vec![FaultCode::Conflict; 3], "{found:?}");
}

#[test]
fn what_is_no_case_file_is_called_by_its_name() {
    for (text, part) in [("", "is empty"), ("cases: []", "no cases"), ("- a", "not a map"), ("{}", "no `cases`")] {
        let parsed = parse("a.yaml", text.as_bytes());
        let message = &parsed.faults.first().unwrap().message;
        assert!(parsed.file.is_none() && message.contains(part) && !message.contains("manifest"), "{text}: {message}");
    }
    let large = vec![b'#'; crate::defaults::MANIFEST_SIZE + 1];
    let faults = parse("a.yaml", &large).faults;
    assert!(faults[0].code == FaultCode::TooLarge && faults[0].remedy.contains("file:"), "{faults:?}");
    let deep = "[".repeat(100);
    assert_eq!(parse("a.yaml", deep.as_bytes()).faults[0].code, FaultCode::TooLarge);
    assert!(!parse("a.json", b"cases: 1").faults.is_empty());
}

#[test]
fn the_schema_for_editors_accepts_what_is_accepted() {
    let schema = jsonschema::validator_for(&json_schema()).unwrap();
    let good = crate::reading::yaml::read(GOOD.as_bytes(), false, &mut Default::default()).unwrap().to_json();
    assert!(schema.is_valid(&good));
    assert!(!schema.is_valid(&json!({"cases": [{"nam": "x"}]})));
}

#[test]
fn the_committed_schema_is_current() {
    let committed = include_str!("../../../../../contract/cases.schema.json");
    let committed: serde_json::Value = serde_json::from_str(committed).unwrap();
    assert!(committed == json_schema(), "run `cargo xtask generate`");
}
