//! A port of its own for plugins that connect.

use std::io::{ErrorKind, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use midplane_contract::{Code, Error, Result};
use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::handshake::{HandshakeError, HandshakeRole};
use tungstenite::http::StatusCode;
use tungstenite::protocol::WebSocketConfig;

use crate::host::{Arrival, Host};
use crate::origin;
use crate::stream::{Reader, Stream, Wire};

/// Where plugins connect.
pub(crate) const PATH: &str = "/plugin/connect";
/// Largest message before a plugin is registered.
pub(crate) const FIRST: usize = 64 * 1024;
/// Characters of an origin in a log: scheme, name of a host, port, and room.
const SHOWN: usize = 300;
/// Pause after an `accept` that failed, which it does when descriptors are short.
const SHORT: Duration = Duration::from_millis(100);

/// Accepts WebSockets on a port until it is closed or dropped. Plain: on other addresses than this machine's own, put
/// it behind something that speaks TLS.
pub struct Listener {
    address: SocketAddr,
    socket: Arc<TcpListener>,
    closed: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Listener {
    /// Begins to listen where the host's settings say.
    ///
    /// # Errors
    /// `io` when the address cannot be had, `permission_denied` when the system does not give it to this user.
    pub fn bind(host: &Host) -> Result<Self> {
        let wanted = host.settings().address();
        let unavailable = |error| unavailable(wanted, &error);
        let socket = Arc::new(TcpListener::bind(wanted).map_err(unavailable)?);
        let address = socket.local_addr().map_err(unavailable)?;
        let closed = Arc::new(AtomicBool::new(false));
        let (accepting, stop, host) = (Arc::clone(&socket), Arc::clone(&closed), host.clone());
        let named = thread::Builder::new().name("midplane-connect".to_owned());
        let thread = named.spawn(move || accept(&accepting, &stop, &host)).map_err(unavailable)?;
        tracing::info!(%address, "plugins can connect");
        Ok(Self { address, socket, closed, thread: Mutex::new(Some(thread)) })
    }

    /// The address, with the port that was taken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address as plugins are given it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("ws://{}{PATH}", self.address)
    }

    /// Accepts nobody any longer; who is connected stays. See [`Host::shutdown`].
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        // On Linux this ends an `accept` that waits.
        let _ = rustix::net::shutdown(&*self.socket, rustix::net::Shutdown::Both);
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.close();
    }
}

fn unavailable(wanted: SocketAddr, error: &std::io::Error) -> Error {
    let (code, remedy) = match error.kind() {
        ErrorKind::PermissionDenied => (Code::PermissionDenied, "choose a port from 1024 on; those below need a right"),
        ErrorKind::AddrInUse => (Code::Io, "choose another port, 0 for a free one, or end whoever has it"),
        ErrorKind::AddrNotAvailable => (Code::Io, "choose an address of this machine"),
        _ => (Code::Io, "choose another address or port"),
    };
    Error::new(code, format!("plugins cannot connect: {wanted} cannot be listened on: {error}")).remedy(remedy)
}

fn accept(socket: &TcpListener, closed: &AtomicBool, host: &Host) {
    while !closed.load(Ordering::SeqCst) {
        let (tcp, from) = match socket.accept() {
            Ok(accepted) => accepted,
            Err(_) if closed.load(Ordering::SeqCst) => return,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                thread::sleep(SHORT);
                continue;
            }
        };
        let Some(arrival) = host.arrive() else {
            if host.refusals().is_next_logged() {
                tracing::warn!(%from, "a connection was refused: too many are on their way in, or the host is stopping");
            }
            refuse(&tcp, "503 Service Unavailable", "too many plugins are on their way in");
            continue;
        };
        let host = host.clone();
        let named = thread::Builder::new().name(format!("midplane-ws-{}", from.port()));
        if let Err(error) = named.spawn(move || serve(host, tcp, from, arrival)) {
            tracing::error!(%error, "no thread for a plugin's connection");
        }
    }
}

fn serve(host: Host, tcp: TcpStream, from: SocketAddr, arrival: Arrival) {
    let settings = host.settings().clone();
    let until = Instant::now() + settings.admission;
    let Ok(wire) = Wire::new(tcp, settings.timeout) else { return };
    let wire = Arc::new(wire);
    let config = WebSocketConfig::default()
        .read_buffer_size(16 * 1024)
        .write_buffer_size(0)
        .max_message_size(Some(FIRST))
        .max_frame_size(Some(FIRST));
    // The large variant is tungstenite's.
    #[expect(clippy::result_large_err, reason = "the type is given by the library")]
    let judge = |request: &Request, response: Response| match refusal(request, &settings.origins) {
        None => Ok(response),
        Some((status, why)) => {
            if host.refusals().is_next_logged() {
                tracing::warn!(%from, origin = origin_of(request).map(shortened), why, "a connection was refused");
            }
            Err(error_response(status, why))
        }
    };
    let stream = Stream::new(Arc::clone(&wire), until);
    match tungstenite::accept_hdr_with_config(stream, judge, Some(config)) {
        Ok(socket) => host.admit(Reader::new(socket), wire, &from.to_string(), arrival),
        Err(error) => {
            tracing::debug!(%from, %error, "no WebSocket");
            if is_unanswered(&error) {
                refuse(wire.tcp(), "400 Bad Request", "plugins connect here by WebSocket; see contract/text.md");
            }
        }
    }
}

/// Whether somebody waits for an answer who has sent something else than a WebSocket's beginning.
fn is_unanswered<S: HandshakeRole>(error: &HandshakeError<S>) -> bool {
    use tungstenite::Error::{Capacity, HttpFormat, Protocol};
    matches!(error, HandshakeError::Failure(Protocol(_) | HttpFormat(_) | Capacity(_)))
}

fn refusal(request: &Request, origins: &[String]) -> Option<(StatusCode, &'static str)> {
    if request.uri().path() != PATH {
        return Some((StatusCode::NOT_FOUND, "plugins connect at /plugin/connect"));
    }
    let allowed = origin::is_allowed(origin_of(request), origins);
    (!allowed).then_some((StatusCode::FORBIDDEN, "pages of this origin may not connect; the operator can allow it"))
}

/// The page's origin; `None` for programs.
fn origin_of(request: &Request) -> Option<&str> {
    request.headers().get("origin").map(|origin| origin.to_str().unwrap_or_default())
}

fn shortened(origin: &str) -> String {
    origin.chars().take(SHOWN).collect()
}

fn error_response(status: StatusCode, why: &str) -> ErrorResponse {
    let mut response = ErrorResponse::new(Some(format!("{why}\n")));
    *response.status_mut() = status;
    response
}

fn refuse(mut tcp: &TcpStream, status: &str, why: &str) {
    let _ = tcp.set_nonblocking(true);
    let _ = write!(tcp, "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{why}\n", why.len() + 1);
    let _ = tcp.shutdown(Shutdown::Both);
}
