//! Who gets what nobody is named for: interfaces and their providers, routes of actions and files.

use std::path::Path;
use std::sync::Arc;

use midplane_contract::{ActionName, Code, Error, Interface, Result, VersionRange};

use super::Kernel;
use crate::action::CallOptions;
use crate::lasting::to_its_end;
use crate::routes::{self, Route, Row, Rule};
use crate::services::{self, Choice, Provider, Service};

impl Kernel {
    /// Defines an interface. Plugins that provide it are held to it from here on, those that run at once: one that
    /// lacks a required action does not provide it, and a warning names that action.
    ///
    /// # Errors
    /// `invalid_input` for a definition that contradicts itself, `manifest_invalid` for a schema that is none.
    pub async fn define(&self, interface: Interface) -> Result<()> {
        self.inner.services.define(interface)?;
        let kernel = Arc::clone(&self.inner);
        to_its_end(async move { services::admit_all(&kernel).await }).await;
        Ok(())
    }

    /// A handle for an interface, whoever provides it.
    #[must_use]
    pub fn service(&self, interface: &str, range: VersionRange, choice: Choice) -> Service {
        Service::new(Arc::downgrade(&self.inner), interface, range, choice)
    }

    /// Who provides an interface in a version of this range, best first; those that are refused come last.
    #[must_use]
    pub fn providers(&self, interface: &str, range: &VersionRange) -> Vec<Provider> {
        services::providers(&self.inner, interface, range)
    }

    /// The plugins that handle a file, best first: those that run before those that do not, then by priority, then
    /// the most exact one, then rules before file types, then by id.
    #[must_use]
    pub fn routes(&self, file: &Path, mime_type: Option<&str>) -> Vec<Route> {
        routes::of(&self.inner, file, mime_type)
    }

    /// Every route, of plugins and rules, in the order in which they are tried, and by whom each is shadowed.
    #[must_use]
    pub fn route_table(&self) -> Vec<Row> {
        routes::table(&self.inner)
    }

    /// Makes a route, or replaces the one of this name.
    ///
    /// # Errors
    /// `invalid_input` for a pattern that cannot be one, `limit_exceeded` over 10,000 rules.
    pub fn set_route(&self, name: &str, rule: Rule) -> Result<()> {
        self.inner.rules.set(name, rule)
    }

    /// Drops a route that [`Kernel::set_route`] made. `false` when there was none of that name.
    #[must_use]
    pub fn remove_route(&self, name: &str) -> bool {
        self.inner.rules.remove(name)
    }

    /// Calls an action by its name alone, at whoever of those that run gets it by the routes. Keep
    /// [`Kernel::action`]'s handle where many calls are made.
    ///
    /// # Errors
    /// `action_not_found` at once where nobody answers it; otherwise as [`Action::call`](crate::action::Action::call).
    pub async fn dispatch(&self, action: &str, input: impl Into<Vec<u8>>, options: CallOptions) -> Result<Vec<u8>> {
        let action = ActionName::new(action).map_err(|error| Error::new(Code::InvalidInput, error.to_string()))?;
        routes::dispatch(&self.inner, &action, input.into(), options).await
    }
}
