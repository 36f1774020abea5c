//! The raw limit of remote plugins: a service in this process that answers with what it gets, and nothing else.

use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;

use anyhow::{Context, Result};
use midplane_runtime_grpc::proto::v1;
use midplane_runtime_grpc::proto::v1::plugin_server::{Plugin, PluginServer};
use tokio::runtime::{Builder, Runtime};
use tokio_stream::Stream;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

/// A service that listens until it is dropped.
pub(crate) struct Service {
    /// Where.
    pub at: SocketAddr,
    _runtime: Runtime,
}

impl Service {
    /// Starts it, on a thread of its own.
    pub(crate) fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("opening a port")?;
        listener.set_nonblocking(true)?;
        let at = listener.local_addr()?;
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        runtime.spawn(async move {
            // As a service that is served by its address has it: small answers do not wait for one another.
            let incoming = TcpIncoming::from(tokio::net::TcpListener::from_std(listener)?).with_nodelay(Some(true));
            let (reporter, health) = tonic_health::server::health_reporter();
            reporter.set_service_status("", tonic_health::ServingStatus::Serving).await;
            let server = Server::builder().add_service(PluginServer::new(Echo)).add_service(health);
            server.serve_with_incoming(incoming).await.context("serving")
        });
        Ok(Self { at, _runtime: runtime })
    }
}

struct Echo;

type Parts<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Plugin for Echo {
    async fn get_info(&self, _: Request<v1::GetInfoRequest>) -> Result<Response<v1::PluginInfo>, Status> {
        Ok(Response::new(v1::PluginInfo::default()))
    }

    async fn get_capabilities(
        &self,
        _: Request<v1::GetCapabilitiesRequest>,
    ) -> Result<Response<v1::Capabilities>, Status> {
        let actions = vec![v1::Action { name: "echo".into(), ..Default::default() }];
        Ok(Response::new(v1::Capabilities { actions, ..Default::default() }))
    }

    async fn initialize(&self, _: Request<v1::InitializeRequest>) -> Result<Response<v1::InitializeReply>, Status> {
        Ok(Response::new(v1::InitializeReply { success: true, ..Default::default() }))
    }

    async fn start(&self, _: Request<v1::StartRequest>) -> Result<Response<v1::StartReply>, Status> {
        Ok(Response::new(v1::StartReply::default()))
    }

    async fn stop(&self, _: Request<v1::StopRequest>) -> Result<Response<v1::StopReply>, Status> {
        Ok(Response::new(v1::StopReply::default()))
    }

    async fn shutdown(&self, _: Request<v1::ShutdownRequest>) -> Result<Response<v1::ShutdownReply>, Status> {
        Ok(Response::new(v1::ShutdownReply::default()))
    }

    async fn health_check(&self, _: Request<v1::HealthCheckRequest>) -> Result<Response<v1::HealthReport>, Status> {
        Ok(Response::new(v1::HealthReport { status: 1, ..Default::default() }))
    }

    async fn call(&self, request: Request<v1::CallRequest>) -> Result<Response<v1::CallReply>, Status> {
        Ok(Response::new(v1::CallReply { output: request.into_inner().input, error: None }))
    }

    type CallStreamStream = Parts<v1::ReplyPart>;

    async fn call_stream(
        &self,
        _: Request<Streaming<v1::CallPart>>,
    ) -> Result<Response<Self::CallStreamStream>, Status> {
        Err(Status::unimplemented("nothing is measured with it"))
    }

    async fn hook(&self, _: Request<v1::HookRequest>) -> Result<Response<v1::HookReply>, Status> {
        Ok(Response::new(v1::HookReply::default()))
    }

    type HostStream = Parts<v1::HostRequest>;

    async fn host(&self, _: Request<Streaming<v1::HostReply>>) -> Result<Response<Self::HostStream>, Status> {
        Err(Status::unimplemented("it asks nothing"))
    }
}
