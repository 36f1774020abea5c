//! A WebSocket over TCP: tungstenite reads, and everybody writes whole frames to the same socket.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use tungstenite::{Error, WebSocket};

use crate::socket::{Closing, Incoming, Message, Outlet};

/// Payloads up to this size are put behind their head and written at once.
const SMALL: usize = 16 * 1024;

/// The socket, and whose turn it is to write.
pub(crate) struct Wire {
    tcp: TcpStream,
    /// Whether the last frame is out: nothing follows it.
    writing: Mutex<bool>,
    /// The last frame's payload, until somebody has written it.
    last: Mutex<Option<Vec<u8>>>,
}

impl Wire {
    /// Takes over a connected socket in blocking mode; a write that gets nowhere for `timeout` fails.
    pub(crate) fn new(tcp: TcpStream, timeout: Duration) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        tcp.set_write_timeout(Some(timeout.max(Duration::from_millis(1))))?;
        Ok(Self { tcp, writing: Mutex::new(false), last: Mutex::new(None) })
    }

    /// The socket, for an answer that is no WebSocket's.
    pub(crate) fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    fn write(&self, bytes: [&[u8]; 2]) -> io::Result<()> {
        let ended = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let written = if *ended { Ok(()) } else { self.write_now(bytes) };
        drop(ended);
        self.write_last();
        written
    }

    /// Writes the last frame, if there is one and nobody writes; whoever does looks for it afterwards.
    fn write_last(&self) {
        // CONCURRENCY: looked for again after letting go. Who left a frame while this held the lock has gone by then.
        while self.last().is_some() {
            let Ok(mut ended) = self.writing.try_lock() else { return };
            let Some(payload) = self.last().take() else { return };
            if !*ended {
                let _ = self.write_now([&head(OpCode::Control(Control::Close), payload.len()), &payload]);
                *ended = true;
            }
        }
    }

    fn last(&self) -> MutexGuard<'_, Option<Vec<u8>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After a write that failed the stream is good for nothing: half a frame may be out.
    fn write_now(&self, bytes: [&[u8]; 2]) -> io::Result<()> {
        let written = match bytes {
            [head, payload] if payload.len() <= SMALL => (&self.tcp).write_all(&[head, payload].concat()),
            [head, payload] => (&self.tcp).write_all(head).and_then(|()| (&self.tcp).write_all(payload)),
        };
        written.inspect_err(|_| self.destroy())
    }
}

fn head(opcode: OpCode, length: usize) -> Vec<u8> {
    let mut head = Vec::with_capacity(10);
    // Writing to memory does not fail.
    let _ = FrameHeader { opcode, ..FrameHeader::default() }.format(length as u64, &mut head);
    head
}

impl Outlet for Wire {
    fn text(&self, text: &str) -> io::Result<()> {
        self.write([&head(OpCode::Data(Data::Text), text.len()), text.as_bytes()])
    }

    fn binary(&self, bytes: &[u8]) -> io::Result<()> {
        self.write([&head(OpCode::Data(Data::Binary), bytes.len()), bytes])
    }

    fn ping(&self) {
        // While somebody writes, whether the peer lives shows anyway.
        let Ok(ended) = self.writing.try_lock() else { return };
        if !*ended {
            let _ = self.write_now([&head(OpCode::Control(Control::Ping), 0), &[]]);
        }
        drop(ended);
        self.write_last();
    }

    fn close(&self, closing: &Closing) {
        let mut payload = closing.code.to_be_bytes().to_vec();
        payload.extend_from_slice(closing.short().as_bytes());
        *self.last() = Some(payload);
        self.write_last();
    }

    fn destroy(&self) {
        // It fails only when the other side is gone already.
        let _ = self.tcp.shutdown(Shutdown::Both);
    }
}

/// What tungstenite reads from and answers pings to.
pub(crate) struct Stream {
    wire: Arc<Wire>,
    until: Option<Instant>,
}

impl Stream {
    /// Reads until an instant, however little comes at a time.
    pub(crate) fn new(wire: Arc<Wire>, until: Instant) -> Self {
        Self { wire, until: Some(until) }
    }

    fn patient(&mut self) {
        self.until = None;
        // A socket that takes no setting is broken, and the next read says so.
        let _ = self.wire.tcp.set_read_timeout(None);
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Some(until) = self.until {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            self.wire.tcp.set_read_timeout(Some(left))?;
        }
        (&self.wire.tcp).read(into).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => ErrorKind::TimedOut.into(),
            _ => error,
        })
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wire.write([bytes, &[]]).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The reading end.
pub(crate) struct Reader {
    socket: WebSocket<Stream>,
    /// What arrives is no WebSocket any longer, or too large.
    broken: bool,
}

impl Reader {
    pub(crate) fn new(socket: WebSocket<Stream>) -> Self {
        Self { socket, broken: false }
    }

    /// Takes what arrives for nothing: ended with bytes unread, a connection takes along what was just written to it.
    fn drain(&mut self) -> io::Result<Option<Message>> {
        let count = self.socket.get_mut().read(&mut [0; SMALL])?;
        Ok((count > 0).then_some(Message::Life))
    }
}

impl Incoming for Reader {
    fn next(&mut self) -> io::Result<Option<Message>> {
        if self.broken {
            return self.drain();
        }
        match self.socket.read() {
            Ok(tungstenite::Message::Text(text)) => Ok(Some(Message::Text(text.as_str().to_owned()))),
            Ok(tungstenite::Message::Binary(bytes)) => Ok(Some(Message::Binary(bytes.into()))),
            Ok(tungstenite::Message::Close(_)) => {
                // The answer to it is written by the next read or flush.
                let _ = self.socket.flush();
                Ok(None)
            }
            Ok(_) => Ok(Some(Message::Life)),
            Err(Error::ConnectionClosed | Error::AlreadyClosed) => Ok(None),
            Err(Error::Io(error)) => Err(error),
            Err(Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => {
                Err(ErrorKind::UnexpectedEof.into())
            }
            Err(error) => {
                self.broken = true;
                Err(io::Error::new(ErrorKind::InvalidData, error.to_string()))
            }
        }
    }

    fn admitted(&mut self, limit: usize) {
        self.socket.get_mut().patient();
        self.socket.set_config(|config| {
            config.max_message_size = Some(limit);
            config.max_frame_size = Some(limit);
        });
    }
}
