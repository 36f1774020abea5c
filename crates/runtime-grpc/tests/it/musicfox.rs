//! A service under the names of requirement 004.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use midplane_contract::HealthStatus;
use midplane_kernel::{Kernel, block_on};
use midplane_runtime_grpc::GrpcRuntime;
use midplane_runtime_grpc::proto::musicfox as proto;
use midplane_runtime_grpc::proto::musicfox::plugin_service_server::{PluginService, PluginServiceServer};
use midplane_testkit::{PluginFolder, Scratch};
use serde_json::json;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

#[derive(Clone, Default)]
struct Player {
    told: Arc<Mutex<Vec<String>>>,
}

impl Player {
    fn tell(&self, words: &str) -> Result<Response<()>, Status> {
        self.told.lock().unwrap().push(words.to_owned());
        Ok(Response::new(()))
    }
}

#[tonic::async_trait]
impl Health for Player {
    async fn check(&self, _: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(HealthCheckResponse { status: 1 }))
    }

    type WatchStream = tokio_stream::Empty<Result<HealthCheckResponse, Status>>;

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(tokio_stream::empty()))
    }
}

#[tonic::async_trait]
impl PluginService for Player {
    async fn initialize(
        &self,
        request: Request<proto::InitializeRequest>,
    ) -> Result<Response<proto::InitializeResponse>, Status> {
        let proto::InitializeRequest { config, plugin_id, version } = request.into_inner();
        self.tell(&format!("initialize {plugin_id} {version} {}", config["volume"]))?;
        Ok(Response::new(proto::InitializeResponse { success: true, ..Default::default() }))
    }

    async fn start(&self, _: Request<()>) -> Result<Response<()>, Status> {
        self.tell("start")
    }

    async fn stop(&self, _: Request<()>) -> Result<Response<()>, Status> {
        self.tell("stop")
    }

    async fn shutdown(&self, _: Request<()>) -> Result<Response<()>, Status> {
        self.tell("shutdown")
    }

    async fn health_check(&self, _: Request<()>) -> Result<Response<proto::HealthResponse>, Status> {
        Ok(Response::new(proto::HealthResponse { status: 2, message: "no sound".into(), timestamp: None }))
    }

    async fn get_info(&self, _: Request<()>) -> Result<Response<proto::PluginInfo>, Status> {
        Ok(Response::new(proto::PluginInfo { id: "player".into(), author: "someone".into(), ..Default::default() }))
    }

    async fn get_capabilities(&self, _: Request<()>) -> Result<Response<proto::CapabilitiesResponse>, Status> {
        Ok(Response::new(proto::CapabilitiesResponse { capabilities: vec!["playback".into()], ..Default::default() }))
    }
}

#[test]
fn a_service_of_requirement_004_lives_and_is_described() {
    let player = Player::default();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let at = listener.local_addr().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let served = player.clone();
    runtime.spawn(async move {
        let incoming = TcpIncoming::from(tokio::net::TcpListener::from_std(listener).unwrap());
        let server = Server::builder().add_service(PluginServiceServer::new(served.clone()));
        server.add_service(HealthServer::new(served)).serve_with_incoming(incoming).await.unwrap();
    });

    let scratch = Scratch::new("musicfox").unwrap();
    let kernel =
        Kernel::builder().runtime(Arc::new(GrpcRuntime::default())).cache(scratch.path().join("cache")).build();
    let folder = PluginFolder::new("player", "remote", "unused", "")
        .with("entry", json!({ "runtime": "remote", "main": format!("grpc://{at}") }))
        .with("interfaces", json!({ "provides": ["musicfox.player@1.0.0"] }))
        .with("config", json!({ "volume": 7 }));
    let id = block_on(kernel.register(folder.write(scratch.path()).unwrap())).unwrap();
    block_on(kernel.load(&id)).unwrap();
    let details = kernel.status(&id).unwrap().generation.unwrap().details;
    assert_eq!(details["service"], "musicfox.plugin.PluginService");
    assert_eq!(details["endpoints"][0]["capabilities"], json!(["playback"]));
    let health = block_on(kernel.health(&id)).unwrap();
    assert_eq!((health.status, &health.details["message"]), (HealthStatus::Unhealthy, &json!("no sound")));
    block_on(kernel.unload(&id)).unwrap();
    assert_eq!(*player.told.lock().unwrap(), ["initialize player 1.0.0 7", "start", "stop", "shutdown"]);
    runtime.shutdown_background();
}
