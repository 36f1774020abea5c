//! Where the endpoints of a plugin are.
//!
//! A list that is written down, or names whose records are looked up again from time to time. A registry of services is
//! another [`Discovery`].

mod dns;
mod list;
mod srv;

use std::net::SocketAddr;
use std::time::Duration;

use midplane_contract::Result;
use midplane_contract::manifest::Discovery as Kind;
use midplane_kernel::{BoxFuture, LoadRequest};

use crate::address::Address;
use crate::settings::Settings;

pub use dns::Dns;
pub use list::List;

/// Most endpoints of one plugin; more are left out.
pub const ENDPOINTS: usize = 256;

/// An endpoint as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Location {
    /// Its address. The host in it is the name that a certificate has to bear.
    pub address: Address,
    /// Where that is, if the look-up told.
    pub socket: Option<SocketAddr>,
}

/// Says where the endpoints of a plugin are.
pub trait Discovery: Send + Sync + 'static {
    /// Its name, for people.
    fn name(&self) -> &'static str;

    /// The endpoints there are now. Awaited on the runtime of this crate.
    ///
    /// # Errors
    /// Why nobody knows. Those that were found earlier are kept then.
    fn find(&self) -> BoxFuture<'_, Result<Vec<Location>>>;

    /// Whether TLS is spoken with any of them.
    fn is_secure(&self) -> bool;

    /// When to look again; `None` where the answer never changes.
    fn again(&self) -> Option<Duration> {
        None
    }
}

/// The discovery that a manifest asks for.
pub(crate) fn of(request: &LoadRequest, settings: &Settings) -> Result<Box<dyn Discovery>> {
    let addresses = list::addresses(request)?;
    Ok(match request.manifest.entry.remote.discovery {
        Kind::Static => Box::new(List::new(addresses)?),
        Kind::Dns => Box::new(Dns::new(addresses, settings)),
    })
}
