use midplane_contract::Code;

use super::*;

#[test]
fn everything_that_is_needed_is_listed_and_what_was_asked_for_comes_last() {
    let plan = plan(&["a 1.0.0: b", "b 1.0.0: c ^1", "c 1.2.0", "z 1.0.0"], &["a"]).unwrap();
    assert_eq!(plan, ["c 1.2.0", "b 1.0.0", "a 1.0.0"]);
}

#[test]
fn a_leaf_that_declares_nothing_is_no_circle() {
    assert_eq!(plan(&["a 1.0.0: b", "b 1.0.0"], &["a"]).unwrap(), ["b 1.0.0", "a 1.0.0"]);
}

#[test]
fn a_diamond_gets_one_version_that_both_sides_take() {
    let lines = ["a 1.0.0: b, c", "b 1.0.0: d >=1.2", "c 1.0.0: d <1.5", "d 1.1.0", "d 1.4.0", "d 1.9.0", "d 2.0.0"];
    assert_eq!(plan(&lines, &["a"]).unwrap(), ["d 1.4.0", "b 1.0.0", "c 1.0.0", "a 1.0.0"]);
}

#[test]
fn branches_that_do_not_need_each_other_share_a_wave() {
    let lines = ["a 1.0.0: b, c", "b 1.0.0: d", "c 1.0.0: d, e", "d 1.0.0", "e 1.0.0: d"];
    let plan = resolve(&available(&lines), &Request::new(roots(&["a"]))).unwrap();
    let waves: Vec<Vec<&str>> = plan.waves().map(|wave| wave.iter().map(|step| step.id.as_str()).collect()).collect();
    assert_eq!(waves, [vec!["d"], vec!["b", "e"], vec!["c"], vec!["a"]]);
    assert_eq!(plan.step(&name("c")).unwrap().needs, [name("d"), name("e")]);
    assert!(plan.step(&name("a")).unwrap().asked && !plan.step(&name("c")).unwrap().asked);
}

#[test]
fn an_older_version_is_taken_where_the_newest_leads_nowhere() {
    let lines = ["a 2.0.0: b ^2", "a 1.0.0: b ^1", "b 2.0.0: c ^9", "b 1.0.0: c ^1", "c 1.0.0", "d 1.0.0: c <2"];
    assert_eq!(plan(&lines, &["a", "d"]).unwrap(), ["c 1.0.0", "b 1.0.0", "d 1.0.0", "a 1.0.0"]);
}

#[test]
fn several_requirements_on_one_plugin_are_all_met() {
    let lines = ["a 1.0.0: b >=1.2, b <1.5", "b 1.1.0", "b 1.3.0", "b 1.6.0"];
    assert_eq!(plan(&lines, &["a"]).unwrap(), ["b 1.3.0", "a 1.0.0"]);
    assert_eq!(plan(&lines, &["b >=1.2", "b <1.5"]).unwrap(), ["b 1.3.0"]);
    assert_eq!(plan(&lines, &["b ^1.1 || ^9"]).unwrap(), ["b 1.6.0"]);
}

#[test]
fn a_circle_is_named_edge_by_edge_and_one_through_an_optional_dependency_is_none() {
    let refusal = plan(&["a 1.0.0: b", "b 1.0.0: c", "c 1.0.0: a", "x 1.0.0: a"], &["x"]).unwrap_err();
    let error = midplane_contract::Error::from(refusal);
    assert_eq!(error.code(), Code::DependencyCycle);
    assert_eq!(error.record().data["edges"], serde_json::json!(["a → b", "b → c", "c → a"]));
    assert_eq!(plan(&["a 1.0.0: a"], &["a"]).unwrap_err().code, Code::DependencyCycle);
    assert_eq!(plan(&["a 1.0.0: b", "b 1.0.0: a?"], &["a"]).unwrap(), ["b 1.0.0", "a 1.0.0"]);
    assert_eq!(plan(&["a 1.0.0: b?", "b 1.0.0: a?"], &["a"]).unwrap(), ["b 1.0.0", "a 1.0.0"]);
    assert_eq!(plan(&["a 1.0.0: b?", "b 1.0.0: a"], &["a"]).unwrap(), ["a 1.0.0", "b 1.0.0"]);
}

#[test]
fn a_circle_below_what_is_optional_is_no_reason_to_fail() {
    let lines = ["a 1.0.0: c?, e", "c 1.0.0: d, e", "d 1.0.0: c", "e 1.0.0"];
    let plan = resolve(&available(&lines), &Request::new(roots(&["a"]))).unwrap();
    assert_eq!((shown(&plan), &plan.steps[1].without), (vec!["e 1.0.0".into(), "a 1.0.0".into()], &vec![name("c")]));
    let lines = ["a 1.0.0: c?", "c 1.0.0: c"];
    assert_eq!(shown(&resolve(&available(&lines), &Request::new(roots(&["a"]))).unwrap()), ["a 1.0.0"]);
}

#[test]
fn an_optional_dependency_is_used_where_it_can_be_had_and_never_in_the_way() {
    let lines = ["a 1.0.0: b, c? ^1, m?, n? ^9", "b 1.0.0: d ^1", "c 1.0.0: d ^2", "d 1.0.0", "d 2.0.0", "n 1.0.0"];
    let plan_of = |asked: &[&str]| resolve(&available(&lines), &Request::new(roots(asked))).unwrap();
    let plan = plan_of(&["a"]);
    assert_eq!(shown(&plan), ["d 1.0.0", "b 1.0.0", "a 1.0.0"]);
    assert_eq!(plan.step(&name("a")).unwrap().without, [name("c"), name("m"), name("n")]);
    let lines = ["a 1.0.0: c? ^1", "c 1.0.0: d ^2", "d 1.0.0", "d 2.0.0"];
    let plan = resolve(&available(&lines), &Request::new(roots(&["a"]))).unwrap();
    assert_eq!(shown(&plan), ["d 2.0.0", "c 1.0.0", "a 1.0.0"]);
    assert_eq!(plan.step(&name("a")).unwrap().uses, [name("c")]);
}

