//! Every behaviour that the conformance list has for this cell.

use midplane_testkit::conformance::{Behaviour, check};

use crate::subject::Remote;

macro_rules! cell {
    ($name:ident, $behaviour:ident, yes) => {
        #[test]
        fn $name() {
            if let Err(why) = check(Behaviour::$behaviour, &Remote::new()) {
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

macro_rules! column {
    ($(($test:ident, $behaviour:ident, [$a:tt $b:tt $c:tt $d:tt $e:tt $f:tt $g:tt $h:tt $i:tt $j:tt $k:tt $l:tt $m:tt $n:tt $o:tt $remote:tt $p:tt]);)+) => {
        $(cell!($test, $behaviour, $remote);)+
    };
}

midplane_testkit::behaviours!(column);
