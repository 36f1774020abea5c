//! Which process listens on a TCP port.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The state `LISTEN` in the kernel's tables.
const LISTEN: &str = "0A";

/// Whether one of these processes listens at an address.
pub(super) fn listens(address: SocketAddr, processes: &[i32]) -> bool {
    let sockets = sockets_at(address);
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

/// The inodes of the sockets that listen at an address, or at all addresses with its port.
fn sockets_at(address: SocketAddr) -> Vec<u64> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap_or_default());
    tables.iter().flat_map(|table| table.lines().skip(1)).filter_map(|line| listener(line, address)).collect()
}

/// The inode in a line of the tables: `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …`.
fn listener(line: &str, wanted: SocketAddr) -> Option<u64> {
    let mut columns = line.split_ascii_whitespace();
    let local = columns.nth(1)?;
    let (ip, port) = local.split_once(':')?;
    let listens = columns.nth(1)? == LISTEN && u16::from_str_radix(port, 16).ok()? == wanted.port();
    let ip = parse_ip(ip)?;
    let inode = columns.nth(5)?.parse().ok()?;
    (listens && (ip.is_unspecified() || ip == wanted.ip())).then_some(inode)
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
    use std::net::TcpListener;

    #[test]
    fn the_process_that_listens_is_found_and_no_other() {
        let me = i32::try_from(std::process::id()).unwrap();
        for any in ["127.0.0.1:0", "0.0.0.0:0"] {
            let listener = TcpListener::bind(any).unwrap();
            let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), listener.local_addr().unwrap().port());
            assert!(listens(address, &[me]), "{any}");
            assert!(!listens(address, &[1]) || rustix::process::getpid().is_init());
            assert!(!listens(SocketAddr::new(address.ip(), address.port() ^ 1), &[]));
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
