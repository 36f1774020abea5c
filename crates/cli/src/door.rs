//! The door for plugins that connect: listens, hands out tokens, says who comes and goes.

mod key;
mod roll;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use midplane::connect::{Host, Listener, Record, Settings};
use midplane::contract::defaults;
use midplane::{Code, Error, Kernel, PluginId, State};
use serde_json::{Map, Value, json};

use crate::args::Listening;
use crate::exit::{Outcome, Stop};
use crate::input::Input;
use crate::notice;
use key::Key;
use roll::Roll;

/// How long `--call` waits for plugins unless it is told.
const WAIT: Duration = Duration::from_secs(60);
/// Pause between two looks who is there.
const LOOK: Duration = Duration::from_millis(100);

/// An open door. Dropping it closes every connection; it then blocks for half a second at most.
pub(crate) struct Door {
    // The listener goes first: nobody comes in while the rest is let go.
    listener: Listener,
    host: Host,
    kernel: Kernel,
    expected: Vec<PluginId>,
    wait: Duration,
    keys: Mutex<Vec<Key>>,
    roll: Mutex<Roll>,
}

impl Door {
    /// Begins to listen. Nobody can come in before there are tokens.
    ///
    /// # Errors
    /// Usage for an address that other machines reach, unless that is allowed; `already_registered` for a token of a plugin that
    /// is here already; `config_invalid` for settings that cannot be used; what the system says of the address.
    pub(crate) fn open(kernel: &Kernel, listening: &Listening) -> Outcome<Option<Self>> {
        let Some(address) = listening.listen else { return Ok(None) };
        if !address.ip().is_loopback() && !listening.allow_remote {
            let message = format!("{address} can be reached from other machines, and nothing on it is encrypted");
            let remedy = "listen on 127.0.0.1 behind a proxy that speaks TLS, or add --allow-remote";
            return Err(Stop::usage(message, remedy));
        }
        let mut expected: Vec<PluginId> = listening.token.iter().map(|wanted| wanted.id.clone()).collect();
        expected.sort();
        expected.dedup();
        if let Some(id) = expected.iter().find(|id| kernel.status(id).is_ok()) {
            let message = format!("there is a token for `{id}`, which is among the plugins that are loaded here");
            let remedy = "leave the one or the other out, or let it connect under another id";
            return Err(Error::new(Code::AlreadyRegistered, message).remedy(remedy).plugin(id).into());
        }
        let mut settings = settings(listening)?;
        (settings.host, settings.port) = (address.ip(), address.port());
        settings.origins.extend(listening.origin.iter().cloned());
        let host = Host::new(kernel.clone(), settings)?;
        let listener = Listener::bind(&host)?;
        let wait = listening.wait.unwrap_or(WAIT);
        let keys = listening.token.iter().map(|wanted| Key::new(wanted.clone(), wait)).collect();
        let roll = Mutex::default();
        Ok(Some(Self { listener, host, kernel: kernel.clone(), expected, wait, keys: Mutex::new(keys), roll }))
    }

    /// The plugins that have tokens, each once.
    pub(crate) fn expected(&self) -> &[PluginId] {
        &self.expected
    }

    /// Makes the tokens: from here on plugins come in.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(crate) fn hand_out(&self) -> Outcome<()> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).iter_mut().try_for_each(|key| key.cut(&self.host))
    }

    /// `listening` and `tokens`, for programs.
    pub(crate) fn document(&self) -> Map<String, Value> {
        let (address, origins) = (self.listener.address(), &self.host.settings().origins);
        let url = self.listener.url();
        let listening = json!({ "url": url, "host": address.ip(), "port": address.port(), "origins": origins });
        let tokens = self.keys(Key::document).into();
        Map::from_iter([("listening".to_owned(), listening), ("tokens".to_owned(), tokens)])
    }

    /// The address and the tokens, for people: what it is, whose, and it.
    pub(crate) fn rows(&self) -> Vec<[String; 3]> {
        let listening = ["listening".to_owned(), String::new(), self.listener.url()];
        std::iter::once(listening).chain(self.keys(Key::row)).collect()
    }

    /// Looks after the door until it is dropped: never ends by itself.
    pub(crate) async fn keep(&self) {
        loop {
            self.look();
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until every plugin that has a token runs.
    ///
    /// # Errors
    /// `deadline_exceeded` naming who is missing; why one that came could not be started.
    pub(crate) async fn gathered(&self) -> Outcome<()> {
        let gather = async {
            loop {
                let records = self.look();
                if let Some(error) = self.expected.iter().find_map(|id| failure(id, &records)) {
                    return Err(error.into());
                }
                if self.missing(&records).is_empty() {
                    return Ok(());
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        match tokio::time::timeout(self.wait, gather).await {
            Ok(gathered) => gathered,
            Err(_) => Err(self.late().into()),
        }
    }

    /// Lets nobody in any longer. Plugins that are here stay until the kernel lets them go, and are told then whether that
    /// is because the host ends.
    pub(crate) fn shut(&self, ending: bool) {
        if ending {
            self.host.stop_admitting();
        }
        self.listener.close();
    }

    /// Says who came and went, and sees to the tokens in files.
    fn look(&self) -> Vec<Record> {
        let records = self.host.records();
        let mut roll = self.roll.lock().unwrap_or_else(PoisonError::into_inner);
        for change in roll.changes(&records, |id| self.actions(id)) {
            notice::say(&change);
        }
        for key in self.keys.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            key.renew(&self.host);
        }
        records
    }

    fn actions(&self, id: &PluginId) -> Vec<String> {
        let generation = self.kernel.status(id).ok().and_then(|status| status.generation);
        generation.map(|generation| generation.actions).unwrap_or_default()
    }

    fn missing(&self, records: &[Record]) -> Vec<&str> {
        let runs = |record: &Record| record.connected && record.status == Some(State::Running);
        let here = |id: &&PluginId| records.iter().any(|record| record.id == **id && runs(record));
        self.expected.iter().filter(|id| !here(id)).map(PluginId::as_str).collect()
    }

    fn late(&self) -> Error {
        let records = self.host.records();
        let missing = self.missing(&records);
        let names: Vec<String> = missing.iter().map(|id| format!("`{id}`")).collect();
        let have = if names.len() == 1 { "has" } else { "have" };
        let message = format!("{} {have} not connected within {:?}", names.join(", "), self.wait);
        let remedy = format!("connect to {} with the token, or allow more time with --wait", self.listener.url());
        Error::new(Code::DeadlineExceeded, message).remedy(remedy).with("missing", missing)
    }

    fn keys<T>(&self, of: impl Fn(&Key) -> T) -> Vec<T> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).iter().map(of).collect()
    }
}

/// Why a plugin that came does not run.
fn failure(id: &PluginId, records: &[Record]) -> Option<Error> {
    let record = records.iter().find(|record| record.id == *id && !record.connected)?;
    record.last_error.clone()
}

fn settings(listening: &Listening) -> Outcome<Settings> {
    let Some(written) = listening.listen_config.as_deref() else { return Ok(Settings::default()) };
    let text = Input::parse(Some(written))?.read(defaults::MANIFEST_SIZE as u64)?;
    let invalid = |error: serde_json::Error| {
        let remedy =
            "write a JSON object like {\"plugins\": 10, \"heartbeat\": 5000}; docs/guide/connecting.md lists all";
        Error::new(Code::ConfigInvalid, format!("--listen-config cannot be used: {error}")).remedy(remedy)
    };
    Ok(serde_json::from_slice(&text).map_err(invalid)?)
}
