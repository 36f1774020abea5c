//! Plugins that are gRPC services, beside a client of the same service with nothing around it.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use midplane::Placement;
use midplane_runtime_grpc::proto::v1::CallRequest;
use midplane_runtime_grpc::proto::v1::plugin_client::PluginClient;
use tokio::runtime::{Builder, Runtime};
use tonic::Request;
use tonic::transport::{Channel, Endpoint};

use super::Row;
use crate::cycle::Cycle;
use crate::measure::{Effort, Measured, in_turn, in_turn_by_themselves, inline, timed};
use crate::plugins::{Bench, Setting};
use crate::service::Service;
use crate::target::Target;

const REMOTE: Setting = Setting { id: "remote-echo", placement: Placement::Remote, instances: 1 };

pub(crate) fn rows() -> Vec<Row> {
    vec![Row { name: "grpc 64 B, call_inline", run: call }, Row { name: "grpc connect to first reply", run: start }]
}

fn call(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    let (service, bench, runtime) = (Service::start()?, Bench::new()?, runtime()?);
    bench.load(REMOTE, &folder(&bench, &service)?)?;
    let action = bench.kernel.action("remote-echo/echo")?;
    let mut client = runtime.block_on(connect(&service))?;
    let mut reply = Vec::new();
    let mut raw = |times| runtime.block_on(calls(&mut client, times));
    let mut ours = |times| inline(&action, &[7; 64], &mut reply, times, handicap);
    let note = "raw: tonic's client on a runtime of one thread, with the same metadata, the same service";
    in_turn(row, note, Target::TimesRaw(1.2), effort, (&mut raw, &mut ours))
}

fn start(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    let (service, bench, runtime) = (Service::start()?, Bench::new()?, runtime()?);
    let folder = folder(&bench, &service)?;
    let cycle = Cycle::new(bench, REMOTE, folder)?;
    let mut raw = |times| {
        timed(|| {
            runtime.block_on(async {
                for _ in 0..times {
                    calls(&mut connect(&service).await?, 1).await?;
                }
                Ok(())
            })
        })
    };
    let mut ours = |times| cycle.repeat(times, handicap);
    let note = "raw: tonic connects and calls once; the design asks ours for 20 ms on loopback";
    in_turn_by_themselves(row, note, Target::Within { nanos: 20e6, times: 1.0 }, effort, (&mut raw, &mut ours))
}

fn folder(bench: &Bench, service: &Service) -> Result<PathBuf> {
    bench.written(REMOTE, &format!("{{runtime: remote, endpoints: [\"grpc://{}\"]}}", service.at), None)
}

fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

fn now() -> String {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().to_string()
}

async fn connect(service: &Service) -> Result<PluginClient<Channel>> {
    let channel = Endpoint::try_from(format!("http://{}", service.at))?.connect().await?;
    Ok(PluginClient::new(channel))
}

async fn calls(client: &mut PluginClient<Channel>, times: u64) -> Result<()> {
    for _ in 0..times {
        let mut request = Request::new(CallRequest { action: "echo".into(), input: vec![7; 64] });
        // What the contract has every request say beside its message.
        let said = [
            ("plugin-id", "remote-echo".to_owned()),
            ("method", "echo".to_owned()),
            ("timestamp", now()),
            ("call-id", now()),
        ];
        for (name, value) in said {
            request.metadata_mut().insert(name, value.parse()?);
        }
        request.set_timeout(Duration::from_secs(30));
        let reply = client.call(request).await?.into_inner();
        if reply.output.len() != 64 {
            bail!("the service answered {} bytes", reply.output.len());
        }
    }
    Ok(())
}
