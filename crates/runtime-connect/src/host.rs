//! The host of plugins that connect: who may come, who is here, who was.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use midplane_contract::{Code, Error, PluginId, Result};

use crate::admission::{self, Guest};
use crate::pulse::{self, Stop};
use crate::reception::Reception;
use crate::record::Record;
use crate::refusals::Refusals;
use crate::register::{self, Protocol};
use crate::roster::Roster;
use crate::settings::Settings;
use crate::socket::{Closing, Incoming, Message, Outlet};
use crate::text::Dialogue;
use crate::token::{Pass, Token, Tokens};

/// How long plugins have to answer that the connection is closed when the host is dropped.
const FAREWELL: Duration = Duration::from_millis(500);
/// How long plugins have to go when the host stops.
const GOODBYE: Duration = Duration::from_secs(5);

/// The host of plugins that connect. Cheap to clone; the last clone that goes takes the connections with it.
#[derive(Clone)]
pub struct Host {
    owner: Arc<Owner>,
}

/// Ends everything when the last [`Host`] is dropped; the threads of connections hold only what it owns.
struct Owner {
    inner: Arc<Inner>,
    stop: Arc<Stop>,
}

/// What a host is made of. Its room sees it whole.
pub(crate) struct Inner {
    pub(crate) reception: Box<dyn Reception>,
    pub(crate) settings: Settings,
    pub(crate) tokens: Tokens,
    pub(crate) roster: Roster,
    arrivals: AtomicUsize,
    pub(crate) refusals: Refusals,
    pub(crate) stopping: Arc<AtomicBool>,
    /// Connections that are served, and who waits until there are none.
    served: (Mutex<usize>, Condvar),
}

impl Host {
    /// A host that hands plugins to a kernel, or to another reception. It accepts nobody yet: give it to a [`crate::Listener`], or [`Host::serve`] what a server of your own has
    /// accepted.
    ///
    /// # Errors
    /// `io` when the system gives no thread.
    pub fn new(reception: impl Reception, settings: Settings) -> Result<Self> {
        let roster = Roster::new(settings.plugins, settings.renewal);
        let inner = Arc::new(Inner {
            reception: Box::new(reception),
            settings,
            tokens: Tokens::default(),
            roster,
            arrivals: AtomicUsize::new(0),
            refusals: Refusals::default(),
            stopping: Arc::default(),
            served: (Mutex::new(0), Condvar::new()),
        });
        let stop = Arc::new(Stop::default());
        let (watched, told) = (Arc::downgrade(&inner), Arc::clone(&stop));
        let named = thread::Builder::new().name("midplane-pulse".to_owned());
        named.spawn(move || pulse::keep(&watched, &told)).map_err(|error| {
            Error::new(Code::Io, format!("no thread to look after connected plugins: {error}")).remedy("free some")
        })?;
        Ok(Self { owner: Arc::new(Owner { inner, stop }) })
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.owner.inner.settings
    }

    /// Makes a token that lets one plugin in, once. Kept hashed, in memory: it does not survive the host.
    ///
    /// # Errors
    /// `limit_exceeded` over 10,000 that wait to be used.
    pub fn issue(&self, pass: Pass) -> Result<Token> {
        self.owner.inner.tokens.issue(pass).map(|(token, _)| token)
    }

    /// Whether a token could still let its plugin in: it was issued here, and neither used nor has it expired.
    #[must_use]
    pub fn is_good(&self, token: &Token) -> bool {
        self.owner.inner.tokens.is_good(token)
    }

    /// Serves a WebSocket on `/plugin/connect` that somebody has accepted, origin checked
    /// ([`Settings::origins`]), until it ends. Blocks: give it a thread. `from` is shown where the plugin is.
    pub fn serve(&self, incoming: impl Incoming, outlet: Arc<dyn Outlet>, from: &str) {
        match self.arrive() {
            Some(arrival) => self.clone().admit(incoming, outlet, from, arrival),
            None => outlet.close(&Closing { code: 1013, reason: "too many plugins are on their way in".to_owned() }),
        }
    }

