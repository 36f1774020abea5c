use super::*;

fn takes(range: &str, version: &str) -> bool {
    let range = VersionRange::parse(range).unwrap_or_else(|error| panic!("{error}"));
    range.matches(&Version::parse(version).unwrap())
}

#[test]
fn releases_that_a_range_without_alternatives_takes_stand_side_by_side() {
    let numbers = [0, 1, 2, 3, 10];
    let all: Vec<Version> = numbers
        .iter()
        .flat_map(|major| numbers.iter().map(move |minor| (*major, *minor)))
        .flat_map(|(major, minor)| numbers.iter().map(move |patch| Version::new(major, minor, *patch)))
        .collect();
    let versions = ["1", "1.2", "1.2.3", "0", "0.1", "0.0.2", "2.*", "1.2.x", "1.2.0-rc.1", "*"];
    let operators = ["", "=", ">", ">=", "<", "<=", "^", "~", "~>"];
    let each = operators.iter().flat_map(|operator| versions.iter().map(move |version| format!("{operator}{version}")));
    let one: Vec<VersionRange> = each.filter_map(|text| VersionRange::parse(&text).ok()).collect();
    assert!(one.len() > 60, "{}", one.len());
    for first in &one {
        for second in &one {
            let both = VersionRange::parse(&format!("{first} {second}")).unwrap();
            assert!(both.is_one_stretch());
            let taken: Vec<bool> = all.iter().map(|version| both.matches(version)).collect();
            let changes = taken.windows(2).filter(|pair| pair[0] != pair[1]).count();
            let edges = usize::from(taken[0]) + usize::from(taken[taken.len() - 1]);
            assert!(changes + edges <= 2, "{both}");
        }
    }
    assert!(!VersionRange::parse("1 || 3").unwrap().is_one_stretch());
}

#[test]
fn each_operator_takes_what_it_says_and_nothing_else() {
    #[rustfmt::skip]
    let table: &[(&str, &[&str], &[&str])] = &[
        ("=1.2.3", &["1.2.3", "1.2.3+build"], &["1.2.4", "1.2.2", "1.2.3-rc.1"]),
        ("=1.2", &["1.2.0", "1.2.9"], &["1.3.0"]),
        (">1.2.3", &["1.2.4", "2.0.0"], &["1.2.3", "1.0.0"]),
        (">=1.5.0 <2.0.0", &["1.5.0", "1.99.0"], &["1.4.9", "2.0.0", "2.0.0-rc.1"]),
        (">=1.5.0, <2.0.0", &["1.5.0", "1.99.0"], &["1.4.9", "2.0.0"]),
        (">=1.5.0<2.0.0", &["1.5.0"], &["2.0.0"]),
        (">= 1.5.0 , < 2", &["1.5.0"], &["2.0.0", "1.4.0"]),
        ("<=1.2.3", &["1.2.3", "0.1.0"], &["1.2.4"]),
        ("<1", &["0.9.9"], &["1.0.0"]),
        ("^1.2.3", &["1.2.3", "1.9.0"], &["1.2.2", "2.0.0"]),
        ("^0.2.3", &["0.2.3", "0.2.9"], &["0.3.0", "0.2.2"]),
        ("^0.0.3", &["0.0.3"], &["0.0.4"]),
        ("1.2.3", &["1.2.3", "1.9.0"], &["2.0.0", "1.2.2"]),
        ("v1.2.3", &["1.2.3"], &["2.0.0"]),
        ("^v2", &["2.1.0"], &["3.0.0"]),
        ("~1.2.3", &["1.2.3", "1.2.9"], &["1.3.0"]),
        ("~1", &["1.9.0"], &["2.0.0"]),
        ("~>1.2.3", &["1.2.3", "1.2.99"], &["1.2.2", "1.3.0", "2.0.0"]),
        ("~> 1.2", &["1.2.0", "1.99.0"], &["1.1.9", "2.0.0"]),
        ("~>1", &["1.0.0", "1.9.9"], &["0.9.0", "2.0.0"]),
        ("~>0.2", &["0.2.0", "0.9.0"], &["0.1.9", "1.0.0"]),
        ("~>0.2.1", &["0.2.1", "0.2.9"], &["0.3.0"]),
        ("1.*", &["1.0.0", "1.7.2"], &["2.0.0"]),
        ("1.2.x", &["1.2.7"], &["1.3.0"]),
        ("*", &["0.0.1", "99.0.0"], &["1.0.0-rc.1"]),
        ("latest", &["3.2.1"], &["3.2.1-rc.1"]),
        ("^1 || ^3", &["1.5.0", "3.0.1"], &["2.0.0", "4.0.0"]),
        ("<1.0.0||>=2.0.0 <3", &["0.9.0", "2.5.0"], &["1.0.0", "3.0.0"]),
    ];
    for (range, inside, outside) in table {
        for version in *inside {
            assert!(takes(range, version), "{range} should take {version}");
        }
        for version in *outside {
            assert!(!takes(range, version), "{range} should not take {version}");
        }
    }
}

#[test]
fn a_pre_release_matches_only_beside_its_own_release() {
    for range in [">=1.2.0-rc.1", "^1.2.0-rc.1", "~>1.2.0-rc.1", "~1.2.0-rc.1"] {
        assert!(takes(range, "1.2.0-rc.2"), "{range}");
        assert!(takes(range, "1.2.0"), "{range}");
        assert!(!takes(range, "1.2.0-beta.9"), "{range}");
        assert!(!takes(range, "1.2.1-rc.2"), "{range}");
    }
    assert!(!takes(">=1.0.0", "1.2.0-rc.1"));
    assert!(!takes("^1 || >=2.0.0-rc.1", "1.5.0-rc.1"));
}

