use super::*;
use serde_json::{Value as Json, json};

fn tree(text: &str) -> (Option<Json>, Vec<Fault>) {
    read_as(text.as_bytes(), false)
}

fn read_as(text: &[u8], json: bool) -> (Option<Json>, Vec<Fault>) {
    let mut faults = Faults::default();
    let node = read(text, json, &mut faults);
    (node.map(|node| node.to_json()), faults.finish())
}

fn only_fault(text: &str) -> Fault {
    let (_, faults) = tree(text);
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.into_iter().next().unwrap()
}

#[test]
fn yaml_becomes_a_tree_with_places() {
    let (json, faults) = tree("# c\na: [1, two]\nb:\n  c: !!str 3\n  d: ~\n");
    assert_eq!(faults, []);
    assert_eq!(json.unwrap(), json!({"a": [1, "two"], "b": {"c": "3", "d": null}}));
    let root = read(b"a: 1\nb:\n  cc: x", false, &mut Faults::default()).unwrap();
    assert_eq!(root.at(&["b", "cc"]).unwrap().at, Mark { line: 3, column: 7 });
    assert_eq!(root.get("b").unwrap().key_mark("cc"), Mark { line: 3, column: 3 });
}

#[test]
fn every_json_document_reads_as_json_does() {
    let documents = [
        r#"{"a":1,"b":[true,false,null,-1.5e3,18446744073709551615],"c":{"":"","d e":"\u00e9\ud83c\udfb6\/\n\t\"\\"}}"#,
        "{\n\t\"tabs\":\t[\t1,\t2\t]\n}",
        "{\"crlf\": 1,\r\n\"x\": [ ] }",
        r#"{"long": {"k": [[[[{}]]]]}, "url": "https://a.b/c#d", "colon": "a: b", "hash": "a #b", "dash": "- a"}"#,
    ];
    for document in documents {
        let (json, faults) = read_as(document.as_bytes(), true);
        assert_eq!(faults, [], "{document}");
        assert_eq!(json.unwrap(), serde_json::from_str::<Json>(document).unwrap(), "{document}");
    }
}

#[test]
fn what_only_yaml_allows_is_refused_in_a_json_file() {
    for text in ["{a: 1}", "{\"a\": 1,}", "a: 1", "{'a': 1}", "{\"a\": 01}", "", "{} {}"] {
        let (_, faults) = read_as(text.as_bytes(), true);
        assert_eq!(faults[0].code, FaultCode::Syntax, "{text}");
        assert!(faults[0].line >= 1 && faults[0].column >= 1);
    }
}

#[test]
fn a_key_written_twice_is_refused_at_its_second_place() {
    let fault = only_fault("a: 1\nb:\n  c: 1\n  \"c\": 2\n");
    assert_eq!((fault.code, fault.path.as_str(), fault.line, fault.column), (FaultCode::DuplicateKey, "/b/c", 4, 3));
}

#[test]
fn aliases_work_and_bombs_are_refused() {
    let (json, faults) = tree("a: &x [1, 2]\nb: *x\n");
    assert_eq!(faults, []);
    assert_eq!(json.unwrap(), json!({"a": [1, 2], "b": [1, 2]}));

    let mut laughs = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        laughs += &format!("a{level}: &a{level} [{}]\n", vec![before; 10].join(", "));
    }
    assert_eq!(only_fault(&laughs).code, FaultCode::TooLarge);

    let long = format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(500_000), vec!["*a"; 1000].join(","));
    assert_eq!(only_fault(&long).code, FaultCode::TooLarge);

    let mut deep = String::from("a0: &a0 [[[[[[[[x]]]]]]]]\n");
    for level in 1..20 {
        deep += &format!("a{level}: &a{level} [[[[*a{}]]]]\n", level - 1);
    }
    assert_eq!(only_fault(&deep).code, FaultCode::TooLarge);
    assert_eq!(only_fault("a: &a [*a]").code, FaultCode::Syntax);
}

#[test]
fn size_depth_and_number_of_values_are_bounded() {
    assert_eq!(only_fault(&"x".repeat(MANIFEST_SIZE + 1)).code, FaultCode::TooLarge);
    assert_eq!(only_fault(&format!("a: [{}]", "1,".repeat(200_000))).code, FaultCode::TooLarge);
    for levels in [65, 70, 300, 10_000] {
        let flow = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(only_fault(&flow).code, FaultCode::TooLarge, "{levels}");
        let block: String = (0..levels.min(1000)).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
        assert_eq!(only_fault(&block).code, FaultCode::TooLarge, "{levels}");
    }
    assert_eq!(tree(&format!("{}{}", "[".repeat(64), "]".repeat(64))).1, []);
}

#[test]
fn what_is_no_single_document_is_refused_with_its_place() {
    for (text, line) in [("", 1), ("# nothing\n", 1), ("a: 1\n---\nb: 2\n", 2), ("a: [1\nb: 2", 2), ("a: 'x\n", 2)] {
        let fault = only_fault(text);
        assert_eq!(fault.code, FaultCode::Syntax, "{text}");
        assert!(fault.line >= line.min(1), "{text}: {fault:?}");
    }
    let (_, faults) = read_as(b"a: 1\nb: \xff", false);
    assert_eq!((faults[0].line, faults[0].column), (2, 4));
    assert_eq!(only_fault("a: *nowhere").code, FaultCode::Syntax);
    assert_eq!(only_fault("a: !danger x").code, FaultCode::Syntax);
    assert_eq!(only_fault("? [a]\n: x").code, FaultCode::Syntax);
    assert_eq!(only_fault("a: .inf").code, FaultCode::InvalidValue);
    assert_eq!(only_fault("<<: {a: 1}").code, FaultCode::Syntax);
}
