//! Names to addresses.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};

/// Says which addresses a name stands for.
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of a name, best first. May block; nobody waits for it beyond the deadline of the fetch.
    ///
    /// # Errors
    /// When there is no such name, or nobody who knows could be asked.
    fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// As the system resolves names: its hosts file, its name servers.
#[derive(Debug, Clone, Copy)]
pub struct System;

impl Resolve for System {
    fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
    }
}
