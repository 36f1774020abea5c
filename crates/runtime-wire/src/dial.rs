//! Plugins that listen: the host starts them, tells them where, and connects.

mod folder;
mod owner;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use midplane_contract::manifest::{Network, ProcessSpec};
use midplane_contract::{Code, Error, Result, defaults};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use self::folder::Folder;
use crate::carrier::{Carrier, Socket};
use crate::fault;
use crate::process::{Process, descendants};

/// Time from one try to the next, and how often it is looked meanwhile whether the plugin listens.
const TRY: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(10);
/// Tries where the manifest says nothing.
const TRIES: u32 = 10;
/// Bytes of a Unix socket's path at most.
const PATH: usize = 107;

/// An address that a plugin is to listen at, and how patiently the host connects to it.
#[derive(Debug)]
pub struct Dial {
    target: Target,
    timeout: Duration,
    tries: u32,
    /// Holds a socket that the host chose the address of; goes with the value.
    _folder: Option<Folder>,
}

#[derive(Debug)]
enum Target {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

impl Dial {
    /// What a manifest says; addresses that it leaves open are chosen. A relative path starts at `folder`.
    ///
    /// # Errors
    /// `config_invalid` for an address that is none, or none of this machine; `io` where none can be chosen.
    pub fn new(network: Network, spec: &ProcessSpec, folder: &Path) -> Result<Self> {
        let chosen = |error: io::Error| {
            Error::new(Code::Io, format!("no {} address can be chosen: {error}", network.as_str()))
                .remedy("write an `address` in the manifest")
        };
        let mut made = None;
        let target = match (network, spec.address.as_deref()) {
            (Network::Unix, Some(path)) => Target::Unix(folder.join(path)),
            (Network::Unix, None) => {
                let fresh = Folder::fresh().map_err(chosen)?;
                let path = fresh.path().join("rpc.sock");
                made = Some(fresh);
                Target::Unix(path)
            }
            (Network::Tcp, address) => {
                let address = tcp_address(address.unwrap_or("127.0.0.1:0"))?;
                Target::Tcp(if address.port() == 0 { free_port(address).map_err(chosen)? } else { address })
            }
        };
        if let Target::Unix(path) = &target
            && path.as_os_str().len() > PATH
        {
            let message = format!("{} is too long for a socket: more than {PATH} bytes", path.display());
            return Err(Error::new(Code::ConfigInvalid, message).remedy("leave `address` out, or write a shorter one"));
        }
        let timeout = spec.timeout_ms.map_or(defaults::HOOK_DEADLINE, Duration::from_millis);
        Ok(Self { target, timeout, tries: spec.max_retries.unwrap_or(TRIES).max(1), _folder: made })
    }

