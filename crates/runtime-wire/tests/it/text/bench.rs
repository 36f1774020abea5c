//! What a script costs. Printed, not judged.
//!
//! `cargo test -p midplane-runtime-wire --release -- --ignored --nocapture text::bench`

use std::time::{Duration, Instant};

use crate::stage::Loaded;
use crate::text::faults::script;

const ECHO: &str = ". \"$MIDPLANE_SH\"
action_echo() { if [[ -n $input_base64 ]]; then reply_base64 \"$input_base64\"; else reply \"$input\"; fi; }
run
";

fn load() -> (midplane_testkit::Scratch, Loaded) {
    let (scratch, loaded) = script(ECHO);
    (scratch, loaded.unwrap())
}

fn median(mut measure: impl FnMut() -> Duration) -> Duration {
    let mut all: Vec<Duration> = (0..9).map(|_| measure()).collect();
    all.sort();
    all[all.len() / 2]
}

#[test]
#[ignore = "a measurement"]
fn an_echo_in_bash() {
    let (_scratch, mut echo) = load();
    for (size, rounds) in [(64, 2_000), (4_096, 300), (65_536, 100), (16 << 20, 1)] {
        let input = vec![b'x'; size];
        let each = median(|| {
            let start = Instant::now();
            for _ in 0..rounds {
                assert_eq!(echo.call("echo", &input).unwrap().len(), size);
            }
            start.elapsed() / rounds
        });
        println!("bash, {size} B: {each:?}");
    }
    let start = median(|| {
        let start = Instant::now();
        let (_scratch, mut fresh) = load();
        fresh.call("echo", b"x").unwrap();
        start.elapsed()
    });
    println!("bash: spawn to first reply {start:?}");
}
