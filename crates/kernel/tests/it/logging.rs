//! What plugins write to the host's log.

use midplane_testkit::{PluginFolder, Program, eventually, log};

use crate::house::House;

#[test]
fn a_flood_of_lines_is_cut_at_what_a_plugin_may_log_and_said_without_another_line() {
    assert!(log::listen());
    let flood = Program::new().action("flood", |desk, _, _| {
        // More than may be logged while it lasts, however slow the machine.
        (0..50_000).try_for_each(|_| desk.says("a drop"))
    });
    let beside = Program::new().action("say", |desk, _, _| desk.says("all is well"));
    let house = House::with(&[("flood", flood), ("beside", beside)]);
    house.load(&PluginFolder::fake("flooding", "flood\n1"));
    house.load(&PluginFolder::fake("beside-the-flood", "beside\n1"));

    house.call("flooding/flood", "").unwrap();
    house.call("beside-the-flood/say", "").unwrap();
    assert!(log::heard("flooding", "a drop"));
    assert!(log::heard("beside-the-flood", "all is well"), "each plugin has an allowance of its own");
    assert!(eventually(|| log::heard_part("flooding", "lines were left out")));
}
