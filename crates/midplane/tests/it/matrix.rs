//! One test for each behaviour in each cell; a cell that does not apply is ignored, with its reason.

use midplane_testkit::conformance::{Behaviour, check};

use crate::subjects;

macro_rules! cell {
    ($name:ident, $behaviour:ident, yes) => {
        #[test]
        fn $name() {
            if let Err(why) = check(Behaviour::$behaviour, &subjects::$name()) {
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
    ($(($test:ident, $behaviour:ident, [$a:tt $b:tt $c:tt $d:tt $e:tt $f:tt $g:tt]);)+) => {
        $(
            mod $test {
                use super::*;

                cell!(native_in_process, $behaviour, $a);
                cell!(native_in_worker, $behaviour, $b);
                cell!(component_in_process, $behaviour, $c);
                cell!(component_in_worker, $behaviour, $d);
                cell!(core_in_process, $behaviour, $e);
                cell!(core_in_worker, $behaviour, $f);
                cell!(fake, $behaviour, $g);
            }
        )+
    };
}

midplane_testkit::behaviours!(matrix);
