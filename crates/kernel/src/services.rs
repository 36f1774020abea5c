//! Services: interfaces that several plugins provide, and who of them is called.
//!
//! A plugin says in its manifest which interfaces it provides; when it has started it is held to their definitions
//! (`admission`). Whoever uses an interface keeps a [`Service`], which knows no plugin: each call goes to the best one
//! that is there (`choice`), and goes on to the next where that changes nothing.

mod admission;
mod choice;
pub mod definitions;
mod provider;
mod service;
mod wit;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use midplane_contract::{Code, Error, Interface, Result, Version, VersionRange};

use crate::kernel::Inner;

pub(crate) use admission::{Offer, admit, admit_all};
pub use choice::Choice;
pub use provider::Provider;
pub(crate) use provider::providers;
pub use service::Service;

/// Versions of one interface that may be defined.
const VERSIONS: usize = 100;
/// Handles that are kept for plugins and routes. Whoever asks for more begins again with none.
const HANDLES: usize = 1024;

/// The definitions of interfaces, and a count of changes that tells whether what somebody knows is still so.
#[derive(Default)]
pub(crate) struct Services {
    definitions: RwLock<BTreeMap<String, BTreeMap<Version, Arc<Interface>>>>,
    /// How often something was defined.
    defined: AtomicU64,
    changes: Arc<AtomicU64>,
    /// The handles of plugins and routes, by interface and range: equals take turns among all of their calls.
    handles: Mutex<BTreeMap<(String, String), Service>>,
}

impl Services {
    /// The count of changes, for those who make some.
    pub(crate) fn changes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.changes)
    }

    /// Says that who provides what may be another matter from here on.
    pub(crate) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// How many changes there were.
    pub(crate) fn age(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// The handle that plugins and routes use, in common.
    pub(crate) fn handle(&self, kernel: &Arc<Inner>, interface: &str, range: &VersionRange) -> Service {
        let mut handles = self.handles.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (interface.to_owned(), range.to_string());
        if handles.len() >= HANDLES && !handles.contains_key(&key) {
            handles.clear();
        }
        let fresh = || Service::new(Arc::downgrade(kernel), interface, range.clone(), Choice::LeastInFlight);
        handles.entry(key).or_insert_with(fresh).clone()
    }

    /// Takes a definition; one of the same name and version is replaced.
    pub(crate) fn define(&self, interface: Interface) -> Result<()> {
        check(&interface)?;
        let mut definitions = self.definitions.write().unwrap_or_else(PoisonError::into_inner);
        let versions = definitions.entry(interface.name.clone()).or_default();
        if versions.len() >= VERSIONS && !versions.contains_key(&interface.version) {
            let message = format!("{VERSIONS} versions of the interface `{}` are defined already", interface.name);
            return Err(Error::new(Code::LimitExceeded, message)
                .remedy("define fewer")
                .with("which", "versions")
                .with("limit", VERSIONS));
        }
        versions.insert(interface.version.clone(), Arc::new(interface));
        self.defined.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// How often something was defined.
    pub(crate) fn defined(&self) -> u64 {
        self.defined.load(Ordering::Acquire)
    }

    /// The definitions of an interface, oldest version first.
    pub(crate) fn definitions(&self, name: &str) -> Vec<Arc<Interface>> {
        let definitions = self.definitions.read().unwrap_or_else(PoisonError::into_inner);
        definitions.get(name).map(|versions| versions.values().cloned().collect()).unwrap_or_default()
    }
}

/// Whether a definition can be used.
fn check(interface: &Interface) -> Result<()> {
    let refuse = |why: String| {
        Err(Error::new(Code::InvalidInput, format!("the interface `{}` cannot be defined: {why}", interface.name))
            .remedy("correct the definition"))
    };
    if interface.name.is_empty() || interface.name.contains(['@', ' ']) {
        return refuse("its name is empty, or has a space or `@` in it".to_owned());
    }
    for (number, action) in interface.actions.iter().enumerate() {
        if interface.actions.iter().take(number).any(|earlier| earlier.name == action.name) {
            return refuse(format!("the action `{}` stands there twice", action.name));
        }
        for schema in [&action.input, &action.output].into_iter().flatten() {
            crate::config::check_schema(schema)?;
        }
        if action.ask.is_some() && action.output.is_none() {
            return refuse(format!("`{}` is to be asked, but no `output` says what a good answer is", action.name));
        }
    }
    Ok(())
}
