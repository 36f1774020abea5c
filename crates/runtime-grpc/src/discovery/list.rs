//! Endpoints that are written down: in the manifest, or in a file beside it.

use std::fs::File;
use std::io::Read;

use midplane_contract::{Code, Error, Result};
use midplane_kernel::{BoxFuture, LoadRequest};

use super::{Discovery, ENDPOINTS, Location};
use crate::address::Address;

/// Bytes of a file of endpoints at most.
const FILE: u64 = 64 * 1024;

/// A list that does not change.
#[derive(Debug)]
pub struct List {
    locations: Vec<Location>,
}

impl List {
    /// These endpoints.
    ///
    /// # Errors
    /// `manifest_invalid` for an address without a port.
    pub fn new(addresses: Vec<Address>) -> Result<Self> {
        if let Some(vague) = addresses.iter().find(|address| address.port.is_none()) {
            return Err(Error::new(Code::ManifestInvalid, format!("the address {vague} has no port"))
                .remedy("write the port, or `discovery: dns` for a name with SRV records"));
        }
        Ok(Self { locations: addresses.into_iter().map(|address| Location { address, socket: None }).collect() })
    }
}

impl Discovery for List {
    fn name(&self) -> &'static str {
        "static"
    }

    fn is_secure(&self) -> bool {
        self.locations.iter().any(|location| location.address.secure)
    }

    fn find(&self) -> BoxFuture<'_, Result<Vec<Location>>> {
        Box::pin(async { Ok(self.locations.clone()) })
    }
}

/// The addresses that a manifest names: `entry.endpoints`, or `entry.main` as one, or as a file with one on each line.
pub(super) fn addresses(request: &LoadRequest) -> Result<Vec<Address>> {
    let entry = &request.manifest.entry;
    let texts = match entry.remote.endpoints.as_slice() {
        [] if entry.main.contains("://") => vec![entry.main.clone()],
        [] => lines(request)?,
        several => several.to_vec(),
    };
    if texts.is_empty() || texts.len() > ENDPOINTS {
        let message = format!("the plugin names {} endpoints, and 1 to {ENDPOINTS} are wanted", texts.len());
        return Err(Error::new(Code::ManifestInvalid, message).remedy("write at least one `grpc://host:port`"));
    }
    let mut addresses: Vec<Address> = Vec::new();
    for text in texts {
        let address = Address::parse(&text)?;
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

fn lines(request: &LoadRequest) -> Result<Vec<String>> {
    let path = &request.main;
    let unreadable = |error: std::io::Error| {
        Error::new(Code::NotAPlugin, format!("the file of endpoints {} cannot be read: {error}", path.display()))
            .remedy("write `entry.endpoints: [grpc://host:port]`, or name a file with one address on each line")
    };
    let real = path.canonicalize().map_err(unreadable)?;
    if !real.starts_with(&request.folder) {
        let message = format!("the file of endpoints {} is outside of the plugin's folder", real.display());
        return Err(Error::new(Code::NotAPlugin, message).remedy("put the file itself into the folder"));
    }
    let mut text = String::new();
    File::open(real).and_then(|file| file.take(FILE).read_to_string(&mut text)).map_err(unreadable)?;
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    Ok(lines.filter(|line| !line.is_empty()).map(str::to_owned).collect())
}
