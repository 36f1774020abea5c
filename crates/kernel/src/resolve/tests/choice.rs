use super::*;
use crate::platform::{Machine, Platform, Rules};

fn chosen(lines: &[&str], asked: &[&str], change: impl FnOnce(&mut Request<'_>)) -> Vec<String> {
    let available = available(lines);
    let mut request = Request::new(roots(asked));
    change(&mut request);
    resolve(&available, &request).map(|plan| shown(&plan)).unwrap_or_default()
}

#[test]
fn the_highest_is_taken_unless_one_is_there_already() {
    let plain = |_: &mut Request<'_>| {};
    assert_eq!(chosen(&["a 1.0.0", "a 1.2.0", "a 1.1.0"], &["a"], plain), ["a 1.2.0"]);
    assert_eq!(chosen(&["a 1.0.0@", "a 1.2.0"], &["a"], plain), ["a 1.0.0"]);
    assert_eq!(chosen(&["a 1.0.0#", "a 1.1.0@", "a 1.2.0"], &["a"], plain), ["a 1.0.0"]);
    assert_eq!(chosen(&["a 1.0.0#", "a 1.2.0"], &["a ^1.1"], plain), ["a 1.2.0"]);
    assert_eq!(chosen(&["a 1.0.0#", "a 1.2.0"], &["a"], |it| it.selection.strategy = Strategy::Latest), ["a 1.2.0"]);
}

#[test]
fn deprecated_versions_come_last_and_say_so() {
    assert_eq!(chosen(&["a 1.0.0", "a 1.2.0!"], &["a"], |_| {}), ["a 1.0.0"]);
    assert_eq!(chosen(&["a 1.0.0", "a 1.2.0!"], &["a ^1.1"], |_| {}), ["a 1.2.0"]);
    let plan = resolve(&available(&["a 1.2.0!"]), &Request::new(roots(&["a"]))).unwrap();
    assert_eq!(plan.steps[0].deprecated.as_deref(), Some("use another"));
}

#[test]
fn pre_releases_are_taken_where_they_are_named_or_welcome() {
    let lines = ["a 1.0.0", "a 1.1.0-rc.1", "b 1.0.0: a >=1.1.0-rc.1"];
    assert_eq!(chosen(&lines, &["a"], |_| {}), ["a 1.0.0"]);
    assert_eq!(chosen(&lines, &["b"], |_| {}), ["a 1.1.0-rc.1", "b 1.0.0"]);
    assert_eq!(chosen(&lines, &["a"], |it| it.selection.allow_prerelease = true), ["a 1.1.0-rc.1"]);
    // What its author does not call stable is one, whatever it is called.
    let lines = ["a 1.0.0", "a 1.1.0~"];
    assert_eq!(chosen(&lines, &["a"], |_| {}), ["a 1.0.0"]);
    assert_eq!(chosen(&lines, &["a =1.1.0"], |_| {}), ["a 1.1.0"]);
    assert_eq!(chosen(&lines, &["a ^1.1"], |it| it.selection.allow_prerelease = true), ["a 1.1.0"]);
}

#[test]
fn an_exact_strategy_takes_a_bare_version_at_its_word() {
    let lines = ["a 1.0.0", "a 1.2.0"];
    assert_eq!(chosen(&lines, &["a 1.0.0"], |_| {}), ["a 1.2.0"]);
    assert_eq!(chosen(&lines, &["a 1.0.0"], |it| it.selection.strategy = Strategy::Exact), ["a 1.0.0"]);
    assert_eq!(chosen(&lines, &["a ^1.0.0"], |it| it.selection.strategy = Strategy::Exact), ["a 1.2.0"]);
}

#[test]
fn a_version_for_other_machines_is_passed_over() {
    let mut available = available(&["a 1.0.0", "b 1.0.0: a"]);
    let (id, mut newer) = release("a 2.0.0");
    newer.compatibility.platforms = vec!["plan9".to_owned()];
    available.add(id, newer);
    let platform = Platform::of(Machine::current(), Rules::default());
    let request = Request { platform: Some(&platform), ..Request::new(roots(&["b"])) };
    assert_eq!(shown(&resolve(&available, &request).unwrap()), ["a 1.0.0", "b 1.0.0"]);
    let anywhere = Request::new(roots(&["b"]));
    assert_eq!(shown(&resolve(&available, &anywhere).unwrap()), ["a 2.0.0", "b 1.0.0"]);
    let request = Request { platform: Some(&platform), ..Request::new(roots(&["a ^2"])) };
    assert_eq!(resolve(&available, &request).unwrap_err().code, midplane_contract::Code::UnsupportedPlatform);
}

#[test]
fn of_one_version_that_was_added_twice_the_nearer_one_counts_else_the_first() {
    let id = midplane_contract::PluginId::new("a").unwrap();
    let release = |standing, deprecated: &str| Release {
        standing,
        deprecated: Some(deprecated.to_owned()),
        ..Release::new(midplane_contract::Version::new(1, 0, 0))
    };
    let added = |releases: [Release; 3]| {
        let mut available = Available::new();
        releases.into_iter().for_each(|release| available.add(id.clone(), release));
        assert_eq!(available.releases(&id).len(), 3);
        let plan = resolve(&available, &Request::new(vec![Requirement::any(id.clone())])).unwrap();
        plan.steps[0].deprecated.clone().unwrap()
    };
    use Standing::{Installed, Loaded, Offered};
    assert_eq!(added([release(Offered, "1"), release(Loaded, "2"), release(Installed, "3")]), "2");
    assert_eq!(added([release(Installed, "1"), release(Installed, "2"), release(Offered, "3")]), "1");
}
