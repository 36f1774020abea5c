//! A TLS stream that says why it broke.
//!
//! A service that refuses the host's certificate sends an alert and hangs up, after the host took the handshake for done
//! (TLS 1.3). What the host writes next fails with a broken pipe; the reason waits on the side that nobody reads then.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::tls;

/// The stream.
pub(crate) struct Alerted(pub(crate) TlsStream<TcpStream>);

impl Alerted {
    /// The alert that is waiting to be read, instead of the error that it caused.
    fn reason(&mut self, error: io::Error, context: &mut Context<'_>) -> io::Error {
        let mut scratch = [0; 1024];
        // What comes before the alert is of no use any longer.
        for _ in 0..64 {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut self.0).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                Poll::Ready(Err(reason)) if tls::fault(&reason).is_some() => return reason,
                _ => break,
            }
        }
        error
    }

    fn told<T>(&mut self, done: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        match done {
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.reason(error, context))),
            other => other,
        }
    }
}

impl AsyncRead for Alerted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Alerted {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.0).poll_write(context, bytes);
        self.told(done, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.0).poll_flush(context);
        self.told(done, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
