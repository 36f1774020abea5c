//! A web server on this machine, for plugins that fetch.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Answers the same to everybody, whatever the hour: `/hello`, `/echo`, `/moved` to `/hello`, `/large`, nothing at all on
/// `/never`, and 404 to the rest.
/// Ends when it is dropped.
#[derive(Debug)]
pub struct Loopback {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    ended: AtomicBool,
    large: usize,
    requests: Mutex<Vec<String>>,
    left: AtomicUsize,
}

impl Loopback {
    /// Listens on a free port. `/large` is so many bytes.
    ///
    /// # Errors
    /// No port, or no thread.
    pub fn start(large: usize) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            ended: AtomicBool::new(false),
            large,
            requests: Mutex::default(),
            left: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("loopback".into()).spawn(move || {
            for stream in listener.incoming() {
                if serving.ended.load(Ordering::SeqCst) {
                    return;
                }
                // Who goes away early has nothing to complain about.
                let _ = stream.and_then(|stream| Self::serve(&serving, stream));
            }
        })?;
        Ok(Self { address, shared, thread: Some(thread) })
    }

    /// Host and port.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// What addresses of pages begin with, without a slash at the end.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came so far: method, path, the headers that a plugin may have set, and the body.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many of those that asked for `/never` have gone away.
    #[must_use]
    pub fn left(&self) -> usize {
        self.shared.left.load(Ordering::SeqCst)
    }

    fn serve(shared: &Arc<Shared>, mut stream: TcpStream) -> io::Result<()> {
        if shared.answer(&stream)? {
            return Ok(());
        }
        let shared = Arc::clone(shared);
        // Ends when the other side does, which whoever waits for nothing has to do.
        std::thread::Builder::new().name("loopback-never".into()).spawn(move || {
            let _ = stream.read(&mut [0]);
            shared.left.fetch_add(1, Ordering::SeqCst);
        })?;
        Ok(())
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Whoever waits for a connection gets one.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// False for a request that is not answered.
    fn answer(&self, mut stream: &TcpStream) -> io::Result<bool> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut parts = line.split(' ');
        let (method, path) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let mut noted = format!("{method} {path}");
        let mut length = 0;
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
                break;
            }
            let (name, value) = header.trim().split_once(": ").unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap_or(0),
                name @ ("content-type" | "x-color") => noted += &format!(" {name}={value}"),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        noted += &format!(" {}", body.escape_ascii());
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(noted.trim_end().to_owned());
        let (status, headers, body) = match path.split('?').next().unwrap_or_default() {
            "/hello" => {
                ("200 OK", "Content-Type: text/plain\r\nX-Color: red\r\nX-Color: blue\r\n", b"hello\n\0\xff".to_vec())
            }
            "/echo" => ("200 OK", "Content-Type: application/octet-stream\r\n", body),
            "/moved" => ("302 Found", "Location: /hello\r\n", Vec::new()),
            "/never" => return Ok(false),
            "/large" => ("200 OK", "Content-Type: text/plain\r\n", vec![b'x'; self.large]),
            _ => ("404 Not Found", "Content-Type: text/plain\r\n", b"not here".to_vec()),
        };
        let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        stream.write_all(head.as_bytes())?;
        stream.write_all(&body).map(|()| true)
    }
}