    /// The variables that tell the plugin: `PLUGIN_RPC_NETWORK` and `PLUGIN_RPC_ADDRESS`.
    pub(crate) fn variables(&self) -> [(&'static str, String); 2] {
        let (network, address) = match &self.target {
            Target::Unix(path) => (Network::Unix, path.display().to_string()),
            Target::Tcp(address) => (Network::Tcp, address.to_string()),
        };
        [("PLUGIN_RPC_NETWORK", network.as_str().to_owned()), ("PLUGIN_RPC_ADDRESS", address)]
    }

    /// Connects to the plugin, once it listens.
    ///
    /// # Errors
    /// What ended the process, and `deadline_exceeded` after the last try, with what was wrong then.
    pub(crate) fn dial(&self, process: &Process) -> Result<Box<dyn Carrier>> {
        let mut why = String::new();
        for _ in 0..self.tries {
            let next = Instant::now() + TRY;
            while why.is_empty() || Instant::now() < next {
                match self.connect().map_err(|error| error.to_string()).and_then(|line| self.owned(line, process)) {
                    Ok(line) => return Ok(Box::new(Socket::new(line))),
                    Err(error) => why = error,
                }
                if ends(process) {
                    return Err(fault::crashed(process));
                }
            }
        }
        let [_, (_, address)] = self.variables();
        let message = format!("the plugin cannot be reached at {address}, tried {} times: {why}", self.tries);
        let remedy = "the program has to listen at PLUGIN_RPC_ADDRESS; allow more `max_retries` if it starts slowly";
        Err(fault::with_last_words(Error::new(Code::DeadlineExceeded, message).remedy(remedy), process))
    }

    fn connect(&self) -> io::Result<OwnedFd> {
        match &self.target {
            Target::Tcp(address) => {
                let line = TcpStream::connect_timeout(address, self.timeout)?;
                line.set_nodelay(true)?;
                Ok(line.into())
            }
            Target::Unix(path) => {
                let line =
                    rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
                set_socket_timeout(&line, Timeout::Send, Some(self.timeout))?;
                rustix::net::connect(&line, &SocketAddrUnix::new(path)?)?;
                set_socket_timeout(&line, Timeout::Send, None)?;
                Ok(line)
            }
        }
    }

    /// Whoever answers at the address is this plugin's process, or one that it has started: an address that is written
    /// down may be held by an older generation still, or by anybody.
    fn owned(&self, line: OwnedFd, process: &Process) -> std::result::Result<OwnedFd, String> {
        let mut family = descendants(process.pid());
        family.push(process.pid());
        let owner = match &self.target {
            Target::Unix(_) => {
                let peer = rustix::net::sockopt::socket_peercred(line.as_fd()).map_err(|error| error.to_string())?;
                Some(peer.pid.as_raw_nonzero().get()).filter(|pid| !family.contains(pid))
            }
            Target::Tcp(address) => {
                let stream = TcpStream::from(line.try_clone().map_err(|error| error.to_string())?);
                let ours = stream.local_addr().map_err(|error| error.to_string())?;
                (!owner::is_among(*address, ours, &family)).then_some(0)
            }
        };
        match owner {
            None => Ok(line),
            Some(0) => Err("another program listens there; leave `address` out for one of the plugin's own".to_owned()),
            Some(pid) => Err(format!("process {pid} listens there; leave `address` out for one of the plugin's own")),
        }
    }
}

/// Whether the process ends within a moment. What it prints meanwhile is taken.
fn ends(process: &Process) -> bool {
    let exit = process.exit_event();
    let over = process.with_pipe(|pipe| {
        let mut polled = [PollFd::new(&exit, PollFlags::IN), PollFd::new(&pipe, PollFlags::IN)];
        let _ = rustix::event::poll(&mut polled, Timespec::try_from(LOOK).ok().as_ref());
        let [exit, output] = &polled;
        (!exit.revents().is_empty(), output.revents().contains(PollFlags::IN))
    });
    let (over, prints) = over.unwrap_or((true, false));
    if prints {
        process.take_output();
    }
    if over {
        process.reap();
    }
    over
}

fn tcp_address(text: &str) -> Result<SocketAddr> {
    let invalid = |why: &str| {
        Error::new(Code::ConfigInvalid, format!("`{text}` is no address that the host can dial: {why}"))
            .remedy("write 127.0.0.1:PORT, or leave `address` out")
    };
    let numeric = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let address: SocketAddr = numeric.as_deref().unwrap_or(text).parse().map_err(|_| invalid("it is not IP:PORT"))?;
    if !address.ip().is_loopback() {
        return Err(invalid("a process that the host starts listens on this machine alone"));
    }
    Ok(address)
}

fn free_port(address: SocketAddr) -> io::Result<SocketAddr> {
    let ip = if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { address.ip() };
    TcpListener::bind((ip, 0))?.local_addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_are_dialled() {
        assert_eq!(tcp_address("localhost:80").unwrap().to_string(), "127.0.0.1:80");
        assert_eq!(tcp_address("[::1]:80").unwrap().to_string(), "[::1]:80");
        for bad in ["10.0.0.1:80", "example.com:80", "127.0.0.1", ":80", "0.0.0.0:80"] {
            assert_eq!(tcp_address(bad).unwrap_err().code(), Code::ConfigInvalid, "{bad}");
        }
    }

    #[test]
    fn an_address_that_is_left_open_is_chosen_and_goes_with_the_dialling() {
        let dial = Dial::new(Network::Unix, &ProcessSpec::default(), Path::new("/nowhere")).unwrap();
        let [_, (_, path)] = dial.variables();
        let folder = Path::new(&path).parent().unwrap().to_path_buf();
        assert!(folder.is_dir());
        drop(dial);
        assert!(!folder.exists());
        let dial = Dial::new(Network::Tcp, &ProcessSpec::default(), Path::new("/nowhere")).unwrap();
        let [(_, network), (_, address)] = dial.variables();
        assert!(network == "tcp" && address.starts_with("127.0.0.1:") && !address.ends_with(":0"), "{address}");
    }

    #[test]
    fn a_path_that_no_socket_can_have_is_refused() {
        let spec = ProcessSpec { address: Some("x".repeat(200)), ..ProcessSpec::default() };
        let error = Dial::new(Network::Unix, &spec, Path::new("/nowhere")).unwrap_err();
        assert_eq!(error.code(), Code::ConfigInvalid);
    }
}
