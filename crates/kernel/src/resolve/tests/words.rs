//! What a person reads. Change these texts on purpose only.

use super::*;

fn told(lines: &[&str], asked: &[&str]) -> String {
    plan(lines, asked).unwrap_err().to_string()
}

#[test]
fn a_conflict_says_who_asks_for_what_and_what_would_do() {
    let lines = [
        "player 1.0.0: video-decoder ^2",
        "editor 1.4.0: video-decoder >=1",
        "editor 1.5.0: video-decoder <2",
        "video-decoder 1.9.0",
        "video-decoder 2.1.0",
    ];
    let text = told(&lines, &["player", "editor ^1.5"]);
    let expected = concat!(
        "no version of `video-decoder` serves everybody\n",
        "  `editor` 1.5.0 needs `video-decoder` <2\n",
        "  `player` 1.0.0 needs `video-decoder` ^2\n",
        "  `editor` ^1.5 is asked for\n",
        "  `player` is asked for\n",
        "  `video-decoder` is there in 1.9.0 and 2.1.0\n",
        "  help: `editor` 1.4.0 would do in place of ^1.5\n",
        "  help: it would work if `editor` 1.5.0 took `video-decoder` 2.1.0\n",
        "  help: it would work if `player` 1.0.0 took `video-decoder` 1.9.0",
    );
    assert_eq!(text, expected);
}

#[test]
fn what_is_missing_says_who_needs_it() {
    let expected = concat!(
        "`x` is needed and not there\n",
        "  `b` 1.0.0 needs `x` ^2, which is not there\n",
        "  help: add `x` ^2",
    );
    assert_eq!(told(&["a 1.0.0: b", "b 1.0.0: x ^2"], &["a"]), expected);
    let expected = concat!("there is no plugin `b`\n", "  `b` is asked for, which is not there\n", "  help: add `b`",);
    assert_eq!(told(&["a 1.0.0"], &["b"]), expected);
}

#[test]
fn a_version_that_is_not_there_says_which_are() {
    let expected = concat!(
        "no version of `b` fits\n",
        "  `a` 1.0.0 needs `b` ^2, and no version of it fits\n",
        "  `b` is there in 1.2.0 and 1.4.0\n",
        "  help: add a version of `b` that fits ^2\n",
        "  help: it would work if `a` 1.0.0 took `b` 1.4.0",
    );
    assert_eq!(told(&["a 1.0.0: b ^2", "b 1.4.0", "b 1.2.0"], &["a"]), expected);
}

#[test]
fn every_way_that_leads_nowhere_is_named() {
    let lines = ["a 1.0.0: x", "a 2.0.0: b ^9", "b 1.0.0"];
    let expected = concat!(
        "`x` is needed and not there\n",
        "  `a` 1.0.0 needs `x`, which is not there\n",
        "  `a` 2.0.0 needs `b` ^9, and no version of it fits\n",
        "  help: add `x`\n",
        "  help: it would work if `a` 2.0.0 took `b` 1.0.0",
    );
    assert_eq!(told(&lines, &["a"]), expected);
}

#[test]
fn a_peer_that_is_not_installed_is_named() {
    let expected = concat!(
        "`p` must be installed beforehand\n",
        "  `a` 1.0.0 needs `p` ^1 beside it, which is not installed\n",
        "  `p` is there in 1.5.0\n",
        "  help: install `p` ^1, or ask for it as well",
    );
    assert_eq!(told(&["a 1.0.0: p+ ^1", "p 1.5.0"], &["a"]), expected);
}

