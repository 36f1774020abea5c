//! The list notices what is broken: each fault of the fake runtime turns the behaviours red that it should, and no other.

use midplane_testkit::Sabotage;
use midplane_testkit::conformance::{Behaviour, Cell, check};

use crate::subjects;

/// The behaviours that fail over a sabotaged runtime.
fn red(sabotage: Sabotage) -> Vec<Behaviour> {
    let fake = Cell::ALL.iter().position(|cell| *cell == Cell::Fake).unwrap();
    let applies = |behaviour: &&Behaviour| behaviour.reasons()[fake].is_none();
    let fails = |behaviour: &&Behaviour| check(**behaviour, &subjects::sabotaged(sabotage)).is_err();
    Behaviour::ALL.iter().filter(applies).filter(fails).copied().collect()
}

#[test]
fn a_runtime_without_deadlines_is_noticed() {
    assert_eq!(red(Sabotage::NoDeadline), [Behaviour::Hang, Behaviour::CancelByDrop]);
}

#[test]
fn a_runtime_that_does_not_unload_is_noticed() {
    assert_eq!(red(Sabotage::NoUnload), [Behaviour::Unload]);
}

#[test]
fn a_runtime_that_serves_stale_code_is_noticed() {
    assert_eq!(red(Sabotage::StaleCode), [Behaviour::ReloadWithChangedCode]);
}

#[test]
fn a_runtime_that_loses_replies_is_noticed() {
    let expected =
        [Behaviour::ConcurrentCalls, Behaviour::Services, Behaviour::SiblingsSurvive, Behaviour::ManyTasksManyCalls];
    assert_eq!(red(Sabotage::LostReply), expected);
}

#[test]
fn a_runtime_that_confuses_errors_is_noticed() {
    let expected = [
        Behaviour::TypedError,
        Behaviour::HostCallError,
        Behaviour::BadConfig,
        Behaviour::BusRequest,
        Behaviour::HostTranscript,
    ];
    assert_eq!(red(Sabotage::WrongErrorKind), expected);
}

#[test]
fn a_runtime_that_leaks_instances_is_noticed() {
    assert_eq!(red(Sabotage::LeakedInstance), [Behaviour::ManyCycles]);
}

#[test]
fn a_runtime_that_takes_the_dead_for_living_is_noticed() {
    assert_eq!(red(Sabotage::Undead), [Behaviour::Abort, Behaviour::Services, Behaviour::SiblingsSurvive]);
}

#[test]
fn a_runtime_that_claims_every_hook_is_noticed() {
    assert_eq!(red(Sabotage::EveryHook), [Behaviour::WithoutHooks, Behaviour::Health]);
}
