//! The column `remote-grpc` of the list of behaviours.

use midplane_testkit::cell;

use crate::subject::Remote;

macro_rules! column {
    ($(($test:ident, $behaviour:ident, [$a:tt $b:tt $c:tt $d:tt $e:tt $f:tt $g:tt $h:tt $i:tt $j:tt $k:tt $l:tt $m:tt $n:tt
        $o:tt $remote_grpc:tt $websocket:tt]);)+) => {
        $(
            mod $test {
                use super::*;

                cell!(remote_grpc, $behaviour, $remote_grpc, Remote::new());
            }
        )+
    };
}

midplane_testkit::behaviours!(column);
