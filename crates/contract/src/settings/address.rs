//! Where a Redis server is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const PORT: u16 = 6379;

/// Where a Redis server is: `HOST`, `HOST:PORT`, `[IPV6]:PORT`, or the path of a Unix socket, beginning with `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerAddress {
    /// A name or address, and a port.
    Tcp(String, u16),
    /// A Unix socket.
    Socket(PathBuf),
}

/// A text that is no address. Holds nothing of it: there may be a password in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not HOST:PORT, and not the path of a socket")]
pub struct BadAddress;

impl FromStr for ServerAddress {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        if text.starts_with('/') && !text.contains('\0') {
            return Ok(Self::Socket(text.into()));
        }
        let (host, port) = split(text)?;
        let port = port.map_or(Ok(PORT), |port| port.parse().map_err(|_| BadAddress))?;
        let fits = !host.is_empty() && host.chars().all(|c| c.is_alphanumeric() || "._-:%".contains(c));
        if fits && port > 0 { Ok(Self::Tcp(host.to_owned(), port)) } else { Err(BadAddress) }
    }
}

/// Host and port.
fn split(text: &str) -> Result<(&str, Option<&str>), BadAddress> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or(BadAddress)?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(BadAddress),
        };
    }
    match text.split_once(':') {
        Some((_, port)) if port.contains(':') => Err(BadAddress),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((text, None)),
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Socket(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Serialize for ServerAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ServerAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_with_or_without_a_port_or_a_socket() {
        let shown = |text: &str| text.parse::<ServerAddress>().map(|address| address.to_string());
        for (text, means) in [
            ("redis", "redis:6379"),
            ("10.0.0.1:7000", "10.0.0.1:7000"),
            ("[::1]:7000", "[::1]:7000"),
            ("[::1]", "[::1]:6379"),
            ("/run/redis.sock", "/run/redis.sock"),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(means));
        }
        for bad in ["", ":1", "a:0", "a:b", "a:99999", "redis://:pass@host:1", "user:pass@host", "::1", "[::1", "a b"] {
            assert_eq!(shown(bad), Err(BadAddress), "{bad}");
        }
    }
}
