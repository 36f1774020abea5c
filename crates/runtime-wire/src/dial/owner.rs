//! Which process is at the other end of a TCP connection within this machine.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// States in the kernel's tables.
const ESTABLISHED: &str = "01";
const LISTEN: &str = "0A";

/// Whether one of these processes listens at an address, or has accepted the connection from `ours` and listens no more.
pub(super) fn is_among(address: SocketAddr, ours: SocketAddr, processes: &[i32]) -> bool {
    // In this order: a connection has an owner only once it is accepted, and until then somebody listens.
    has(processes, &sockets(|line| listener(line, address)))
        || has(processes, &sockets(|line| accepted(line, address, ours)))
}

fn has(processes: &[i32], sockets: &[u64]) -> bool {
    processes.iter().any(|pid| {
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let links = descriptors.filter_map(|entry| fs::read_link(entry.path()).ok());
        links.filter_map(|link| inode(link.to_str()?)).any(|inode| sockets.contains(&inode))
    })
}

/// `socket:[123]`.
fn inode(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// The inodes of sockets, by the lines of the kernel's tables.
fn sockets(wanted: impl Fn(&Line<'_>) -> bool) -> Vec<u64> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap_or_default());
    let lines = tables.iter().flat_map(|table| table.lines().skip(1)).filter_map(Line::of);
    lines.filter(wanted).map(|line| line.inode).collect()
}

/// A line of the tables: `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …`.
struct Line<'a> {
    local: SocketAddr,
    remote: SocketAddr,
    state: &'a str,
    inode: u64,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let mut columns = line.split_ascii_whitespace().skip(1);
        let (local, remote) = (parse_address(columns.next()?)?, parse_address(columns.next()?)?);
        let state = columns.next()?;
        Some(Self { local, remote, state, inode: columns.nth(5)?.parse().ok()? })
    }
}

/// At the address, or at all addresses with its port.
fn listener(line: &Line<'_>, address: SocketAddr) -> bool {
    let at = line.local.ip().is_unspecified() || line.local.ip() == address.ip();
    line.state == LISTEN && line.local.port() == address.port() && at
}

fn accepted(line: &Line<'_>, address: SocketAddr, ours: SocketAddr) -> bool {
    line.state == ESTABLISHED && line.local == address && line.remote == ours
}

fn parse_address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    Some(SocketAddr::new(parse_ip(ip)?, u16::from_str_radix(port, 16).ok()?))
}

/// Words of four bytes, each in the machine's own order.
fn parse_ip(hex: &str) -> Option<IpAddr> {
    let words: Option<Vec<[u8; 4]>> = (0..hex.len() / 8)
        .map(|at| u32::from_str_radix(hex.get(at * 8..at * 8 + 8)?, 16).ok().map(u32::to_ne_bytes))
        .collect();
    match words?.as_slice() {
        [v4] => Some(Ipv4Addr::from(*v4).into()),
        [a, b, c, d] => {
            let bytes: [u8; 16] = [*a, *b, *c, *d].concat().try_into().ok()?;
            let v6 = Ipv6Addr::from(bytes);
            Some(v6.to_ipv4_mapped().map_or(v6.into(), IpAddr::from))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn the_process_that_listens_is_found_and_no_other() {
        let me = i32::try_from(std::process::id()).unwrap();
        for any in ["127.0.0.1:0", "0.0.0.0:0"] {
            let listener = TcpListener::bind(any).unwrap();
            let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), listener.local_addr().unwrap().port());
            let client = TcpStream::connect(address).unwrap();
            let ours = client.local_addr().unwrap();
            assert!(is_among(address, ours, &[me]), "{any}");
            assert!(!is_among(address, ours, &[]));
            // Whoever has accepted need not listen on.
            let accepted = listener.accept().unwrap();
            drop(listener);
            assert!(is_among(address, ours, &[me]), "{any}");
            drop((accepted, client));
            assert!(!is_among(address, ours, &[me]), "{any}");
        }
    }

    #[test]
    fn addresses_of_the_tables_are_read() {
        assert_eq!(parse_ip("0100007F"), Some(Ipv4Addr::LOCALHOST.into()));
        assert_eq!(parse_ip("00000000000000000000000001000000"), Some(Ipv6Addr::LOCALHOST.into()));
        assert_eq!(parse_ip("0000000000000000FFFF00000100007F"), Some(Ipv4Addr::LOCALHOST.into()));
        assert_eq!(parse_ip("xyz"), None);
    }
}
