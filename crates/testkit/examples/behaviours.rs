//! Prints the list of behaviours, a line of JSON for each of its places: `behaviour`, `cell`, the name of the `test`, and the
//! `reason` why it does not apply, or null. `cargo xtask test --list-cells` reads it.

use midplane_testkit::conformance::{Behaviour, Cell};
use serde_json::json;

fn main() {
    for behaviour in Behaviour::ALL {
        for (cell, reason) in Cell::ALL.iter().zip(behaviour.reasons()) {
            let (name, test) = (behaviour.name(), behaviour.test_in(*cell));
            println!("{}", json!({ "behaviour": name, "cell": cell.name(), "test": test, "reason": reason }));
        }
    }
}
