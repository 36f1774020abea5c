//! One connection to one endpoint, and the two ways of asking on it.

use std::error::Error as StdError;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_lite::Stream;
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use midplane_contract::{Code, Error, Result};
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::metadata::MetadataMap;
use tonic::{Status, Streaming};
use tonic_prost::ProstCodec;

use crate::alert::Alerted;
use crate::discovery::Location;
use crate::session::Session;
use crate::tls;

/// How long the end of a connection may take to be noticed after a request on it has failed.
const MOMENT: Duration = Duration::from_millis(200);

static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// One connection. It ends when this and everything that was asked on it is gone.
pub(crate) struct Link {
    /// A number that no other connection of this process has.
    pub(crate) number: u64,
    /// The endpoint's address, for messages.
    pub(crate) name: String,
    sender: SendRequest<Body>,
    origin: Uri,
    ended: watch::Receiver<Option<Error>>,
    message: usize,
}

/// What a message of ours is.
pub(crate) trait Msg: Message + Default + Send + Sync + 'static {}
impl<T: Message + Default + Send + Sync + 'static> Msg for T {}

impl Link {
    /// Dials an endpoint. Awaited on the runtime of this crate.
    pub(crate) async fn dial(location: &Location, session: &Session) -> Result<Self> {
        let address = &location.address;
        let name = address.to_string();
        let tcp = match location.socket {
            Some(socket) => TcpStream::connect(socket).await,
            None => TcpStream::connect((address.host.as_str(), address.port.unwrap_or_default())).await,
        };
        let tcp = tcp.map_err(|error| unreached(&name, &error))?;
        tcp.set_nodelay(true).map_err(|error| unreached(&name, &error))?;
        if !address.secure {
            return Self::greet(tcp, name, address.authority(), session).await;
        }
        let tls = session.tls.as_ref().ok_or_else(|| Error::new(Code::Internal, "TLS was not set up"))?;
        let connector = TlsConnector::from(tls.config.clone());
        let stream = connector.connect(tls.name(&address.host)?, tcp).await.map_err(|error| {
            tls::fault(&error).map_or_else(|| unreached(&name, &error), |fault| tls.explain(&name, fault))
        })?;
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(Error::new(Code::ProtocolError, format!("{name} speaks TLS, but not HTTP/2"))
                .remedy("check that a gRPC service listens there"));
        }
        Self::greet(Alerted::new(stream), name, address.authority(), session).await
    }

    async fn greet<T>(io: T, name: String, authority: String, session: &Session) -> Result<Self>
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let settings = &session.settings;
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(settings.keep_alive)
            .keep_alive_timeout(settings.keep_alive_timeout)
            .keep_alive_while_idle(true);
        let (sender, connection) =
            builder.handshake(TokioIo::new(io)).await.map_err(|error| ended(&name, Some(&error), session))?;
        let (tell, heard) = watch::channel(None);
        let said = name.clone();
        let tls = session.tls.clone();
        tokio::spawn(async move {
            let end = connection.await;
            tell.send_replace(Some(explained(&said, end.as_ref().err(), tls.as_deref())));
        });
        let origin = Uri::builder().scheme("http").authority(authority).path_and_query("/").build();
        let origin = origin
            .map_err(|error| Error::new(Code::ManifestInvalid, format!("{name} is no address")).caused_by(&error))?;
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        Ok(Self { number, name, sender, origin, ended: heard, message: settings.message })
    }

    /// Waits for the end of the connection and says why it came.
    pub(crate) async fn ended(&self) -> Error {
        let mut ended = self.ended.clone();
        let cause = ended.wait_for(Option::is_some).await.ok().and_then(|cause| cause.clone());
        cause.unwrap_or_else(|| Error::new(Code::PeerGone, format!("the connection to {} is gone", self.name)))
    }

    /// Why the connection has ended, if it has.
    pub(crate) fn fate(&self) -> Option<Error> {
        self.ended.borrow().clone()
    }

    /// Why the connection has ended, if it was the connection that failed a request: that is known a moment later.
    pub(crate) async fn fate_behind(&self, status: &Status) -> Option<Error> {
        status.source()?;
        timeout(MOMENT, self.ended()).await.ok()
    }

    /// Asks with one message and waits for one. `time` is what the service is told; it is not kept here.
    pub(crate) async fn unary<Q: Msg, R: Msg>(
        &self,
        path: &'static str,
        message: Q,
        metadata: MetadataMap,
        time: Option<Duration>,
    ) -> Result<R, Status> {
        let mut grpc = self.grpc();
        grpc.ready().await.map_err(gone)?;
        let request = request(message, metadata, time);
        let reply = grpc.unary(request, PathAndQuery::from_static(path), ProstCodec::<Q, R>::default()).await?;
        Ok(reply.into_inner())
    }

    /// Opens a stream both ways. Comes back when the service has begun to answer; it keeps the connection meanwhile, and
    /// not this.
    pub(crate) fn stream<Q: Msg, R: Msg, S: Stream<Item = Q> + Send + 'static>(
        &self,
        path: &'static str,
        messages: S,
        metadata: MetadataMap,
        time: Option<Duration>,
    ) -> impl Future<Output = Result<Streaming<R>, Status>> + Send + use<Q, R, S> {
        let mut grpc = self.grpc();
        async move {
            grpc.ready().await.map_err(gone)?;
            let request = request(messages, metadata, time);
            let reply = grpc.streaming(request, PathAndQuery::from_static(path), ProstCodec::<Q, R>::default()).await?;
            Ok(reply.into_inner())
        }
    }

    fn grpc(&self) -> Grpc<Channel> {
        Grpc::with_origin(Channel(self.sender.clone()), self.origin.clone())
            .max_decoding_message_size(self.message)
            .max_encoding_message_size(self.message)
    }
}

