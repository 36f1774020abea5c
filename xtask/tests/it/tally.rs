//! Adding up what test binaries report.

use xtask::tally::Tally;

fn tally(output: &str, succeeded: bool) -> Tally {
    let mut tally = Tally::default();
    output.lines().for_each(|line| tally.line(line));
    tally.end(succeeded);
    tally
}

#[test]
fn results_of_several_binaries_are_added_up() {
    let output = "
running 2 tests
test a ... ok
test b::c ... FAILED
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

running 1 test
test result: FAILED. 3 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s
";
    let tally = tally(output, false);
    assert_eq!((tally.passed, tally.failed, tally.ignored), (5, 4, 1));
    assert_eq!(tally.failures, ["b::c"]);
    assert_eq!(tally.summary(), "5 passed, 4 failed");
}

#[test]
fn a_test_that_is_left_out_is_named_with_its_reason() {
    let output = "running 2 tests\ntest a::b ... ignored, a measurement\ntest c ... ignored\n\
        test result: ok. 0 passed; 0 failed; 2 ignored; 0 measured\n";
    let tally = tally(output, true);
    assert_eq!((tally.ignored, tally.failed), (2, 0));
    assert_eq!(tally.left_out, ["a::b: a measurement", "c"]);
}

#[test]
fn a_binary_that_dies_without_a_result_is_a_failure() {
    let output = "running 7 tests\ntest a ... ok\nrunning 1 test\ntest result: ok. 1 passed; 0 failed; 0 ignored\n";
    let first_died = tally(output, false);
    assert_eq!((first_died.passed, first_died.failed, first_died.died), (1, 1, 1));
    let last_died = tally("running 7 tests\ntest a ... ok\n", false);
    assert_eq!((last_died.failed, last_died.died), (1, 1));
}

#[test]
fn a_failed_run_never_sums_up_to_no_failures() {
    assert_eq!(tally("", false).summary(), "0 passed, 1 failed");
    assert_eq!(tally("test result: ok. 1 passed; 0 failed; 0 ignored", true).summary(), "1 passed, 0 failed");
}

#[test]
fn what_a_test_prints_about_running_is_not_taken_for_a_beginning() {
    assert_eq!(tally("running late\nrunning 3 plugins\n", true).died, 0);
}
