//! A service in this process that does what a test asks of it, and that can be killed and started again.

use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use midplane_runtime_grpc::proto::v1;
use midplane_runtime_grpc::proto::v1::plugin_server::{Plugin, PluginServer};
use midplane_testkit::eventually;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio_stream::Stream;
use tonic::metadata::KeyAndValueRef;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Server, ServerTlsConfig};
use tonic::{Request, Response, Status, Streaming};
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

/// What a service has seen, and what it does.
pub(crate) struct State {
    /// What the action `name` answers.
    pub(crate) name: String,
    /// What was told to it, in order.
    pub(crate) told: Mutex<Vec<String>>,
    /// Calls of `gate` and `gate-once` that wait.
    pub(crate) waiting: AtomicUsize,
    /// Whether they may go on.
    pub(crate) open: watch::Sender<bool>,
    /// What the health service says.
    pub(crate) serves: AtomicBool,
    /// Actions beside the usual ones.
    pub(crate) more: Vec<&'static str>,
    /// Calls of `echo`, `name` and the gates.
    pub(crate) calls: AtomicUsize,
    /// Whether a change of configuration is refused.
    pub(crate) stubborn: AtomicBool,
    /// Whether it may ask its host.
    pub(crate) asks: AtomicBool,
    /// Whether it has no `Start`.
    pub(crate) startless: AtomicBool,
}

impl State {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            told: Mutex::default(),
            waiting: AtomicUsize::new(0),
            open: watch::Sender::new(false),
            serves: AtomicBool::new(true),
            more: Vec::new(),
            calls: AtomicUsize::new(0),
            stubborn: AtomicBool::new(false),
            asks: AtomicBool::new(false),
            startless: AtomicBool::new(false),
        }
    }

    fn tell(&self, words: String) {
        self.told.lock().unwrap().push(words);
    }
}

/// A service that listens.
pub(crate) struct Service {
    pub(crate) state: Arc<State>,
    pub(crate) at: SocketAddr,
    tls: Option<ServerTlsConfig>,
    runtime: Option<Runtime>,
}

impl Service {
    pub(crate) fn start(name: &str) -> Self {
        Self::with(State::new(name), None)
    }

    pub(crate) fn with(state: State, tls: Option<ServerTlsConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let mut service = Self { state: Arc::new(state), at, tls, runtime: None };
        service.serve(listener);
        service
    }

    pub(crate) fn address(&self) -> String {
        format!("{}://localhost:{}", if self.tls.is_some() { "grpcs" } else { "grpc" }, self.at.port())
    }

    /// Ends it as a machine ends that loses its power: nothing is answered, nobody is told.
    pub(crate) fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Starts it again at its address.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let mut listener = None;
        assert!(eventually(|| {
            listener = TcpListener::bind(self.at).ok();
            listener.is_some()
        }));
        self.serve(listener.unwrap());
    }

    fn serve(&mut self, listener: TcpListener) {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let plugin = PluginServer::new(Shared(Arc::clone(&self.state)));
        let plugin = plugin.max_decoding_message_size(usize::MAX).max_encoding_message_size(usize::MAX);
        let health = HealthServer::new(Shared(Arc::clone(&self.state)));
        let mut builder = Server::builder();
        if let Some(tls) = &self.tls {
            builder = builder.tls_config(tls.clone()).unwrap();
        }
        listener.set_nonblocking(true).unwrap();
        runtime.spawn(async move {
            let incoming = TcpIncoming::from(tokio::net::TcpListener::from_std(listener).unwrap());
            let served = builder.add_service(plugin).add_service(health).serve_with_incoming(incoming).await;
            served.unwrap();
        });
        self.runtime = Some(runtime);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

#[derive(Clone)]
struct Shared(Arc<State>);

#[tonic::async_trait]
impl Health for Shared {
    async fn check(&self, _: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let status = if self.0.serves.load(Ordering::SeqCst) { 1 } else { 2 };
        Ok(Response::new(HealthCheckResponse { status }))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("nobody watches"))
    }
}

/// Actions, and whether they are idempotent.
const ACTIONS: [(&str, bool); 8] = [
    ("echo", true),
    ("name", true),
    ("gate", true),
    ("gate-once", false),
    ("big", false),
    ("status", true),
    ("metadata", false),
    ("forever", false),
];

#[tonic::async_trait]
impl Plugin for Shared {
    async fn get_info(&self, _: Request<v1::GetInfoRequest>) -> Result<Response<v1::PluginInfo>, Status> {
        let metadata = [("region".to_owned(), self.0.name.clone())].into();
        Ok(Response::new(v1::PluginInfo { name: "test".into(), metadata, ..Default::default() }))
    }

