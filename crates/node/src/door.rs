//! The door of a host: who comes in, and how much each may take.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use midplane_contract::{Code, Error, Result};
use midplane_kernel::Kernel;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::AsyncWriteExt;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::line::{Lines, Next};
use crate::message::{Request, answer};
use crate::method::{Served, carry_out};
use crate::seat::{SOCKET, Seat};

/// Connections at once.
pub const CONNECTIONS: usize = 32;
/// How long an answer may take to be read.
const PATIENCE: Duration = Duration::from_secs(10);
/// Time between two looks whether somebody is still there who waits for an answer.
const LOOK: Duration = Duration::from_millis(250);

/// An open door. When it is dropped whoever was in is cut off soon; [`Door::shut`] waits for it. The seat is somebody's as
/// long as anybody holds it, with a door or without.
#[derive(Debug)]
pub struct Door {
    /// Who listens ends with it.
    _open: oneshot::Sender<()>,
    listening: Option<JoinHandle<()>>,
    seat: Arc<Seat>,
}

impl Door {
    /// Opens the door of a kernel's data folder.
    ///
    /// One request after the other is done for each connection; a line has 64 KiB and takes 10 s at most, a connection
    /// that says nothing for a minute is closed, and so is one that does not read its answer for 10 s. With 32
    /// connections the next is told `overloaded`. Of users only this one and the superuser come in.
    ///
    /// # Errors
    /// As the socket cannot be made: `permission_denied` for a folder that others may write, `storage`. `io` outside
    /// of a tokio runtime with I/O.
    pub fn open(seat: &Arc<Seat>, kernel: &Kernel) -> Result<Self> {
        let socket = seat.listen()?;
        let failed = |error: std::io::Error| Error::new(Code::Io, "the door cannot be opened").caused_by(&error);
        socket.set_nonblocking(true).map_err(failed)?;
        let listener = UnixListener::from_std(socket).map_err(failed)?;
        let served = Served { kernel: kernel.clone(), data: seat.folder().to_path_buf(), since: Timestamp::now() };
        let (open, shut) = oneshot::channel();
        let listening = tokio::spawn(listen(listener, Arc::new(served), shut));
        Ok(Self { _open: open, listening: Some(listening), seat: Arc::clone(seat) })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> std::path::PathBuf {
        self.seat.folder().join(SOCKET)
    }

    /// Shuts it. When this is done nobody comes in any longer, and whoever was in is cut off: installations under way
    /// are being undone, everything else that was asked goes on to its end.
    pub async fn shut(mut self) {
        let listening = self.listening.take();
        drop(self);
        if let Some(listening) = listening {
            // A panic of its own has ended it as well.
            let _ = listening.await;
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // While the seat is held: it is this one's.
        let _ = fs::remove_file(self.path());
    }
}

/// Lets them in until it is shut.
async fn listen(listener: UnixListener, served: Arc<Served>, mut shut: oneshot::Receiver<()>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut inside = JoinSet::new();
    loop {
        let come = tokio::select! {
            come = listener.accept() => come,
            Some(_) = inside.join_next() => continue,
            _ = &mut shut => break,
        };
        match come {
            Ok((stream, _)) => match Arc::clone(&room).try_acquire_owned() {
                Ok(place) => drop(inside.spawn(serve(stream, Arc::clone(&served), place))),
                Err(_) => turn_away(&stream, &full()),
            },
            Err(error) => {
                // Out of descriptors, most likely: trying again at once would not help.
                tracing::warn!(%error, "nobody can come in at the door");
                sleep(LOOK).await;
            }
        }
    }
    inside.shutdown().await;
}

/// Tells somebody why they cannot come in, if they can be told at once.
fn turn_away(stream: &UnixStream, error: &Error) {
    let _ = stream.try_write(&answer(&serde_json::Value::Null, Err(error.clone())));
}

fn full() -> Error {
    Error::new(Code::Overloaded, format!("{CONNECTIONS} connections are open already")).remedy("try again later")
}

fn stranger(user: u32) -> Error {
    Error::new(Code::PermissionDenied, format!("this host is not user {user}'s")).remedy("ask as the user it runs as")
}

async fn serve(stream: UnixStream, served: Arc<Served>, _place: OwnedSemaphorePermit) {
    let own = rustix::process::geteuid().as_raw();
    match stream.peer_cred().map(|who| who.uid()) {
        Ok(user) if user == own || user == 0 => {}
        Ok(user) => return turn_away(&stream, &stranger(user)),
        Err(_) => return,
    }
    let (read, mut write) = stream.into_split();
    let mut lines = Lines::new(read);
    loop {
        let (line, is_last) = match lines.next().await {
            Next::Line(line) if line.iter().all(u8::is_ascii_whitespace) => continue,
            Next::Line(line) => match one(&served, &line, lines.stream()).await {
                Some(line) => (line, false),
                None => return,
            },
            Next::TooLong => (refused("a line has more than 64 KiB", "write less at once"), true),
            Next::TooSlow => (refused("nothing was said for too long", "connect again"), true),
            Next::End => return,
        };
        if !send(&mut write, &line).await || is_last {
            return;
        }
    }
}

fn refused(why: &str, remedy: &str) -> Vec<u8> {
    answer(&serde_json::Value::Null, Err(Error::new(Code::ProtocolError, why).remedy(remedy)))
}

/// Does what one line asks, while somebody is there who asked.
async fn one(served: &Served, line: &[u8], from: &OwnedReadHalf) -> Option<Vec<u8>> {
    let Request { id, method, params } = match Request::read(line) {
        Ok(request) => request,
        Err(error) => return Some(answer(&serde_json::Value::Null, Err(error))),
    };
    tokio::select! {
        done = carry_out(served, &method, params) => Some(answer(&id, done)),
        () = gone(from) => None,
    }
}

/// Waits until the other side has closed its end for good. One that only has nothing more to say still wants its answer.
async fn gone(from: &OwnedReadHalf) {
    loop {
        sleep(LOOK).await;
        let mut fds = [PollFd::new(from.as_ref(), PollFlags::empty())];
        let _ = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
        if fds.iter().any(|fd| fd.revents().intersects(PollFlags::HUP | PollFlags::ERR)) {
            return;
        }
    }
}

async fn send(write: &mut OwnedWriteHalf, line: &[u8]) -> bool {
    matches!(timeout(PATIENCE, write.write_all(line)).await, Ok(Ok(())))
}