#[test]
fn what_cannot_be_read_is_refused_by_name() {
    #[rustfmt::skip]
    let table = [
        ("", "empty"), ("   ", "empty"), ("^1 ||", "empty"), ("|| ^1", "empty"),
        ("!=1.0.0", "`!=`"), ("=>1.0.0", "`=>`"), ("==1.0.0", "`==`"), ("^1 | ^2", "`|`"), (">>1", "`>>`"),
        (">=", "no version"), ("^", "no version"), ("~> || 1", "no version"),
        ("1.0.0 - 2.0.0", "not a version"), ("banana", "not a version"), ("^01.2.3", "not a version"),
        ("1.2.3.4", "not a version"), ("newest", "not a version"), ("~>99999999999999999999", "not a version"),
        ("~>18446744073709551615", "too large"),
    ];
    for (range, expected) in table {
        let error = VersionRange::parse(range).expect_err(range).to_string();
        assert!(error.contains(expected), "{range}: {error}");
    }
    assert!(matches!(VersionRange::parse(&"1 ".repeat(200)), Err(RangeError::TooLong(_))));
    assert!(matches!(VersionRange::parse(&"1 ".repeat(65)), Err(RangeError::TooLong(_))));
}

#[test]
fn a_range_shows_itself_as_written_and_survives_json() {
    for text in [">=1.5.0 <2.0.0", "~>1.2", "*", "^1 || ^2", "v1.0.0"] {
        let range = VersionRange::parse(text).unwrap();
        assert_eq!(range.to_string(), text);
        let json = serde_json::to_string(&range).unwrap();
        assert_eq!(serde_json::from_str::<VersionRange>(&json).unwrap(), range);
    }
    assert_eq!(VersionRange::parse(">=1, <2").unwrap(), VersionRange::parse(">=1 <2").unwrap());
}

/// The pessimistic operator against its definition, over all small versions.
#[test]
fn the_pessimistic_operator_lets_only_the_last_number_grow() {
    let small = || (0..4u64).flat_map(|a| (0..4u64).flat_map(move |b| (0..4u64).map(move |c| (a, b, c))));
    for (a, b, c) in small() {
        let three = VersionRange::parse(&format!("~>{a}.{b}.{c}")).unwrap();
        let two = VersionRange::parse(&format!("~>{a}.{b}")).unwrap();
        for (x, y, z) in small() {
            let version = Version::new(x, y, z);
            assert_eq!(three.matches(&version), x == a && y == b && z >= c, "~>{a}.{b}.{c} {version}");
            assert_eq!(two.matches(&version), x == a && y >= b, "~>{a}.{b} {version}");
        }
    }
}

/// Where Cargo's own parser accepts a range, ours means the same.
#[test]
fn ranges_that_cargo_reads_mean_the_same_here() {
    let operators = ["", "=", ">", ">=", "<", "<=", "^", "~"];
    let versions = ["0", "1", "0.1", "1.2", "0.0.1", "1.2.3", "1.2.3-rc.1"];
    let probes = ["0.0.1", "0.0.2", "0.1.0", "0.2.0", "1.0.0", "1.2.3-rc.2", "1.2.3", "1.3.0", "2.0.0"];
    for operator in operators {
        for version in versions {
            let text = format!("{operator}{version}");
            let theirs = VersionReq::parse(&text).unwrap();
            let ours = VersionRange::parse(&text).unwrap();
            for probe in probes {
                let probe = Version::parse(probe).unwrap();
                assert_eq!(ours.matches(&probe), theirs.matches(&probe), "{text} {probe}");
            }
        }
    }
}

#[test]
fn where_pre_releases_are_welcome_they_stand_before_their_release() {
    #[rustfmt::skip]
    let table: &[(&str, &[&str], &[&str])] = &[
        ("*", &["1.0.0-rc.1", "1.0.0"], &[]),
        (">=1.2.0", &["1.3.0-rc.1", "2.0.0-a"], &["1.2.0-rc.1", "1.1.0-rc.1"]),
        (">=1.2.0-rc.2", &["1.2.0-rc.2", "1.2.0", "1.3.0-a"], &["1.2.0-rc.1"]),
        ("^1.2.0", &["1.9.0-rc.1"], &["1.2.0-rc.1", "2.0.0-rc.1"]),
        ("^1", &["1.0.0-rc.1", "1.4.0-rc.1"], &["2.0.0-rc.1"]),
        (">=1.5.0 <2.0.0", &["1.6.0-rc.1"], &["2.0.0-rc.1", "1.5.0-rc.1"]),
        ("=1.2.3", &["1.2.3"], &["1.2.3-rc.1", "1.2.4-rc.1"]),
        ("<2.0.0-rc.5", &["2.0.0-rc.4", "1.9.0-rc.1"], &["2.0.0-rc.9"]),
        ("~>1.2.3", &["1.2.9-rc.1"], &["1.3.0-rc.1"]),
        ("<1 || >=2.0.0", &["0.9.0-rc.1", "2.1.0-rc.1"], &["1.5.0-rc.1"]),
    ];
    for (range, taken, left) in table {
        let range = VersionRange::parse(range).unwrap();
        let takes = |version: &&str| range.matches_prerelease(&Version::parse(version).unwrap());
        assert!(taken.iter().all(takes), "{range} takes {taken:?}");
        assert!(!left.iter().any(takes), "{range} leaves {left:?}");
    }
}
