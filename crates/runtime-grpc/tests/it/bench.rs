//! Numbers beside the raw limit, by hand: `cargo test -p midplane-runtime-grpc --release -- --ignored --nocapture bench`.

use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use midplane_runtime_grpc::Settings;
use midplane_runtime_grpc::proto::v1;
use midplane_runtime_grpc::proto::v1::plugin_client::PluginClient;
use tonic::transport::Endpoint;

use crate::service::Service;
use crate::stage::Stage;

const CALLS: usize = 3000;

/// The median of so many calls.
fn median(mut call: impl FnMut()) -> Duration {
    (0..CALLS / 10).for_each(|_| call());
    let mut times: Vec<Duration> = (0..CALLS)
        .map(|_| {
            let started = Instant::now();
            call();
            started.elapsed()
        })
        .collect();
    times.sort();
    times[CALLS / 2]
}

#[test]
#[ignore = "prints numbers, checks nothing"]
fn bench() {
    let service = Service::start("a");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let channel = runtime.block_on(Endpoint::try_from(format!("http://{}", service.at)).unwrap().connect()).unwrap();
    let mut client = PluginClient::new(channel.clone());
    let request = || v1::CallRequest { action: "echo".into(), input: vec![1; 64] };
    let stage = Stage::of(&[service.address()], Settings::default());
    let action = stage.kernel.action("far/echo").unwrap();
    let input = [1; 64];
    let mut reply = Vec::new();
    for _ in 0..3 {
        let raw = median(|| drop(block_on(client.call(request())).unwrap()));
        let inside = median(|| drop(runtime.block_on(client.call(request())).unwrap()));
        let inline = median(|| {
            reply.clear();
            action.call_inline(&input, &mut reply).unwrap();
        });
        let future = median(|| drop(block_on(action.call(input)).unwrap()));
        println!("raw tonic {raw:?}, in its runtime {inside:?}; call_inline {inline:?}, call {future:?}");
    }
    let mut connects: Vec<Duration> = (0..20)
        .map(|_| {
            let started = Instant::now();
            let stage = Stage::of(&[service.address()], Settings::default());
            stage.call("echo", "x").unwrap();
            started.elapsed()
        })
        .collect();
    connects.sort();
    println!("from the manifest to the first reply: {:?}", connects[10]);
}
