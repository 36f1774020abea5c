//! The thread that waits for all connections.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::channel;

use midplane_contract::PluginId;

use super::*;
use crate::carrier::Socket;
use crate::process::{Elsewhere, Guest, Process};

struct Nowhere(UnixStream);

impl Elsewhere for Nowhere {
    fn gone(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    fn cut(&self, _: Option<&Error>) {}

    fn last_words(&self) -> String {
        String::new()
    }
}

#[test]
fn who_asks_to_be_looked_after_while_the_thread_is_busy_is_not_forgotten() {
    let reactor: &'static Reactor = Box::leak(Box::new(Reactor::new().unwrap()));
    let ((carrier, _peer), (line, _end)) = (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
    let process = Process::Guest(Guest::new(Arc::new(Nowhere(line))));
    let plugin = PluginId::new("p").unwrap();
    let connection = Connection::new(reactor, plugin, Box::new(Socket::new(carrier)), process);
    reactor.adopt(&connection).unwrap();
    // Nobody sleeps, so nobody rings.
    reactor.attend(&connection);
    let (sender, turned) = channel();
    std::thread::spawn(move || sender.send(reactor.turn(None)));
    turned.recv_timeout(Duration::from_secs(60)).expect("the turn ends although no event comes");
    assert!(!connection.attended.load(Ordering::SeqCst));
}
