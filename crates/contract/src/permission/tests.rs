use super::*;
use crate::{Code, HostFunction};

fn rules(texts: &[&str]) -> Vec<Permission> {
    texts.iter().map(|text| Permission::parse(text).unwrap()).collect()
}

#[test]
fn what_does_not_follow_the_grammar_is_refused() {
    for bad in ["", "file", "file.", ".read", "File.read", "file.read.all", "file read", "!!file.read", "*.read", "*.*"]
    {
        assert!(Permission::parse(bad).is_err(), "{bad}");
    }
    assert!(matches!(Permission::parse("file.read:"), Err(PermissionError::EmptyPattern(_))));
    assert!(matches!(Permission::parse(&format!("a.b:{}", "*a".repeat(33))), Err(PermissionError::TooLong)));
    for good in ["file.read", "!file.*", "media.encode", "plugin.call:text-stats/*", "network.http:https://a.b:8080/**"]
    {
        assert_eq!(Permission::parse(good).unwrap().to_string(), good);
    }
}

#[test]
fn a_pattern_covers_what_its_wildcards_say() {
    #[rustfmt::skip]
    let table = [
        ("file.read", "file.read:/any/where", true),
        ("file.read", "file.write:/any/where", false),
        ("file.*", "file.write:/any/where", true),
        ("file.read:/data/*", "file.read:/data/a.txt", true),
        ("file.read:/data/*", "file.read:/data/a/b.txt", false),
        ("file.read:/data/**", "file.read:/data/a/b.txt", true),
        ("file.read:/data/**", "file.read:/database", false),
        ("file.read:/data/**", "file.read", false),
        ("!file.read:/data/**", "file.read", true),
        ("file.read:**/*.png", "file.read:/a/b/c.png", true),
        ("file.read:**/?.png", "file.read:/a/b/cc.png", false),
        ("plugin.call:text-stats/*", "plugin.call:text-stats/count", true),
        ("plugin.call:text-stats/count", "plugin.call:text-stats/count2", false),
        ("plugin.call:a/b:c", "plugin.call:a/b:c", true),
        ("bus.publish:vm.*", "bus.publish:vm.started", true),
        ("http.fetch:https://*.example.org/**", "network.http:https://api.example.org/v1/x", true),
        ("network.http:https://*.example.org/**", "http.fetch:https://evil.net/.example.org/", false),
        ("state.read:ü?", "state.get:üß", true),
    ];
    for (rule, asked, covered) in table {
        assert_eq!(Permission::parse(rule).unwrap().covers(asked), covered, "{rule} {asked}");
    }
}

#[test]
fn a_hostile_pattern_costs_no_more_than_pattern_times_text() {
    let rule = Permission::parse(&format!("file.read:{}b", "**a".repeat(31))).unwrap();
    // With backtracking this would not end in a lifetime.
    assert!(!rule.covers(&format!("file.read:{}", "a".repeat(4000))));
}

/// The matcher against the plain recursive definition, over all short patterns and texts.
#[test]
fn matching_agrees_with_its_definition() {
    fn by_definition(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], _) => text.is_empty(),
            ([b'*', b'*', rest @ ..], _) => {
                by_definition(rest, text) || (!text.is_empty() && by_definition(pattern, &text[1..]))
            }
            ([b'*', rest @ ..], _) => {
                by_definition(rest, text) || (!text.is_empty() && text[0] != b'/' && by_definition(pattern, &text[1..]))
            }
            ([b'?', rest @ ..], [c, tail @ ..]) => *c != b'/' && by_definition(rest, tail),
            ([p, rest @ ..], [c, tail @ ..]) => p == c && by_definition(rest, tail),
            (_, []) => false,
        }
    }
    fn words(letters: &[u8], longest: u32) -> impl Iterator<Item = Vec<u8>> {
        let base = letters.len();
        (0..=longest).flat_map(move |length| {
            (0..base.pow(length)).map(move |mut n| {
                (0..length)
                    .map(|_| {
                        let c = letters[n % base];
                        n /= base;
                        c
                    })
                    .collect()
            })
        })
    }
    for pattern in words(b"a/*?", 4) {
        if pattern.windows(3).any(|three| three == b"***") {
            continue;
        }
        let compiled = Glob::parse(std::str::from_utf8(&pattern).unwrap()).unwrap();
        for text in words(b"ab/", 4) {
            let expected = by_definition(&pattern, &text);
            assert_eq!(compiled.matches(std::str::from_utf8(&text).unwrap()), expected, "{pattern:?} {text:?}");
        }
    }
}

#[test]
fn only_what_is_declared_and_granted_and_not_denied_is_allowed() {
    let asked = "plugin.call:text-stats/count";
    let both = rules(&["plugin.call:text-stats/*"]);
    assert!(decide(&both, &both, asked).is_allowed());
    assert_eq!(decide(&[], &both, asked), Decision::Denied(Refusal::NotDeclared));
    assert_eq!(decide(&both, &[], asked), Decision::Denied(Refusal::NotGranted(&both[0])));
    assert_eq!(decide(&[], &[], asked), Decision::Denied(Refusal::NotDeclared));

    let denied = rules(&["plugin.call", "!plugin.call:text-stats/*"]);
    assert_eq!(decide(&both, &denied, asked), Decision::Denied(Refusal::ByRule(Side::Grant, &denied[1])));
    assert_eq!(decide(&denied, &both, asked), Decision::Denied(Refusal::ByRule(Side::Manifest, &denied[1])));
    assert!(decide(&denied, &rules(&["plugin.*"]), "plugin.call:other/x").is_allowed());
}

#[test]
fn a_path_that_climbs_is_denied_even_where_a_pattern_would_match() {
    let all = rules(&["file.read:/data/**"]);
    assert!(decide(&all, &all, "file.read:/data/x").is_allowed());
    for asked in ["file.read:/data/../etc/shadow", "file.read:/data/..", "file.read:/data\\..\\x", "file", ""] {
        assert_eq!(decide(&all, &all, asked), Decision::Denied(Refusal::NotUnderstood), "{asked}");
    }
    assert!(!decide(&all, &all, &format!("file.read:/data/{}", "x".repeat(5000))).is_allowed());
}

#[test]
fn a_refusal_names_the_permission_the_rule_and_the_way_out() {
    let declared = rules(&["network.http"]);
    let error = decide(&declared, &[], "network.http:https://a.b/").check("network.http:https://a.b/").unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
    assert_eq!(error.record().data["permission"], "network.http:https://a.b/");
    assert!(error.record().message.contains("no operator granted it"), "{error}");
    assert!(error.record().remedy.as_ref().unwrap().contains("--grant"));
}

#[test]
fn every_host_function_that_needs_a_permission_needs_a_known_one() {
    for function in HostFunction::ALL {
        if let Some(name) = required(*function) {
            assert!(is_host_permission(name), "{function} needs {name}");
        }
    }
    assert!(is_host_permission("file.*"));
    assert!(!is_host_permission("media.encode"));
    assert!(!is_host_permission("media.*"));
}
