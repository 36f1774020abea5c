//! The list itself.

use super::Cell;

/// Every behaviour with its cells, for a macro to make something of. `$with` gets rows of
/// `(test_name, Behaviour, [native/in-process, native/worker, component/in-process, component/worker, core/in-process,
/// core/worker, fake, js/in-process, js/worker, node, python, go, go-wasip1, go-c-shared, text, remote-grpc, websocket]);`
/// where a cell is `yes` or `(no "reason")`.
#[macro_export]
macro_rules! behaviours {
    ($with:ident) => {
        $with! {
            (load, Load, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (call, Call, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (empty_and_large_payloads, EmptyAndLargePayloads, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (chunked_reply, ChunkedReply, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (concurrent_calls, ConcurrentCalls, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (typed_error, TypedError, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (host_call_error, HostCallError, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (panic, Panic, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (abort, Abort, [(no "an abort of code in the host's process is an abort of the host") yes yes yes yes yes yes (no "nothing that a script says can end the embedded engine") (no "nothing that a script says can end the embedded engine") yes yes yes yes yes yes yes yes]);
            (hang, Hang, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (cancel_by_drop, CancelByDrop, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (memory_limit, MemoryLimit, [(no "code in the host's process shares its memory; the limit is refused at load") yes yes yes yes yes yes yes yes yes yes yes yes yes yes (no "the memory of another machine is not the host's to limit; the limit is refused at load") (no "the host does not run the program and cannot hold its memory; the limit is refused at load")]);
            (bad_config, BadConfig, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (without_hooks, WithoutHooks, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (health, Health, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (events, Events, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (bus_request, BusRequest, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (config_changed, ConfigChanged, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (dependency_changed, DependencyChanged, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (state_and_metrics, StateAndMetrics, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (services, Services, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (fetch_given_up, FetchGivenUp, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (host_transcript, HostTranscript, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (unload, Unload, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (reload_with_changed_code, ReloadWithChangedCode, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (siblings_survive, SiblingsSurvive, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (many_tasks_many_calls, ManyTasksManyCalls, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
            (many_cycles, ManyCycles, [yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes yes]);
        }
    };
}

/// One place of the list as a test: it runs where the place is `yes`; where it is `(no "reason")` it is there, ignored, with
/// its reason in the runner's output. The last argument makes the [`Subject`](crate::conformance::Subject).
#[macro_export]
macro_rules! cell {
    ($name:ident, $behaviour:ident, yes, $subject:expr) => {
        #[test]
        fn $name() {
            let behaviour = $crate::conformance::Behaviour::$behaviour;
            if let Err(why) = $crate::conformance::check(behaviour, &$subject) {
                panic!("{why}");
            }
        }
    };
    ($name:ident, $behaviour:ident, (no $reason:literal), $subject:expr) => {
        #[test]
        #[ignore = $reason]
        fn $name() {}
    };
}

/// How many places of the list are `no`. Pinned: another one is a decision, not an accident.
pub const NOT_APPLICABLE: usize = 6;

macro_rules! enumerate {
    ($(($test:ident, $behaviour:ident, [$($cell:tt)+]);)+) => {
        /// A behaviour of the list.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Behaviour {
            $(
                #[doc = concat!("`", stringify!($test), "`")]
                $behaviour,
            )+
        }

        impl Behaviour {
            /// Every behaviour, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$behaviour),+];

            /// What it is called, and the module of its tests.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$behaviour => stringify!($test),)+
                }
            }

            /// The reasons why it does not apply, one for each cell in the order of [`super::Cell::ALL`]; `None` where it
            /// does apply. Leaving a cell out of a row does not compile.
            #[must_use]
            pub fn reasons(self) -> [Option<&'static str>; 17] {
                match self {
                    $(Self::$behaviour => [$(place!($cell)),+],)+
                }
            }
        }
    };
}

macro_rules! place {
    (yes) => {
        None
    };
    ((no $reason:literal)) => {
        Some($reason)
    };
}

behaviours!(enumerate);

impl Behaviour {
    /// What the test of it in a cell is called by the runner.
    #[must_use]
    pub fn test_in(self, cell: Cell) -> String {
        format!("matrix::{}::{}", self.name(), cell.name().replace(['/', '-'], "_"))
    }

    /// Whether its check looks at the memory of the whole process.
    #[must_use]
    pub fn weighs_the_process(self) -> bool {
        matches!(self, Self::ManyTasksManyCalls | Self::ManyCycles)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_number_of_cells_that_do_not_apply_is_pinned() {
        let reasons = Behaviour::ALL.iter().flat_map(|behaviour| behaviour.reasons()).flatten();
        assert_eq!(reasons.count(), NOT_APPLICABLE);
    }

    #[test]
    fn every_behaviour_has_a_test_of_its_own_in_every_cell() {
        let tests_of = |behaviour: &Behaviour| Cell::ALL.map(|cell| behaviour.test_in(cell));
        let tests: BTreeSet<String> = Behaviour::ALL.iter().flat_map(tests_of).collect();
        assert_eq!(tests.len(), Behaviour::ALL.len() * Cell::ALL.len());
        assert!(tests.contains("matrix::abort::js_in_process"), "{tests:?}");
    }
}
