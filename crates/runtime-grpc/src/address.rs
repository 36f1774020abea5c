//! Where an endpoint is.

use std::fmt;

use midplane_contract::{Code, Error, Result};

/// Longest address, in bytes.
const LENGTH: usize = 300;

/// Where an endpoint is, and whether TLS is spoken there: `grpc://host:port` or `grpcs://host:port`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// Whether TLS is spoken.
    pub secure: bool,
    /// A name, an IPv4 address, or an IPv6 address without brackets.
    pub host: String,
    /// The port; `None` for a name whose SRV records tell it.
    pub port: Option<u16>,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// `manifest_invalid` when it is none; the message quotes it.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            let shown: String = text.chars().take(80).collect();
            Error::new(Code::ManifestInvalid, format!("`{shown}` is no address of a gRPC service: {why}"))
                .remedy("write `grpc://host:port`, or `grpcs://host:port` for TLS")
        };
        if text.len() > LENGTH {
            return Err(wrong("it is too long"));
        }
        let (scheme, rest) = text.trim().split_once("://").ok_or_else(|| wrong("it has no scheme"))?;
        let secure = match scheme {
            "grpc" => false,
            "grpcs" => true,
            _ => return Err(wrong("its scheme is neither grpc nor grpcs")),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => rest.rsplit_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map(str::parse::<u16>).transpose().map_err(|_| wrong("its port is no number up to 65535"))?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-:%".contains(c);
        if host.is_empty() || port == Some(0) || !host.chars().all(fits) {
            return Err(wrong("its host or port is missing"));
        }
        Ok(Self { secure, host: host.to_owned(), port })
    }

    /// Host and port as a web address has them.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match self.port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.secure { "grpcs" } else { "grpc" }, self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_their_text() {
        for text in ["grpc://localhost:5000", "grpcs://a.example:443", "grpc://[::1]:7", "grpc://_grpc._tcp.example"] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
        assert!(Address::parse("grpcs://a:1/").unwrap().secure);
    }

    #[test]
    fn what_is_no_address_is_quoted() {
        for text in
            ["", "localhost:1", "http://a:1", "grpc://", "grpc://:5", "grpc://a:b", "grpc://a:70000", "grpc://a b:1"]
        {
            let error = Address::parse(text).unwrap_err();
            assert_eq!(error.code(), Code::ManifestInvalid, "{text}");
            assert!(error.record().message.contains(&format!("`{text}`")), "{text}");
        }
        assert!(Address::parse(&"x".repeat(1000)).unwrap_err().record().message.len() < 200);
    }
}
