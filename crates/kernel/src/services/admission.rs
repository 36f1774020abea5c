//! Holding plugins to the interfaces that they say they provide.

use std::sync::Arc;

use midplane_contract::interface::EVERY_PLUGIN;
use midplane_contract::manifest::InterfaceRef;
use midplane_contract::version::parse_version;
use midplane_contract::{Code, Error, Interface, InterfaceAction, Manifest, Result, State, Version};
use serde_json::Value;

use crate::action::CallOptions;
use crate::config;
use crate::generation::Generation;
use crate::kernel::Inner;
use crate::plugin::Plugin;

/// An interface that a plugin provides, or says it does.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) interface: String,
    pub(crate) version: Version,
    /// Actions that may be repeated, as the interface says.
    pub(crate) repeatable: Vec<String>,
    /// Why it is not offered to anybody.
    pub(crate) refused: Option<Error>,
}

/// Finds out what a running plugin provides. What it lacks costs it the interface, not its life.
///
/// A plugin may take its time to answer what it is asked: what was found out counts only if it has not been replaced
/// meanwhile, and nothing else has been defined. Otherwise somebody else may have found out the present state already.
pub(crate) async fn admit(kernel: &Arc<Inner>, plugin: &Arc<Plugin>) {
    while let Some(generation) = plugin.slot.core.generation() {
        let defined = kernel.services.defined();
        let offers = offers(kernel, plugin, &generation).await;
        let mut life = plugin.life();
        let current = plugin.slot.core.generation().is_some_and(|current| current.number == generation.number);
        if current && kernel.services.defined() == defined {
            life.offers = offers.into();
            break;
        }
    }
    plugin.changed();
}

async fn offers(kernel: &Arc<Inner>, plugin: &Plugin, generation: &Generation) -> Vec<Offer> {
    let every = InterfaceRef { name: EVERY_PLUGIN.to_owned(), range: None };
    let every = Some(every).filter(|_| !kernel.services.definitions(EVERY_PLUGIN).is_empty());
    let mut offers = Vec::new();
    for provided in generation.manifest.provides.iter().chain(&every) {
        let offer = examine(kernel, plugin, generation, provided).await;
        if let Some(error) = &offer.refused {
            tracing::warn!(plugin = %plugin.id, interface = offer.interface, %error, "an interface is not provided");
        }
        offers.push(offer);
    }
    // Who does not do what every plugin has to do provides nothing.
    if let Some(error) = offers.iter().find(|offer| offer.interface == EVERY_PLUGIN).and_then(|o| o.refused.clone()) {
        offers.iter_mut().for_each(|offer| offer.refused = offer.refused.take().or(Some(error.clone())));
    }
    offers
}

/// Holds everybody who runs to a definition that has come now.
pub(crate) async fn admit_all(kernel: &Arc<Inner>) {
    for plugin in kernel.plugins() {
        if matches!(plugin.state(), State::Running | State::Updating) {
            admit(kernel, &plugin).await;
        }
    }
}

async fn examine(kernel: &Arc<Inner>, plugin: &Plugin, generation: &Generation, provided: &InterfaceRef) -> Offer {
    let (version, definition) = versioned(&kernel.services.definitions(&provided.name), provided, &generation.manifest);
    let refused = match &definition {
        None => None,
        Some(Err(error)) => Some(error.clone()),
        Some(Ok(definition)) => {
            let has = |action: &InterfaceAction| generation.actions().any(|(_, name)| *name == action.name);
            match complete(definition, generation.capabilities().count(), has) {
                Ok(()) => ask(plugin, definition).await.err(),
                Err(error) => Some(error),
            }
        }
    };
    let repeatable = |action: &&InterfaceAction| action.idempotent;
    let of_interface = definition.iter().flatten().flat_map(|definition| &definition.actions).filter(repeatable);
    let repeatable = of_interface.map(|action| action.name.to_string()).collect();
    Offer {
        interface: provided.name.clone(),
        version,
        repeatable,
        refused: refused.map(|error| error.plugin(&plugin.id)),
    }
}

