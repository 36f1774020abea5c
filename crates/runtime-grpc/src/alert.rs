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
pub(crate) struct Alerted {
    stream: TlsStream<TcpStream>,
    /// What writing failed with, until the side that is read has said why.
    broken: Option<io::Error>,
}

impl Alerted {
    pub(crate) fn new(stream: TlsStream<TcpStream>) -> Self {
        Self { stream, broken: None }
    }

    /// Waits for the alert that may stand behind a failed write. A broken connection has one soon, or an end.
    fn told<T>(&mut self, done: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        match done {
            Poll::Ready(Err(error)) => {
                self.broken.get_or_insert(error);
            }
            other if self.broken.is_none() => return other,
            _ => {}
        }
        let mut scratch = [0; 1024];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                Poll::Pending => return Poll::Pending,
                // What comes before the alert is of no use any longer.
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                Poll::Ready(Err(reason)) if tls::fault(&reason).is_some() => return Poll::Ready(Err(reason)),
                Poll::Ready(_) => {
                    let error = self.broken.take().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into());
                    return Poll::Ready(Err(error));
                }
            }
        }
    }
}

impl AsyncRead for Alerted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Alerted {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.told(done, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.stream).poll_flush(context);
        self.told(done, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