    async fn get_capabilities(
        &self,
        _: Request<v1::GetCapabilitiesRequest>,
    ) -> Result<Response<v1::Capabilities>, Status> {
        let more = self.0.more.iter().map(|name| (*name, false));
        let action =
            |(name, idempotent): (&str, bool)| v1::Action { name: name.into(), idempotent, ..Default::default() };
        let actions = ACTIONS.into_iter().chain(more).map(action).collect();
        let asks = self.0.asks.load(Ordering::SeqCst).then(|| "host".to_owned());
        let capabilities = ["testing".to_owned()].into_iter().chain(asks).collect();
        let capability_config = [("testing".to_owned(), r#"{"depth":3}"#.to_owned())].into();
        let hooks = vec!["config_changed".into()];
        Ok(Response::new(v1::Capabilities { capabilities, capability_config, actions, hooks }))
    }

    async fn initialize(
        &self,
        request: Request<v1::InitializeRequest>,
    ) -> Result<Response<v1::InitializeReply>, Status> {
        let request = request.into_inner();
        self.0.tell(format!("initialize {} {} {}", request.plugin_id, request.version, request.config));
        Ok(Response::new(v1::InitializeReply { success: true, ..Default::default() }))
    }

    async fn start(&self, _: Request<v1::StartRequest>) -> Result<Response<v1::StartReply>, Status> {
        if self.0.startless.load(Ordering::SeqCst) {
            return Err(Status::unimplemented("no such method"));
        }
        self.0.tell("start".into());
        Ok(Response::new(v1::StartReply::default()))
    }

    async fn stop(&self, _: Request<v1::StopRequest>) -> Result<Response<v1::StopReply>, Status> {
        self.0.tell("stop".into());
        Ok(Response::new(v1::StopReply::default()))
    }

    async fn shutdown(&self, _: Request<v1::ShutdownRequest>) -> Result<Response<v1::ShutdownReply>, Status> {
        self.0.tell("shutdown".into());
        Ok(Response::new(v1::ShutdownReply::default()))
    }

    async fn health_check(&self, _: Request<v1::HealthCheckRequest>) -> Result<Response<v1::HealthReport>, Status> {
        Ok(Response::new(v1::HealthReport { status: 1, ..Default::default() }))
    }

    async fn call(&self, request: Request<v1::CallRequest>) -> Result<Response<v1::CallReply>, Status> {
        let metadata: serde_json::Map<_, _> = request
            .metadata()
            .iter()
            .filter_map(|entry| match entry {
                KeyAndValueRef::Ascii(key, value) => Some((key.to_string(), json!(value.to_str().unwrap()))),
                KeyAndValueRef::Binary(..) => None,
            })
            .collect();
        let v1::CallRequest { action, input } = request.into_inner();
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        let output = match action.as_str() {
            "echo" => input,
            "name" => self.0.name.clone().into_bytes(),
            "gate" | "gate-once" => {
                self.0.waiting.fetch_add(1, Ordering::SeqCst);
                let _ = self.0.open.subscribe().wait_for(|open| *open).await;
                self.0.name.clone().into_bytes()
            }
            "big" => vec![7; String::from_utf8(input).unwrap().parse().unwrap()],
            "status" => {
                let code: i32 = String::from_utf8(input).unwrap().parse().unwrap();
                return Err(Status::new(tonic::Code::from_i32(code), "on purpose"));
            }
            "metadata" => serde_json::to_vec(&metadata).unwrap(),
            "forever" => std::future::pending().await,
            other => return Err(Status::unimplemented(format!("no action {other}"))),
        };
        Ok(Response::new(v1::CallReply { output, error: None }))
    }

    type CallStreamStream = Pin<Box<dyn Stream<Item = Result<v1::ReplyPart, Status>> + Send>>;

    async fn call_stream(
        &self,
        request: Request<Streaming<v1::CallPart>>,
    ) -> Result<Response<Self::CallStreamStream>, Status> {
        let (mut parts, mut input, mut action) = (request.into_inner(), Vec::new(), String::new());
        while let Some(part) = parts.message().await? {
            action.push_str(&part.action);
            input.extend(part.input);
        }
        let output = if action == "big" { vec![7; String::from_utf8(input).unwrap().parse().unwrap()] } else { input };
        let part = |output: &[u8]| Ok(v1::ReplyPart { output: output.to_vec(), error: None });
        let parts: Vec<_> = output.chunks(1024 * 1024).map(part).collect();
        Ok(Response::new(Box::pin(tokio_stream::iter(parts))))
    }

    async fn hook(&self, request: Request<v1::HookRequest>) -> Result<Response<v1::HookReply>, Status> {
        let v1::HookRequest { hook, input } = request.into_inner();
        self.0.tell(format!("{hook} {}", String::from_utf8(input).unwrap()));
        let refused = v1::Error { code: "stubborn".into(), message: "not like this".into(), ..Default::default() };
        let error = self.0.stubborn.load(Ordering::SeqCst).then_some(refused);
        Ok(Response::new(v1::HookReply { error, ..Default::default() }))
    }

    type HostStream = Pin<Box<dyn Stream<Item = Result<v1::HostRequest, Status>> + Send>>;

    async fn host(&self, _: Request<Streaming<v1::HostReply>>) -> Result<Response<Self::HostStream>, Status> {
        // It could ask, and never does.
        std::future::pending().await
    }
}