/// The version of an interface that a plugin provides: what it names, else the newest that is defined, else its own.
fn versioned(
    definitions: &[Arc<Interface>],
    provided: &InterfaceRef,
    manifest: &Manifest,
) -> (Version, Option<Result<Arc<Interface>>>) {
    let named = provided.range.as_ref().and_then(|range| parse_version(range.as_str()).ok());
    let fits = |version: &Version| match (&named, &provided.range) {
        (Some(named), _) => named == version,
        (None, Some(range)) => range.matches(version),
        (None, None) => true,
    };
    if let Some(definition) = definitions.iter().rev().find(|definition| fits(&definition.version)) {
        return (definition.version.clone(), Some(Ok(Arc::clone(definition))));
    }
    let version = named.unwrap_or_else(|| manifest.version.clone());
    if definitions.is_empty() {
        return (version, None);
    }
    let known: Vec<String> = definitions.iter().map(|definition| definition.version.to_string()).collect();
    let wanted = provided.range.as_ref().map_or_else(|| "*".to_owned(), ToString::to_string);
    let message = format!("it provides `{}` {wanted}, found {}", provided.name, known.join(", "));
    let error = Error::new(Code::VersionMismatch, message)
        .remedy("provide a version of the interface that the host knows")
        .with("module", provided.name.as_str())
        .with("required", wanted)
        .with("found", known);
    (version, Some(Err(error)))
}

/// Whether a provider has everything that the definition names.
///
/// # Errors
/// `action_not_found {interface, action}`, `manifest_invalid` for too few capabilities.
fn complete(definition: &Interface, able: usize, has: impl Fn(&InterfaceAction) -> bool) -> Result<()> {
    let Interface { name, version, actions, capabilities, .. } = definition;
    if let Some(lacking) = actions.iter().find(|action| !action.optional && !has(action)) {
        let message = format!("whoever provides `{name}` {version} needs the action `{}`", lacking.name);
        return Err(Error::new(Code::ActionNotFound, message)
            .remedy(format!("add the action `{}`, or do not provide `{name}`", lacking.name))
            .with("interface", name.as_str())
            .with("action", lacking.name.as_str()));
    }
    if able < *capabilities {
        let what = if *capabilities == 1 { "capability" } else { "capabilities" };
        let message =
            format!("whoever provides `{name}` {version} declares at least {capabilities} {what}, not {able}");
        return Err(Error::new(Code::ManifestInvalid, message)
            .remedy("name what it can do under `capabilities` in the manifest")
            .with("interface", name.as_str())
            .with("required", *capabilities)
            .with("found", able));
    }
    Ok(())
}

/// Asks the plugin what the definition wants to hear from it.
async fn ask(plugin: &Plugin, definition: &Interface) -> Result<()> {
    for action in &definition.actions {
        let (Some(input), Some(output)) = (&action.ask, &action.output) else { continue };
        let refuse = |why: String| {
            let name = &action.name;
            Error::new(Code::PluginError, format!("asked for `{name}` of `{}`, {why}", definition.name))
                .remedy(format!("let `{name}` answer what the interface says"))
                .with("interface", definition.name.as_str())
                .with("action", name.as_str())
        };
        let time = CallOptions::within(midplane_contract::defaults::PROBE_DEADLINE);
        let asked = plugin.slot.action(action.name.as_str())?.call_with(input.to_string(), time).await;
        let answer = asked.map_err(|error| refuse(format!("it failed: {}", error.record().message)).because(&error))?;
        let answer: Value =
            serde_json::from_slice(&answer).map_err(|_| refuse("it answered something that is not JSON".to_owned()))?;
        let misfits = config::misfits(output, &answer)?;
        if !misfits.is_empty() {
            return Err(refuse(format!("it answered what does not fit: {}", misfits.join("; "))));
        }
    }
    Ok(())
}
