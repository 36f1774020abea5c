//! A client with names of its own, and a gate that a test writes.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use midplane_contract::{Code, Error, Result};
use midplane_fetch::{Client, Resolve, Settings};
use midplane_kernel::fetch::{Fetch, FetchAnswer, FetchRequest, Pass, Place, Reach, Stop};

/// Names that stand for what a test says. `nowhere.test` is no name.
struct Names(BTreeMap<&'static str, Vec<IpAddr>>);

impl Resolve for Names {
    fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.0.get(name).cloned().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such name"))
    }
}

/// Names for tests: all stand for this machine, in one way or another.
pub(crate) fn settings() -> Settings {
    let to = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
    let names = BTreeMap::from([
        ("a.test", to(&["127.0.0.1"])),
        ("b.test", to(&["127.0.0.1"])),
        // Nobody listens at the first.
        ("two.test", to(&["127.0.0.2", "127.0.0.1"])),
        ("mapped.test", to(&["::ffff:127.0.0.1"])),
        ("metadata.test", to(&["169.254.169.254", "fd00:ec2::254"])),
    ]);
    Settings { system_authorities: false, names: Arc::new(Names(names)), ..Settings::default() }
}

/// A gate: hosts that may be reached wherever they are, hosts that may not be asked at all, and what was asked.
#[derive(Default)]
pub(crate) struct Rules {
    pub(crate) named: Vec<&'static str>,
    pub(crate) denied: Vec<&'static str>,
    pub(crate) asked: Mutex<Vec<String>>,
}

impl Rules {
    pub(crate) fn naming(named: &[&'static str]) -> Self {
        Self { named: named.to_vec(), ..Self::default() }
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Pass for Rules {
    fn pass(&self, place: &Place<'_>) -> Result<Reach> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(place.url.to_owned());
        if self.denied.contains(&place.host) {
            return Err(Error::new(Code::PermissionDenied, "the gate says no"));
        }
        Ok(if self.named.contains(&place.host) { Reach::Anywhere } else { Reach::Public })
    }
}

/// A request for an address, with a minute of time and room for 100,000 bytes.
pub(crate) fn get(url: &str) -> FetchRequest<'_> {
    FetchRequest {
        method: "GET",
        url,
        headers: Vec::new(),
        body: &[],
        cap: 100_000,
        deadline: Instant::now() + Duration::from_secs(60),
        stop: Stop::never(),
    }
}

/// A request that has little time.
pub(crate) fn soon(url: &str) -> FetchRequest<'_> {
    FetchRequest { deadline: Instant::now() + Duration::from_millis(300), ..get(url) }
}

pub(crate) fn fetch(request: &FetchRequest<'_>, rules: &Rules) -> Result<FetchAnswer> {
    Client::new(settings()).fetch(request, rules)
}

/// Code and stage of what went wrong.
pub(crate) fn fails(request: &FetchRequest<'_>, rules: &Rules) -> (Code, String) {
    let error = fetch(request, rules).unwrap_err();
    assert!(error.record().remedy.is_some(), "without a remedy: {error:?}");
    let stage = error.record().data.get("stage").and_then(|stage| stage.as_str()).unwrap_or_default();
    (error.code(), stage.to_owned())
}
