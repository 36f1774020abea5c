//! Measurements. Printed, not judged.
//!
//! `cargo test -p midplane-runtime-wire --release -- --ignored --nocapture python::bench`

use std::time::{Duration, Instant};

use midplane_kernel::Scope;

use super::place::Place;
use crate::stage::call;

const ECHO: &str = "import midplane
plugin = midplane.Plugin()
@plugin.action(raw=True)
def echo(input, ctx):
    return input
@plugin.action
def greet(input, ctx):
    return {'hello': input['name']}
";

fn sorted(count: usize, measure: impl FnMut(usize) -> Duration) -> Vec<Duration> {
    let mut all: Vec<Duration> = (0..count).map(measure).collect();
    all.sort();
    all
}

#[test]
#[ignore = "a measurement"]
fn calls_and_starts() {
    let place = Place::new();
    let folder = place.plugin("echo", &[("plugin.py", ECHO)]);
    let mut loaded = place.load(&folder, &[]).unwrap();
    for (name, input) in [("echo", vec![1; 64]), ("echo", vec![1; 65_536]), ("greet", br#"{"name":"Ada"}"#.to_vec())] {
        let action = loaded.action(name);
        let times = sorted(11, |_| {
            let start = Instant::now();
            for _ in 0..3_000 {
                call(&mut *loaded.instances[0], action, name, &input, &Scope::default()).unwrap();
            }
            start.elapsed() / 3_000
        });
        println!("{name}, {} B: least {:?}, median {:?}", input.len(), times[0], times[5]);
    }
    drop(loaded);
    let times = sorted(41, |_| {
        let start = Instant::now();
        let mut fresh = place.load(&folder, &[]).unwrap();
        fresh.call("echo", b"x").unwrap();
        start.elapsed()
    });
    println!("spawn to first reply, with asking for the version: least {:?}, median {:?}", times[0], times[20]);
    let runtime = super::place::runtime();
    let request = super::place::request_of(&folder, &place.cache(), &[]);
    let times = sorted(41, |_| {
        let start = Instant::now();
        let mut fresh = crate::stage::load_with(&runtime, &request, 1).unwrap();
        fresh.call("echo", b"x").unwrap();
        start.elapsed()
    });
    println!("spawn to first reply: least {:?}, median {:?}", times[0], times[20]);
}
