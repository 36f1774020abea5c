//! A plugin comes in: its first message is judged and answered, and somebody takes it over.

use std::sync::{Arc, Mutex};
use std::thread;

use jiff::Timestamp;
use midplane_contract::{Code, Error, PluginId, Result};
use midplane_runtime_wire::text::Registration;
use serde_json::Value;

use crate::host::Inner;
use crate::link::Link;
use crate::register::{self, Protocol, Register};
use crate::socket::{Closing, Message, Outlet};
use crate::text::Dialogue;
use crate::visit::{About, Visit};

/// A plugin that is in.
pub(crate) struct Guest {
    pub(crate) plugin: PluginId,
    pub(crate) link: Arc<Link>,
    pub(crate) protocol: Protocol,
    pub(crate) registration: Registration,
    /// Whether it takes the place of one that is connected.
    replaces: bool,
}

impl Guest {
    /// Hands a message on; an error is the plugin's.
    pub(crate) fn deliver(&self, dialogue: &Dialogue, message: Message) -> Result<()> {
        match (self.protocol, message) {
            (Protocol::Text, Message::Text(text)) => {
                dialogue.hear_plugin(&text);
                Ok(())
            }
            (Protocol::Wire, Message::Binary(bytes)) => {
                // An error means that the kernel has ended the connection, which closes this one too.
                let _ = self.link.deliver(&bytes);
                Ok(())
            }
            (_, Message::Life) => Ok(()),
            (protocol, _) => {
                let message =
                    format!("a message of the other kind on a connection that speaks `{}`", protocol.as_str());
                Err(Error::new(Code::ProtocolError, message)
                    .remedy("send text messages for text, binary ones for wire"))
            }
        }
    }
}

/// Judges the first message. Whoever is refused is told why, and the connection is closed.
pub(crate) fn admit(host: &Inner, outlet: &Arc<dyn Outlet>, text: &str, from: &str) -> Option<Guest> {
    let (id, register) = register::read(text);
    match register.and_then(|register| enter(host, outlet, &id, &register, from)) {
        Ok(guest) => Some(guest),
        Err(error) => {
            if host.refusals.is_next_logged() {
                tracing::warn!(from, %error, "a plugin was refused");
            }
            // It may have gone already; then there is nobody to tell.
            let _ = outlet.text(&register::failure(&id, &error));
            outlet.close(&Closing::of(&error));
            None
        }
    }
}

fn enter(host: &Inner, outlet: &Arc<dyn Outlet>, id: &Value, register: &Register, from: &str) -> Result<Guest> {
    let Register { manifest, process_id, protocol, registration, .. } = register;
    let (link, wire) = Link::new(Arc::clone(outlet), Arc::clone(&host.stopping))?;
    let admitted = host.roster.admit(&host.tokens, register, &link, from)?;
    let about = About {
        from: from.to_owned(),
        protocol: *protocol,
        process_id: *process_id,
        capabilities: manifest.capabilities.clone(),
        since: Timestamp::now(),
    };
    let visit = Visit { link: Arc::clone(&link), wire: Mutex::new(Some(wire)), about };
    host.reception.register(manifest.clone(), Arc::new(visit)).inspect_err(|error| {
        host.roster.note(&manifest.id, &link, |entry| entry.last_error = Some(error.clone()));
        link.fade("it was refused");
    })?;
    let renewal = admitted.renewal.as_ref().map(|token| token.reveal());
    if let Err(error) = outlet.text(&register::success(id, manifest, renewal)) {
        link.over(&format!("it took no answer to its registration: {error}"));
    }
    Ok(Guest {
        plugin: manifest.id.clone(),
        link,
        protocol: *protocol,
        registration: registration.clone(),
        replaces: admitted.replaces,
    })
}

/// Has the plugin loaded and started, on a thread of its own. What goes wrong closes the connection.
pub(crate) fn begin(host: &Arc<Inner>, guest: &Guest) {
    let (plugin, link, replaces) = (guest.plugin.clone(), Arc::clone(&guest.link), guest.replaces);
    let (keeper, named) = (Arc::clone(host), thread::Builder::new().name("midplane-welcome".to_owned()));
    let spawned = named.spawn(move || match keeper.reception.load(&plugin, replaces) {
        Ok(()) => {
            link.entered(None);
            let config = keeper.reception.config(&plugin).ok();
            keeper.roster.note(&plugin, &link, |entry| entry.config = config);
        }
        Err(error) => {
            tracing::warn!(%plugin, %error, "a plugin that connected could not be loaded");
            // Before the connection ends: who sees that it has looks here for the reason.
            keeper.roster.note(&plugin, &link, |entry| entry.last_error = Some(error.clone()));
            link.entered(Some(&error));
        }
    });
    if let Err(error) = spawned {
        guest.link.over(&format!("the host has no thread for it: {error}"));
    }
}