#[test]
fn what_needs_another_host_is_told_so_and_what_needs_another_machine_is() {
    let platform = crate::platform::Platform::current(crate::platform::Rules::default());
    let request = Request { platform: Some(&platform), ..Request::new(roots(&["o"])) };
    let told = |available: &Available| resolve(available, &request).unwrap_err().to_string();
    let expected = concat!(
        "`o` cannot run here\n",
        "  `o` is asked for, which cannot run here\n",
        "  `o` 1.0.0: the plugin needs contract >=9; this host speaks 1.0.0\n",
        "  help: add a version of `o` for contract 1.0.0, or use a host that speaks the contract it needs",
    );
    assert_eq!(told(&available(&["o 1.0.0: core >=9"])), expected);
    let mut elsewhere = Available::new();
    let (id, mut release) = release("o 1.0.0: core >=9");
    release.compatibility.platforms = vec!["plan9".to_owned()];
    elsewhere.add(id, release);
    assert!(told(&elsewhere).ends_with("help: use a build of `o` for this machine, or another machine"));
}

#[test]
fn a_long_chain_is_told_from_its_ends() {
    let lines = [
        "app 1.0.0: menu >=1.0.0, intl >=5",
        "menu 1.0.0: dropdown ^2",
        "menu 1.1.0: dropdown ^2",
        "dropdown 2.0.0: icons ^2",
        "dropdown 2.3.0: icons ^2",
        "icons 2.0.0: intl <5",
        "intl 4.0.0",
        "intl 5.0.0",
    ];
    let expected = concat!(
        "no version of `intl` serves everybody\n",
        "  `app` 1.0.0 needs `intl` >=5\n",
        "  `icons` 2.0.0 needs `intl` <5\n",
        "  `app` is asked for\n",
        "  every `menu` needs `dropdown` ^2\n",
        "  every `dropdown` needs `icons` ^2\n",
        "  `app` 1.0.0 needs `menu` >=1.0.0\n",
        "  `intl` is there in 4.0.0 and 5.0.0\n",
        "  help: it would work if `app` 1.0.0 took `intl` 4.0.0\n",
        "  help: it would work if `icons` 2.0.0 took `intl` 5.0.0",
    );
    assert_eq!(told(&lines, &["app"]), expected);
}

#[test]
fn a_circle_is_told_edge_by_edge() {
    let expected = concat!(
        "plugins depend on each other: a → b, b → a\n",
        "  help: remove one of these dependencies, or make it optional",
    );
    assert_eq!(told(&["a 1.0.0: b", "b 1.0.0: a"], &["a"]), expected);
}

#[test]
fn a_version_that_is_only_not_welcome_is_told_with_what_would_let_it_in() {
    let expected = concat!(
        "no version of `a` fits\n",
        "  `a` is asked for, and no version of it fits\n",
        "  `a` is there in 1.0.0-rc.1\n",
        "  help: ask for `a` =1.0.0-rc.1, or let pre-releases be welcome",
    );
    assert_eq!(told(&["a 1.0.0-rc.1"], &["a"]), expected);
    let expected = concat!(
        "no version of `b` fits\n",
        "  `a` 1.0.0 needs `b` ^1, and no version of it fits\n",
        "  `b` is there in 0.9.0 and 1.2.0\n",
        "  `b` 1.2.0 is not called stable\n",
        "  help: `b` 1.2.0 would do if pre-releases were welcome\n",
        "  help: it would work if `a` 1.0.0 took `b` 0.9.0",
    );
    assert_eq!(told(&["a 1.0.0: b ^1", "b 0.9.0", "b 1.2.0~"], &["a"]), expected);
}

#[test]
fn one_that_contradicts_itself_is_told_by_what_it_wants() {
    let expected = concat!(
        "no version of `b` serves everybody\n",
        "  `a` 1.0.0 needs `b` ^1\n",
        "  `a` 1.0.0 needs `b` ^2\n",
        "  `a` is asked for\n",
        "  `b` is there in 1.0.0 and 2.0.0\n",
        "  help: it would work if `a` 1.0.0 took `b` 2.0.0",
    );
    assert_eq!(told(&["a 1.0.0: b ^1, b ^2", "b 1.0.0", "b 2.0.0"], &["a"]), expected);
}
