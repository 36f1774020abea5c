//! Plugins in JavaScript on Node: the conformance plugin through every behaviour, and what is special about engines.

mod engines;
mod subject;

use midplane_testkit::conformance::{Behaviour, check};

macro_rules! cell {
    ($name:ident, $behaviour:ident, yes) => {
        #[test]
        fn $name() {
            if let Err(why) = check(Behaviour::$behaviour, &subject::$name()) {
                panic!("{why}");
            }
        }
    };
    ($name:ident, $behaviour:ident, (no $reason:literal)) => {
        #[test]
        #[ignore = $reason]
        fn $name() {}
    };
}

macro_rules! matrix {
    ($((
        $test:ident, $behaviour:ident,
        [$a:tt $b:tt $c:tt $d:tt $e:tt $f:tt $g:tt $h:tt $i:tt $node:tt $($rest:tt)+]
    );)+) => {
        $(
            mod $test {
                use super::*;

                cell!(node, $behaviour, $node);
            }
        )+
    };
}

midplane_testkit::behaviours!(matrix);
