//! Endpoints that are records of names.

use std::time::Duration;

use midplane_contract::{Code, Error, Result};
use midplane_kernel::BoxFuture;

use super::{Discovery, ENDPOINTS, Location, srv};
use crate::address::Address;
use crate::settings::Settings;

/// Names whose records are endpoints: A and AAAA where an address has a port, SRV where it has none.
#[derive(Debug)]
pub struct Dns {
    names: Vec<Address>,
    settings: Settings,
}

impl Dns {
    /// The records of these names.
    #[must_use]
    pub fn new(names: Vec<Address>, settings: &Settings) -> Self {
        Self { names, settings: settings.clone() }
    }

    async fn of_name(&self, name: &Address) -> Result<Vec<Location>> {
        let Some(port) = name.port else {
            let targets = srv::lookup(&name.host, &self.settings).await?;
            let at = |(host, port)| Address { secure: name.secure, host, port: Some(port) };
            return Ok(targets.into_iter().map(|target| Location { address: at(target), socket: None }).collect());
        };
        let found = tokio::net::lookup_host((name.host.as_str(), port)).await;
        let found = found.map_err(|error| not_found(&name.host, &error.to_string()))?;
        Ok(found.map(|socket| Location { address: name.clone(), socket: Some(socket) }).collect())
    }
}

impl Discovery for Dns {
    fn name(&self) -> &'static str {
        "dns"
    }

    fn is_secure(&self) -> bool {
        self.names.iter().any(|name| name.secure)
    }

    fn find(&self) -> BoxFuture<'_, Result<Vec<Location>>> {
        Box::pin(async {
            let mut all: Vec<Location> = Vec::new();
            for name in &self.names {
                for location in self.of_name(name).await? {
                    if !all.contains(&location) && all.len() < ENDPOINTS {
                        all.push(location);
                    }
                }
            }
            if all.is_empty() {
                let names: Vec<&str> = self.names.iter().map(|name| name.host.as_str()).collect();
                return Err(not_found(&names.join(", "), "there are no records"));
            }
            Ok(all)
        })
    }

    fn again(&self) -> Option<Duration> {
        Some(self.settings.lookup)
    }
}

pub(super) fn not_found(name: &str, why: &str) -> Error {
    Error::new(Code::PeerGone, format!("the endpoints of `{name}` could not be looked up: {why}"))
        .remedy("check the name and the name servers of this machine")
        .with("name", name)
}
