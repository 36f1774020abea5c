//! The list of behaviours, over a WebSocket.

use midplane_testkit::behaviours;
use midplane_testkit::conformance::{Behaviour, Cell, check};

use crate::subject::websocket;

macro_rules! tests {
    ($(($test:ident, $behaviour:ident, [$($cell:tt)+]);)+) => {
        $(
            #[test]
            fn $test() {
                let column = Cell::ALL.iter().position(|cell| *cell == Cell::WebSocket).unwrap();
                if let Some(reason) = Behaviour::$behaviour.reasons()[column] {
                    println!("not applicable: {reason}");
                    return;
                }
                if let Err(seen) = check(Behaviour::$behaviour, &websocket()) {
                    panic!("{seen}");
                }
            }
        )+
    };
}

behaviours!(tests);