fn request<M>(message: M, metadata: MetadataMap, time: Option<Duration>) -> tonic::Request<M> {
    let mut request = tonic::Request::new(message);
    *request.metadata_mut() = metadata;
    if let Some(time) = time {
        request.set_timeout(time);
    }
    request
}

/// hyper's sender as what tonic asks through.
struct Channel(SendRequest<Body>);

impl tower_service::Service<Request<Body>> for Channel {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Incoming>, hyper::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}

/// The status of a connection that takes no more requests. It has a source, as all that did not come from the service.
fn gone(error: hyper::Error) -> Status {
    let mut status = Status::unavailable("the connection has ended");
    status.set_source(std::sync::Arc::new(error));
    status
}

#[cold]
fn unreached(name: &str, error: &std::io::Error) -> Error {
    Error::new(Code::PeerGone, format!("{name} cannot be reached: {error}"))
        .remedy("check that the service runs and listens there, and that nothing stands between")
        .with("endpoint", name)
        .caused_by(error)
}

fn ended(name: &str, error: Option<&hyper::Error>, session: &Session) -> Error {
    explained(name, error, session.tls.as_deref())
}

/// What the end of a connection means.
fn explained(name: &str, error: Option<&hyper::Error>, tls: Option<&tls::Tls>) -> Error {
    let Some(error) = error else {
        return Error::new(Code::PeerGone, format!("{name} has closed the connection"))
            .remedy("the host connects again by itself; see the service's log")
            .with("endpoint", name);
    };
    if let (Some(fault), Some(tls)) = (tls::fault(error), tls) {
        return tls.explain(name, fault);
    }
    let mut causes = Vec::new();
    let mut next: Option<&dyn StdError> = Some(error);
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    let text = causes.join(": ");
    // HTTP/2 keeps of an alert nothing but its text.
    if let (Some(_), Some((_, alert))) = (tls, text.split_once("received fatal alert: ")) {
        return tls::refused(name, alert);
    }
    let remedy = if text.contains("too_many_pings") || text.contains("excessive load") {
        "the service takes keep-alive pings for abuse: let it allow one each 10 s, as contract/plugin.proto says, or \
         write a longer `entry.connection.keep_alive`"
    } else {
        "the host connects again by itself; see the service's log"
    };
    Error::new(Code::PeerGone, format!("the connection to {name} was lost: {text}"))
        .remedy(remedy)
        .with("endpoint", name)
}
