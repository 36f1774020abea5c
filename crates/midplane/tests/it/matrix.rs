//! One test for each behaviour in each cell; a cell that does not apply is ignored, with its reason. The last two columns
//! need services of their own and are run by the crates of their runtimes, over the same list: `remote-grpc` in
//! `runtime-grpc`, `websocket` in `runtime-connect`. All are called `matrix::BEHAVIOUR::CELL`, which is how
//! `cargo xtask test --list-cells` knows them.

use midplane_testkit::cell;

use crate::subjects;

macro_rules! matrix {
    ($(($test:ident, $behaviour:ident, [$a:tt $b:tt $c:tt $d:tt $e:tt $f:tt $g:tt $h:tt $i:tt $j:tt $k:tt $l:tt $m:tt $n:tt
        $o:tt $remote_grpc:tt $websocket:tt]);)+) => {
        $(
            mod $test {
                use super::*;

                cell!(native_in_process, $behaviour, $a, subjects::native_in_process());
                cell!(native_worker, $behaviour, $b, subjects::native_worker());
                cell!(component_in_process, $behaviour, $c, subjects::component_in_process());
                cell!(component_worker, $behaviour, $d, subjects::component_worker());
                cell!(core_in_process, $behaviour, $e, subjects::core_in_process());
                cell!(core_worker, $behaviour, $f, subjects::core_worker());
                cell!(fake, $behaviour, $g, subjects::fake());
                cell!(js_in_process, $behaviour, $h, subjects::js_in_process());
                cell!(js_worker, $behaviour, $i, subjects::js_worker());
                cell!(node, $behaviour, $j, subjects::node());
                cell!(python, $behaviour, $k, subjects::python());
                cell!(go, $behaviour, $l, subjects::go());
                cell!(go_wasip1, $behaviour, $m, subjects::go_wasip1());
                cell!(go_c_shared, $behaviour, $n, subjects::go_c_shared());
                cell!(text, $behaviour, $o, subjects::text());
            }
        )+
    };
}

midplane_testkit::behaviours!(matrix);
