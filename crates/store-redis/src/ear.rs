//! Hearing of what other hosts change: a thread that listens, and connects again for as long as the store is there.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use midplane_contract::{Code, Error, Result};
use midplane_kernel::config::{Changed, News};
use redis::{Connection, PubSub, RedisResult, Value, cmd};

use crate::fault::Fault;
use crate::message;
use crate::store::Shared;

/// Time between two looks at whether the store is still there.
const TICK: Duration = Duration::from_millis(250);
/// A connection on which nothing was heard for so long is asked whether it lives.
const QUIET: Duration = Duration::from_secs(5);
/// Pauses between two tries to connect.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(3);

pub(crate) struct Ear {
    shared: Weak<Shared>,
    changed: Changed,
}

impl Ear {
    /// Begins to listen.
    ///
    /// # Errors
    /// `io` when the system gives no thread.
    pub(crate) fn open(shared: &Arc<Shared>, changed: Changed) -> Result<()> {
        let ear = Self { shared: Arc::downgrade(shared), changed };
        let thread = std::thread::Builder::new().name("midplane-redis".to_owned()).spawn(move || ear.listen());
        thread.map(drop).map_err(|error| {
            Error::new(Code::Io, "no thread to follow changes in Redis with")
                .remedy("raise the limit of threads of the host")
                .caused_by(&error)
        })
    }

    fn listen(self) {
        let (mut pause, mut told) = (SHORTEST, false);
        while let Some(shared) = self.shared.upgrade() {
            let ended = subscribe(&shared).and_then(|mut connection| {
                if std::mem::take(&mut told) {
                    tracing::info!(server = %shared.server.settings.address, "changes of configurations are followed again");
                }
                pause = SHORTEST;
                self.catch_up(&shared)?;
                let settings = shared.server.settings.clone();
                // Not held while waiting: the store would never go.
                drop(shared);
                self.hear(connection.as_pubsub(), settings.timeout)
                    .map_err(|error| Fault { settings: &settings, sent: false }.of(&error))
            });
            if let Err(error) = ended
                && !std::mem::replace(&mut told, true)
            {
                tracing::warn!(%error, "changes of configurations by other hosts are not followed until the server is back");
            }
            self.rest(pause);
            pause = (pause * 2).min(LONGEST);
        }
    }

    /// What was changed before anybody listened. The subscription is there already: nothing falls between.
    fn catch_up(&self, shared: &Shared) -> Result<()> {
        shared.put_back()?;
        (self.changed)(News::Any);
        Ok(())
    }

    /// Hands on messages until the connection or the store is gone.
    fn hear(&self, mut connection: PubSub<'_>, timeout: Duration) -> RedisResult<()> {
        let mut heard = Instant::now();
        while self.is_wanted() {
            connection.set_read_timeout(Some(TICK))?;
            match connection.get_message() {
                Ok(message) => {
                    heard = Instant::now();
                    self.tell(message.get_payload_bytes());
                }
                Err(error) if error.is_timeout() && heard.elapsed() < QUIET => {}
                Err(error) if error.is_timeout() => {
                    connection.set_read_timeout(Some(timeout))?;
                    connection.ping::<Value>()?;
                    heard = Instant::now();
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// This host's own changes are told as well: one whose answer did not come in time may have been made all the same.
    fn tell(&self, text: &[u8]) {
        let Some(shared) = self.shared.upgrade() else { return };
        let Some((plugin, from)) = message::read(text) else { return };
        if from != shared.own {
            shared.forget(&plugin);
        }
        (self.changed)(News::Of(&plugin));
    }

    fn is_wanted(&self) -> bool {
        self.shared.strong_count() > 0
    }

    /// A pause that ends with the store.
    fn rest(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while self.is_wanted() && Instant::now() < until {
            std::thread::sleep(TICK.min(pause));
        }
    }
}

/// A connection that is subscribed, and was told so.
fn subscribe(shared: &Shared) -> Result<Connection> {
    let mut connection = shared.server.connect()?;
    let ask = |connection: &mut Connection| {
        connection.send_packed_command(&cmd("SUBSCRIBE").arg(&shared.channel).get_packed_command())?;
        connection.recv_response()?.extract_error().map(drop)
    };
    let asked = ask(&mut connection);
    asked.map_err(|error| Fault { settings: &shared.server.settings, sent: false }.of(&error))?;
    Ok(connection)
}
