//! Every pair of state and event, written out.

use midplane_contract::State::{self, Stopped, *};

use super::Event::{self, *};
use super::{Illegal, next};

/// Rows are states, columns events in the order of [`Event::ALL`]; `None` is illegal.
#[rustfmt::skip]
const TABLE: [(State, [Option<State>; 17]); 13] = {
    const N: Option<State> = None;
    const F: Option<State> = Some(Failed);
    const Q: Option<State> = Some(Quarantined);
    //             Register          Resolve         Load           Postpone          Initialized    Start           Started        Stop            Stopped        Update          Updated        Lost           Unload           Unloaded          Fail Quarantine Release
    [
    (Discovered,  [Some(Registered), N,              N,             N,                N,             N,              N,             N,              N,             N,              N,             N,             N,               N,                F,   Q,         N]),
    (Registered,  [N,                Some(Resolved), N,             N,                N,             N,              N,             N,              N,             N,              N,             N,             N,               N,                F,   Q,         N]),
    (Resolved,    [N,                N,              Some(Loading), N,                N,             N,              N,             N,              N,             N,              N,             N,             N,               N,                F,   Q,         N]),
    (Loading,     [N,                N,              N,             Some(Registered), Some(Loaded),  N,              N,             N,              N,             N,              N,             N,             N,               N,                F,   Q,         N]),
    (Loaded,      [N,                N,              N,             N,                N,             Some(Starting), N,             N,              N,             N,              N,             Some(Stopped), Some(Unloading), N,                F,   Q,         N]),
    (Starting,    [N,                N,              N,             N,                N,             N,              Some(Running), N,              N,             N,              N,             N,             N,               N,                F,   Q,         N]),
    (Running,     [N,                N,              N,             N,                N,             N,              N,             Some(Stopping), N,             Some(Updating), N,             Some(Stopped), N,               N,                F,   Q,         N]),
    (Updating,    [N,                N,              N,             N,                N,             N,              N,             N,              N,             N,              Some(Running), Some(Stopped), N,               N,                F,   Q,         N]),
    (Stopping,    [N,                N,              N,             N,                N,             N,              N,             N,              Some(Stopped), N,              N,             N,             N,               N,                F,   Q,         N]),
    (Stopped,     [N,                N,              N,             N,                N,             Some(Starting), N,             N,              N,             N,              N,             Some(Stopped), Some(Unloading), N,                F,   Q,         N]),
    (Unloading,   [N,                N,              N,             N,                N,             N,              N,             N,              N,             N,              N,             N,             N,               Some(Registered), F,   Q,         N]),
    (Failed,      [N,                Some(Resolved), N,             N,                N,             N,              N,             N,              N,             N,              N,             N,             Some(Unloading), N,                F,   Q,         N]),
    (Quarantined, [N,                N,              N,             N,                N,             N,              N,             N,              N,             N,              N,             N,             Some(Unloading), N,                Q,   Q,         Some(Registered)]),
    ]
};

#[test]
fn every_pair_of_state_and_event_is_decided() {
    let rows: Vec<State> = TABLE.iter().map(|(state, _)| *state).collect();
    assert_eq!(rows, State::ALL, "one row per state, in order");
    for (state, row) in TABLE {
        for (event, expected) in Event::ALL.into_iter().zip(row) {
            assert_eq!(next(state, event), expected.ok_or(Illegal { state, event }), "{state} + {event:?}");
        }
    }
}

#[test]
fn a_whole_life_is_legal() {
    let mut state = Discovered;
    for event in [
        Register,
        Resolve,
        Load,
        Initialized,
        Start,
        Started,
        Update,
        Updated,
        Lost,
        Start,
        Started,
        Stop,
        Event::Stopped,
        Start,
        Started,
        Fail,
        Unload,
        Unloaded,
        Resolve,
        Load,
        Fail,
        Resolve,
        Load,
        Initialized,
        Unload,
        Unloaded,
        Quarantine,
        Release,
    ] {
        state = next(state, event).unwrap();
    }
    assert_eq!(state, Registered);
}

#[test]
fn an_illegal_change_says_so_in_words() {
    assert_eq!(next(Running, Start).unwrap_err().to_string(), "a plugin that is running cannot Start");
}
