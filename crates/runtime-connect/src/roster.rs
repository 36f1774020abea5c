//! Who is here and who was.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use midplane_contract::{Code, Error, Health, PluginId, Result};
use serde_json::Value;

use crate::link::Link;
use crate::register::Register;
use crate::token::{Key, Pass, Token, Tokens};

/// What is kept of one plugin.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) capabilities: Vec<String>,
    pub(crate) process_id: Option<u64>,
    pub(crate) from: String,
    pub(crate) connected_at: Timestamp,
    pub(crate) connections: u64,
    /// Its latest connection.
    pub(crate) link: Arc<Link>,
    pub(crate) config: Option<Value>,
    pub(crate) health: Option<Health>,
    pub(crate) last_error: Option<Error>,
    renewal: Option<Key>,
}

/// The plugins of one host, connected or not, by id.
pub(crate) struct Roster {
    entries: Mutex<BTreeMap<PluginId, Entry>>,
    most: usize,
    renewal: Duration,
}

/// A plugin that has been let in.
pub(crate) struct Admitted {
    /// Whether it takes the place of one that is connected.
    pub(crate) replaces: bool,
    /// What it can come again with.
    pub(crate) renewal: Option<Token>,
}

impl Roster {
    pub(crate) fn new(most: usize, renewal: Duration) -> Self {
        Self { entries: Mutex::default(), most, renewal }
    }

    /// Lets a plugin in, or says why not. A refused one keeps its token.
    ///
    /// # Errors
    /// `permission_denied` for the token; `already_registered` for an id that is connected; `limit_exceeded`.
    pub(crate) fn admit(&self, tokens: &Tokens, register: &Register, link: &Arc<Link>, from: &str) -> Result<Admitted> {
        let manifest = &register.manifest;
        let mut entries = self.lock();
        let admit = tokens.check(&register.token, &manifest.id)?;
        let live = entries.get(&manifest.id).is_some_and(|entry| !entry.link.is_over());
        if live && !admit.replaces {
            return Err(Error::new(
                Code::AlreadyRegistered,
                format!("a plugin `{}` is connected already", manifest.id),
            )
            .remedy("close the other connection first, or use another plugin_id")
            .plugin(&manifest.id));
        }
        let others = entries.values().filter(|entry| !entry.link.is_over()).count() - usize::from(live);
        if others >= self.most {
            return Err(Error::new(Code::LimitExceeded, "maximum number of plugins reached")
                .remedy("disconnect a plugin, or allow the host more")
                .with("which", "plugins")
                .with("limit", self.most as u64));
        }
        let renewal = match self.renewal.is_zero() {
            true => None,
            // Good for as long as the connection holds; what comes after that counts from its end.
            false => Some(tokens.issue(Pass::of(manifest.id.clone()).valid(Duration::from_secs(3_000_000_000)))?),
        };
        tokens.spend(admit.key);
        let before = entries.get(&manifest.id);
        let entry = Entry {
            name: manifest.name.clone(),
            version: manifest.version.to_string(),
            capabilities: manifest.capabilities.clone(),
            process_id: register.process_id,
            from: from.to_owned(),
            connected_at: Timestamp::now(),
            connections: before.map_or(0, |entry| entry.connections) + 1,
            link: Arc::clone(link),
            config: None,
            health: None,
            last_error: None,
            renewal: renewal.as_ref().map(|(_, key)| *key),
        };
        if let Some(stale) = entries.insert(manifest.id.clone(), entry).and_then(|before| before.renewal) {
            // The plugin has come; the token that it could have come with is of no more use.
            tokens.expire(stale, Duration::ZERO);
        }
        Ok(Admitted { replaces: live, renewal: renewal.map(|(token, _)| token) })
    }

    /// Notes something about the plugin, if this is still its connection.
    pub(crate) fn note(&self, plugin: &PluginId, link: &Arc<Link>, note: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.lock().get_mut(plugin).filter(|entry| Arc::ptr_eq(&entry.link, link)) {
            note(entry);
        }
    }

    /// The connection has ended: the time in which the plugin may come again begins.
    pub(crate) fn leave(&self, tokens: &Tokens, plugin: &PluginId, link: &Arc<Link>) {
        self.note(plugin, link, |entry| {
            if let Some(key) = entry.renewal {
                tokens.expire(key, self.renewal);
            }
        });
    }

    /// Forgets plugins that are not connected and that the kernel does not know either.
    pub(crate) fn tidy(&self, known: impl Fn(&PluginId) -> bool) {
        self.lock().retain(|id, entry| !entry.link.is_over() || known(id));
    }

    /// Everybody, by id.
    pub(crate) fn each<T>(&self, mut of: impl FnMut(&PluginId, &Entry) -> T) -> Vec<T> {
        self.lock().iter().map(|(id, entry)| of(id, entry)).collect()
    }

    /// The connections that hold.
    pub(crate) fn live(&self) -> Vec<(PluginId, Arc<Link>)> {
        let entries = self.lock();
        let live = entries.iter().filter(|(_, entry)| !entry.link.is_over());
        live.map(|(id, entry)| (id.clone(), Arc::clone(&entry.link))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PluginId, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