    /// Everybody who is or was connected, by id.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        let Inner { reception, roster, .. } = &*self.owner.inner;
        roster.each(|id, entry| Record::of(id, entry, reception.state(id)))
    }

    /// Closes the connection of a plugin, which is then stopped. `false` when it is not connected.
    pub fn disconnect(&self, plugin: &PluginId, reason: &str) -> bool {
        let live = self.owner.inner.roster.live();
        let link = live.iter().find(|(id, _)| id == plugin).map(|(_, link)| link);
        let closing = Closing { code: 4001, reason: reason.to_owned() };
        link.map(|link| link.close(&closing)).is_some()
    }

    /// Lets nobody in any longer; who is here stays. A plugin whose connection is closed from here on, because the kernel
    /// unloads it for example, is told that the host stops.
    pub fn stop_admitting(&self) {
        self.owner.inner.stopping.store(true, Ordering::SeqCst);
    }

    /// Lets nobody in any longer, closes every connection, and waits until they have ended, 5 s at most. Plugins are told
    /// that the host stops.
    pub fn shutdown(&self) {
        self.owner.inner.shut_down(GOODBYE);
    }

    /// What is logged of those who are not let in.
    pub(crate) fn refusals(&self) -> &Refusals {
        &self.owner.inner.refusals
    }

    /// Takes a place among those who are on their way in.
    pub(crate) fn arrive(&self) -> Option<Arrival> {
        let inner = &self.owner.inner;
        if inner.stopping.load(Ordering::SeqCst) {
            return None;
        }
        let most = inner.settings.arrivals;
        let taken = inner.arrivals.fetch_add(1, Ordering::SeqCst) < most;
        let arrival = Arrival(Arc::clone(inner));
        taken.then_some(arrival)
    }

    /// Serves a WebSocket whose place is taken. Keeps no host alive.
    pub(crate) fn admit(self, mut incoming: impl Incoming, outlet: Arc<dyn Outlet>, from: &str, arrival: Arrival) {
        let inner = Arc::clone(&self.owner.inner);
        drop(self);
        let Some(guest) = inner.welcome(&mut incoming, &outlet, from) else {
            // The other side answers that the connection is closed, or time is up.
            while matches!(incoming.next(), Ok(Some(_))) {}
            return outlet.destroy();
        };
        drop(arrival);
        incoming.admitted(inner.settings.message);
        let _served = Served::new(&inner);
        inner.attend(incoming, &guest);
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.stop.say();
        self.inner.shut_down(FAREWELL);
    }
}

impl Inner {
    fn welcome(&self, incoming: &mut impl Incoming, outlet: &Arc<dyn Outlet>, from: &str) -> Option<Guest> {
        loop {
            let why = match incoming.next() {
                Ok(Some(Message::Life)) => continue,
                Ok(Some(Message::Text(text))) => return admission::admit(self, outlet, &text, from),
                Ok(Some(Message::Binary(_))) => {
                    Error::new(Code::ProtocolError, "the first message is binary; register in a text message first")
                }
                Ok(None) => return None,
                Err(error) if error.kind() == ErrorKind::TimedOut => {
                    let time = self.settings.admission.as_millis();
                    Error::new(Code::DeadlineExceeded, format!("no `register` within {time} ms"))
                }
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    Error::new(Code::ProtocolError, format!("no message to register with: {error}"))
                }
                Err(_) => return None,
            };
            if self.refusals.is_next_logged() {
                tracing::warn!(from, error = %why, "a connection brought no plugin");
            }
            let why = why.remedy("see contract/text.md");
            let _ = outlet.text(&register::failure(&serde_json::Value::Null, &why));
            outlet.close(&Closing::of(&why));
            return None;
        }
    }

    /// Carries a plugin's messages until its connection ends.
    fn attend(self: &Arc<Self>, mut incoming: impl Incoming, guest: &Guest) {
        let Guest { plugin, link, protocol, registration, .. } = guest;
        let dialogue = Arc::new(Dialogue::new(Arc::clone(link), registration.clone()));
        let (pumped, told, spoken) = (Arc::clone(link), Arc::clone(&dialogue), *protocol);
        let pump = thread::Builder::new().name("midplane-ws-out".to_owned()).spawn(move || match spoken {
            Protocol::Text => told.hear_host(),
            Protocol::Wire => pumped.pump(),
        });
        admission::begin(self, guest);
        let reason = loop {
            match incoming.next() {
                Ok(Some(message)) => {
                    link.hear(message == Message::Life);
                    link.busy(true);
                    if let Err(error) = guest.deliver(&dialogue, message) {
                        link.close(&Closing::of(&error));
                    }
                    link.busy(false);
                }
                Ok(None) => break "the plugin has closed the connection".to_owned(),
                // What is under way is still read, so that the plugin hears why; if it goes on and on, it is cut off.
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    link.close(&Closing { code: 1002, reason: error.to_string() });
                }
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => break "the connection broke".to_owned(),
                Err(error) => break error.to_string(),
            }
        };
        link.over(&reason);
        if let Ok(pump) = pump {
            let _ = pump.join();
        }
        self.roster.leave(&self.tokens, plugin, link);
        tracing::info!(%plugin, protocol = protocol.as_str(), reason, "a plugin has disconnected");
    }

    fn shut_down(&self, patience: Duration) {
        self.stopping.store(true, Ordering::SeqCst);
        for (_, link) in self.roster.live() {
            link.close(&Closing::stopping());
        }
        let (served, none) = &self.served;
        let until = Instant::now() + patience;
        let mut left = served.lock().unwrap_or_else(PoisonError::into_inner);
        while *left > 0 {
            let time = until.saturating_duration_since(Instant::now());
            if time.is_zero() {
                break;
            }
            left = none.wait_timeout(left, time).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(left);
        self.roster.each(|_, entry| entry.link.over("the host is stopping"));
    }
}

/// A place among those who are on their way in.
pub(crate) struct Arrival(Arc<Inner>);

impl Drop for Arrival {
    fn drop(&mut self) {
        self.0.arrivals.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A connection that is being served.
struct Served(Arc<Inner>);

impl Served {
    fn new(inner: &Arc<Inner>) -> Self {
        *inner.served.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(Arc::clone(inner))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        *self.0.served.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.served.1.notify_all();
    }
}