#[test]
fn what_is_optional_for_one_and_taken_for_another_is_used_only_in_a_version_that_fits() {
    let lines = ["a 1.0.0: b, d? ^1", "b 1.0.0: d ^2", "d 1.0.0", "d 2.0.0"];
    let plan = resolve(&available(&lines), &Request::new(roots(&["a"]))).unwrap();
    assert_eq!(shown(&plan), ["d 2.0.0", "b 1.0.0", "a 1.0.0"]);
    assert_eq!(plan.step(&name("a")).unwrap().without, [name("d")]);
}

#[test]
fn peers_must_be_there_and_are_not_fetched() {
    let lines = ["a 1.0.0: p+ ^1", "p 1.0.0@", "p 1.5.0"];
    assert_eq!(plan(&lines, &["a"]).unwrap(), ["p 1.0.0", "a 1.0.0"]);
    let refusal = plan(&["a 1.0.0: p+ ^1", "p 1.5.0"], &["a"]).unwrap_err();
    assert_eq!(refusal.code, Code::DependencyNotFound);
    // Asked for, or needed by somebody else, it is there.
    let lines = ["a 1.0.0: p+ ^1", "b 1.0.0: p", "p 1.5.0", "p 2.0.0"];
    assert_eq!(plan(&lines, &["a", "p"]).unwrap(), ["p 1.5.0", "a 1.0.0"]);
    assert_eq!(plan(&lines, &["a", "b"]).unwrap(), ["p 1.5.0", "a 1.0.0", "b 1.0.0"]);
    // An optional one is used where it is, and is not fetched either.
    assert_eq!(plan(&["a 1.0.0: p?+", "p 1.0.0"], &["a"]).unwrap(), ["a 1.0.0"]);
    assert_eq!(plan(&["a 1.0.0: p?+", "p 1.0.0@"], &["a"]).unwrap(), ["p 1.0.0", "a 1.0.0"]);
}

#[test]
fn what_is_for_development_does_not_count_and_core_is_the_host() {
    assert_eq!(plan(&["a 1.0.0: t- ^9, core >=1.0.0", "t 1.0.0"], &["a"]).unwrap(), ["a 1.0.0"]);
}

#[test]
fn what_is_unknown_and_what_is_missing_have_names_of_their_own() {
    assert_eq!(plan(&[], &["a"]).unwrap_err().code, Code::PluginNotFound);
    let missing = midplane_contract::Error::from(plan(&["a 1.0.0: b", "b 1.0.0: x ^2"], &["a"]).unwrap_err());
    assert_eq!(missing.code(), Code::DependencyNotFound);
    assert_eq!(missing.record().data["dependency"], "x");
    let other = midplane_contract::Error::from(plan(&["a 1.0.0: b ^2", "b 1.4.0"], &["a"]).unwrap_err());
    assert_eq!(other.code(), Code::VersionMismatch);
    let data = &other.record().data;
    assert_eq!((&data["module"], &data["required"], &data["found"]), (&"b".into(), &"^2".into(), &"1.4.0".into()));
}

#[test]
fn a_conflict_lists_all_demands() {
    let lines = ["a 1.0.0: v ^2", "b 1.0.0: v <2", "v 1.4.0", "v 2.1.0"];
    let error = midplane_contract::Error::from(plan(&lines, &["a", "b"]).unwrap_err());
    assert_eq!(error.code(), Code::DependencyConflict);
    assert_eq!(error.record().data["module"], "v");
    let requirements = &error.record().data["requirements"];
    assert_eq!(requirements[0]["by"], "a");
    assert_eq!((&requirements[0]["range"], &requirements[1]["range"]), (&"^2".into(), &"<2".into()));
}

#[test]
fn a_search_ends_when_it_is_told_to() {
    let stop = || Err(midplane_contract::Error::new(Code::DeadlineExceeded, "too long"));
    let available = available(&["a 1.0.0"]);
    let request = Request { stop: &stop, ..Request::new(roots(&["a"])) };
    assert_eq!(resolve(&available, &request).unwrap_err().code, Code::DeadlineExceeded);
}

#[test]
fn the_picture_shows_every_plugin_and_every_edge() {
    let lines = ["a 1.0.0: b, c?", "b 1.0.0", "c 2.0.0: b"];
    let dot = resolve(&available(&lines), &Request::new(roots(&["a"]))).unwrap().to_dot();
    let expected = r#"digraph plugins {
  rankdir=LR;
  node [shape=box];
  "b" [label="b\n1.0.0"];
  "c" [label="c\n2.0.0"];
  "a" [label="a\n1.0.0", peripheries=2];
  "c" -> "b";
  "a" -> "b";
  "a" -> "c" [style=dashed];
}
"#;
    assert_eq!(dot, expected);
}

#[test]
fn more_versions_than_fit_into_a_word_are_kept_apart() {
    let lines: Vec<String> =
        (0..200).map(|minor| format!("b 1.{minor}.0")).chain(["a 1.0.0: b <1.150, b >=1.70".into()]).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(plan(&lines, &["a"]).unwrap(), ["b 1.149.0", "a 1.0.0"]);
}
