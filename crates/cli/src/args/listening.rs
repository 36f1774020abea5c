//! Plugins that connect: where, who, from which pages.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};
use midplane::PluginId;

use super::named;

/// What `run` is told about plugins that connect.
#[derive(Debug, Args)]
#[command(next_help_heading = "Plugins that connect")]
pub(crate) struct Listening {
    /// Let plugins connect over WebSocket, at a port of this machine or at ADDR:PORT; port 0 takes a free one
    #[arg(long, value_name = "PORT|ADDR:PORT", value_parser = address, requires = "token")]
    pub(crate) listen: Option<SocketAddr>,
    /// Print a token that lets plugin ID in once, or keep an unused one in FILE. May be given again
    #[arg(long, value_name = "ID[=FILE]", value_parser = token, requires = "listen")]
    pub(crate) token: Vec<Wanted>,
    /// Let pages of this origin connect: http://HOST:PORT, or `null` for files. May be given again
    #[arg(long, value_name = "ORIGIN", value_parser = origin, value_hint = ValueHint::Url, requires = "listen")]
    pub(crate) origin: Vec<String>,
    /// How long --call waits for every plugin that has a token [default: 1m]
    #[arg(long, value_name = "TIME", value_parser = named::duration, requires_all = ["listen", "call"])]
    pub(crate) wait: Option<Duration>,
    /// Let --listen take an address that other machines reach. Nothing is encrypted
    #[arg(long, requires = "listen")]
    pub(crate) allow_remote: bool,
    /// Limits and times of connections, a JSON object: a file, @FILE, or the text itself
    #[arg(long, value_name = "FILE|JSON", value_hint = ValueHint::FilePath, requires = "listen")]
    pub(crate) listen_config: Option<OsString>,
}

/// A token that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Who is let in.
    pub(crate) id: PluginId,
    /// Where it is kept; printed otherwise.
    pub(crate) file: Option<PathBuf>,
}

/// `PORT`, `ADDR:PORT` or `localhost:PORT`.
fn address(text: &str) -> Result<SocketAddr, String> {
    let here = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let port = |text: &str| text.parse().ok().map(here);
    let local = || text.strip_prefix("localhost:").and_then(port);
    let wrong = || "write a port, for example 7420, or an address and a port: 127.0.0.1:7420, [::1]:7420".to_owned();
    port(text).or_else(local).or_else(|| text.parse().ok()).ok_or_else(wrong)
}

/// `ID` or `ID=FILE`.
fn token(text: &str) -> Result<Wanted, String> {
    let (id, file) = match text.split_once('=') {
        Some((_, "")) => return Err("write the file's name behind `=`, or leave that out".to_owned()),
        Some((id, file)) => (id, Some(PathBuf::from(file))),
        None => (text, None),
    };
    Ok(Wanted { id: PluginId::new(id).map_err(|error| error.to_string())?, file })
}

/// What a browser sends as `Origin`.
fn origin(text: &str) -> Result<String, String> {
    let plain = text.strip_suffix('/').unwrap_or(text);
    let host = plain.split_once("://").filter(|(scheme, _)| !scheme.is_empty()).map(|(_, host)| host);
    let good =
        plain == "null" || host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '*', '?', '#', '@', ' ']));
    let wrong = "write it as browsers do, without a path: https://HOST, http://HOST:PORT, or `null` for files";
    good.then(|| plain.to_owned()).ok_or_else(|| wrong.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_one_of_this_machine() {
        for text in ["7420", "127.0.0.1:7420", "localhost:7420"] {
            assert_eq!(address(text).unwrap().to_string(), "127.0.0.1:7420");
        }
        assert_eq!(address("[::1]:0").unwrap().to_string(), "[::1]:0");
        for text in ["", ":7420", "65536", "example.org:80", "127.0.0.1"] {
            assert!(address(text).unwrap_err().contains("127.0.0.1:7420"), "{text}");
        }
    }

    #[test]
    fn a_token_is_for_a_plugin_and_may_be_kept_in_a_file() {
        assert_eq!(token("tab").unwrap().file, None);
        assert_eq!(token("tab=a=b").unwrap().file, Some(PathBuf::from("a=b")));
        assert!(token("tab=").is_err() && token("A b").is_err());
    }

    #[test]
    fn origins_are_those_that_browsers_send() {
        for text in ["http://localhost:8080", "https://tool.example/", "null", "chrome-extension://abc"] {
            assert_eq!(origin(text).unwrap(), text.trim_end_matches('/'));
        }
        for text in ["", "*", "localhost:8080", "http://", "http://*", "http://a/b", "https://*.example"] {
            assert!(origin(text).is_err(), "{text}");
        }
    }
}
