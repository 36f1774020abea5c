//! What is done from time to time: pings, silence, health.

use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crate::host::Inner;
use crate::link::Link;
use crate::socket::Closing;

/// Pings within the time after which a silent plugin is disconnected.
const PINGS: u32 = 3;
/// The longest and shortest pause between two looks.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// Ends the looks when it is dropped.
#[derive(Default)]
pub(crate) struct Stop(Mutex<bool>, Condvar);

impl Stop {
    pub(crate) fn say(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.1.notify_all();
    }

    /// Waits that long, or until it is said; says whether it was.
    fn wait(&self, pause: Duration) -> bool {
        let stopped = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *self.1.wait_timeout_while(stopped, pause, |stopped| !*stopped).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Looks after a host's connections until that is gone or says stop.
pub(crate) fn keep(host: &Weak<Inner>, stop: &Stop) {
    let mut ping = Instant::now();
    let mut health = Instant::now();
    loop {
        let pause = {
            let Some(host) = host.upgrade() else { return };
            let settings = &host.settings;
            let beat = settings.heartbeat / PINGS;
            if ping.elapsed() >= beat {
                ping = Instant::now();
                host.roster.live().iter().for_each(|(_, link)| link.outlet.ping());
            }
            for (plugin, link) in host.roster.live() {
                if link.silence() > settings.heartbeat {
                    tracing::warn!(%plugin, "nothing is heard of a connected plugin");
                    link.close(&Closing::silent());
                }
            }
            host.roster.each(|_, entry| entry.link.insist());
            if health.elapsed() >= settings.health {
                health = Instant::now();
                host.roster.tidy(|plugin| host.reception.state(plugin).is_some());
                check(&host);
            }
            (beat / 2).min(settings.health / 2).clamp(PAUSE.0, PAUSE.1)
        };
        if stop.wait(pause) {
            return;
        }
    }
}

/// Checks everybody's health, each on a thread of its own: one that does not answer holds up no other.
fn check(host: &Arc<Inner>) {
    for (plugin, link) in host.roster.live() {
        if link.checking.swap(true, std::sync::atomic::Ordering::SeqCst) {
            continue;
        }
        let (host, named) = (Arc::clone(host), thread::Builder::new().name("midplane-health".to_owned()));
        let checked = Arc::clone(&link);
        let spawned = named.spawn(move || {
            let health = host.reception.health(&plugin);
            let config = host.reception.config(&plugin);
            host.roster.note(&plugin, &checked, |entry| {
                match health {
                    Ok(health) => entry.health = Some(health),
                    Err(error) => entry.last_error = Some(error),
                }
                entry.config = config.ok().or_else(|| entry.config.take());
            });
            done(&checked);
        });
        if spawned.is_err() {
            done(&link);
        }
    }
}

fn done(link: &Link) {
    link.checking.store(false, std::sync::atomic::Ordering::SeqCst);
}
