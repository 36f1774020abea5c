//! An executor with two threads, and more guests that hang than it has threads.

use std::time::Duration;

use midplane::{CallOptions, Code, PluginId};
use midplane_testkit::conformance::Subject;
use midplane_testkit::{PATIENCE, Scratch};

use crate::subjects;

#[test]
fn eight_endless_wasm_loops_on_two_threads_end_in_time_and_keep_nobody_from_an_answer() {
    let scratch = Scratch::new("threads").unwrap();
    let subject = subjects::component_in_process();
    let kernel = subject.kernel(&scratch.path().join("cache")).build();
    let executor = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    executor.block_on(async {
        let names: Vec<String> = (0..8).map(|number| format!("loop-{number}")).chain(["calm".to_owned()]).collect();
        for name in &names {
            let folder = subject.plugin(name, 1).write(scratch.path()).unwrap();
            kernel.set_policy(&PluginId::new(name).unwrap(), subject.policy());
            kernel.load_path(folder).await.unwrap();
        }
        let hang = |name: &String| {
            let action = kernel.action(&format!("{name}/hang")).unwrap();
            tokio::spawn(async move { action.call_with("null", CallOptions::within(Duration::from_secs(1))).await })
        };
        let loops: Vec<_> = names.iter().take(8).map(hang).collect();
        let calm = kernel.action("calm/echo").unwrap();
        let answers = tokio::spawn(async move {
            for _ in 0..20 {
                let options = CallOptions::within(PATIENCE);
                assert_eq!(calm.call_with("still here", options).await.unwrap(), b"still here");
            }
        });
        answers.await.unwrap();
        for each in loops {
            assert_eq!(each.await.unwrap().unwrap_err().code(), Code::DeadlineExceeded);
        }
    });
}
