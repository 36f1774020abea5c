//! The table of behaviours and cells.

use xtask::cells::{Outcome, Place, Said, table};
use xtask::test::Choice;

fn place(behaviour: &str, cell: &str, reason: Option<&str>) -> Place {
    let test = format!("matrix::{behaviour}::{}", cell.replace('/', "_"));
    Place { behaviour: behaviour.to_owned(), cell: cell.to_owned(), test, reason: reason.map(str::to_owned) }
}

fn said(output: &str) -> Said {
    let mut said = Said::default();
    output.lines().for_each(|line| said.line(line));
    said
}

#[test]
fn a_place_is_what_the_runner_says_and_nothing_without_it() {
    let said =
        said("test matrix::load::a ... ok\ntest matrix::load::b ... FAILED\ntest matrix::load::c ... ignored, no way");
    let outcome = |cell: &str, reason| said.of(&place("load", cell, reason));
    assert_eq!(outcome("a", None), Outcome::Passed);
    assert_eq!(outcome("b", None), Outcome::Failed);
    assert_eq!(outcome("c", Some("no way")), Outcome::NotApplicable);
    assert_eq!(outcome("d", None), Outcome::Missing, "nobody ran it");
    assert_eq!(outcome("d", Some("no way")), Outcome::Missing, "the list alone says nothing");
    assert_eq!(outcome("c", None), Outcome::Missing, "the list has it, and it was left out");
    assert_eq!(outcome("a", Some("no way")), Outcome::Missing, "the list has it not, and it ran");
    assert_eq!(outcome("c", Some("another reason")), Outcome::Missing);
}

#[test]
fn the_table_shows_each_place_and_each_reason() {
    let places = [
        place("load", "native/worker", None),
        place("load", "node", None),
        place("abort", "native/worker", Some("no way")),
        place("abort", "node", None),
    ];
    let said = said("test matrix::load::native_worker ... ok\ntest matrix::abort::native_worker ... ignored, no way");
    let expected = "
       native   node
       worker
load   pass     MISSING
abort  n/a      MISSING

n/a: abort in native/worker: no way
";
    assert_eq!(format!("\n{}", table(&places, &said)), expected);
}

#[test]
fn cells_without_a_placement_have_one_line_for_a_head() {
    let table = table(&[place("load", "node", None)], &said("test matrix::load::node ... FAILED"));
    assert_eq!(table, "      node\nload  FAILED\n\n");
}

#[test]
fn the_flags_of_the_tests_are_read() {
    let choice = |flags: &[&str]| Choice::of(&flags.iter().map(|flag| (*flag).to_owned()).collect::<Vec<_>>());
    assert_eq!(choice(&[]).ok(), Some(Choice::default()));
    let both = Choice { list_cells: true, full: true, quick: false };
    assert_eq!(choice(&["--full", "--list-cells"]).ok(), Some(both));
    assert!(choice(&["--quick", "--full"]).is_err());
    let unknown = choice(&["--ful"]).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(unknown.contains("`--ful`"), "{unknown}");
}
