//! The machine behind a name: looked up once, checked, and connected to by that very address.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use midplane_contract::{Error, Result};
use midplane_kernel::Reach;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{self, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use url::Host;

use crate::address::is_public;
use crate::fault::{self, Stage};
use crate::resolve::Resolve;
use crate::target::Target;

/// Addresses of one name that are tried at most.
const TRIED: usize = 8;

/// A connection, with TLS or without.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Connects to where a target is, if its addresses are within reach.
///
/// # Errors
/// By stage: `resolve`, `connect`, `tls`.
pub(crate) async fn connect(
    target: &Target,
    reach: Reach,
    names: Arc<dyn Resolve>,
    tls: Option<Arc<ClientConfig>>,
    deadline: Instant,
) -> Result<Box<dyn Wire>> {
    let late = time::Instant::from_std(deadline);
    let found = timeout_at(late, addresses(target, names)).await;
    let found = found.map_err(|_| fault::too_late(Stage::Resolve, target.shown()))??;
    let within = within_reach(found, reach);
    if within.is_empty() {
        tracing::info!(url = target.shown(), "not fetched: its host is no machine of the public internet");
        return Err(fault::not_public(target.shown(), target.place().host));
    }
    let stream = first_of(target, &within, deadline).await?;
    // The first bytes are small and waited for.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return Ok(Box::new(stream)) };
    let name = server_name(target)?;
    match timeout_at(late, TlsConnector::from(tls).connect(name, stream)).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(error)) => Err(crate::tls::explain(target.shown(), &error)),
        Err(_) => Err(fault::too_late(Stage::Tls, target.shown())),
    }
}

/// Those that may be connected to. Where a name stands for public and other addresses, the others are left out.
fn within_reach(found: Vec<IpAddr>, reach: Reach) -> Vec<IpAddr> {
    let wanted = |address: &IpAddr| match reach {
        Reach::Anywhere => true,
        Reach::Public => is_public(*address),
    };
    found.into_iter().filter(wanted).take(TRIED).collect()
}

async fn addresses(target: &Target, names: Arc<dyn Resolve>) -> Result<Vec<IpAddr>> {
    let name = match target.host() {
        Some(Host::Ipv4(address)) => return Ok(vec![address.into()]),
        Some(Host::Ipv6(address)) => return Ok(vec![address.into()]),
        Some(Host::Domain(name)) => name.to_owned(),
        None => return Err(fault::no_such_name("")),
    };
    let asked = name.clone();
    let found = tokio::task::spawn_blocking(move || names.addresses(&asked)).await;
    match found.unwrap_or_else(|panicked| Err(io::Error::other(panicked))) {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(fault::no_such_name(&name)),
        Err(error) => Err(fault::caused(fault::no_such_name(&name), &error)),
    }
}

/// The first address that answers. Each but the last gets only its share of the time that is left.
async fn first_of(target: &Target, addresses: &[IpAddr], deadline: Instant) -> Result<TcpStream> {
    let mut last: Option<Error> = None;
    for (address, left) in addresses.iter().zip((1..=addresses.len()).rev()) {
        let time = deadline.saturating_duration_since(Instant::now()) / u32::try_from(left).unwrap_or(u32::MAX);
        let address = SocketAddr::new(*address, target.port());
        match time::timeout(time, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = Some(fault::caused(fault::not_connected(target.shown(), &error), &error)),
            Err(_) => last = Some(fault::too_late(Stage::Connect, target.shown())),
        }
    }
    Err(last.unwrap_or_else(|| fault::no_such_name(target.place().host)))
}

fn server_name(target: &Target) -> Result<ServerName<'static>> {
    let name = match target.host() {
        Some(Host::Ipv4(address)) => return Ok(ServerName::IpAddress(IpAddr::from(address).into())),
        Some(Host::Ipv6(address)) => return Ok(ServerName::IpAddress(IpAddr::from(address).into())),
        Some(Host::Domain(name)) => name.trim_end_matches('.').to_owned(),
        None => String::new(),
    };
    ServerName::try_from(name).map_err(|error| fault::caused(fault::no_such_name(target.place().host), &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_name_with_public_and_other_addresses_only_the_public_are_connected_to() {
        let found: Vec<IpAddr> = ["10.0.0.1", "1.1.1.1", "::1"].iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(within_reach(found.clone(), Reach::Public), [IpAddr::from([1, 1, 1, 1])]);
        assert_eq!(within_reach(found.clone(), Reach::Anywhere), found);
    }
}
