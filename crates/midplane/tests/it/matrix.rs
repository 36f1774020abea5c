//! One test for each behaviour in each cell; a cell that does not apply is ignored, with its reason. The columns of runtimes
//! that need no WebAssembly engine are run by those runtimes' own crates, over the same list: `js` in `runtime-js`, `node`,
//! `python`, `go`, `go-c-shared` and `text` in `runtime-wire`, `remote-grpc` in `runtime-grpc`, `websocket` in
//! `runtime-connect`.

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
    ($(($test:ident, $behaviour:ident, [$a:tt $b:tt $c:tt $d:tt $e:tt $f:tt $g:tt
        $js:tt $js_worker:tt $node:tt $python:tt $go:tt $wasip1:tt $($elsewhere:tt)+]);)+) => {
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
                cell!(go_wasip1, $behaviour, $wasip1);
            }
        )+
    };
}

midplane_testkit::behaviours!(matrix);
