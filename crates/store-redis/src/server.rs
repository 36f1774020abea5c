//! One Redis server: connections that are kept for the next request, each request within its time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use midplane_contract::settings::ServerAddress;
use midplane_contract::{Result, SecretRef};
use midplane_kernel::secret;
use redis::{Client, Connection, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, RedisResult, cmd};

use crate::fault::{Fault, bad_password};

/// Connections kept for the next request.
const IDLE: usize = 8;

/// How to reach a Redis server, and where in it the configurations are.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it is.
    pub address: ServerAddress,
    /// The number of its database.
    pub database: u16,
    /// The user; the server's default one where absent.
    pub user: Option<String>,
    /// Where the password is, read anew for every connection.
    pub password: Option<SecretRef>,
    /// What the key and the channel begin with. Hosts with the same one share their configurations.
    pub prefix: String,
    /// Longest time that a connection takes, and that an answer takes.
    pub timeout: Duration,
}

pub(crate) struct Server {
    pub(crate) settings: Settings,
    idle: Mutex<Vec<Connection>>,
}

impl Server {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, idle: Mutex::default() }
    }

    /// Makes one request. A connection that was kept and has died meanwhile is replaced, once: requests are such that
    /// it does not matter whether they were done before.
    ///
    /// # Errors
    /// `storage`.
    pub(crate) fn ask<T>(&self, request: impl Fn(&mut Connection) -> RedisResult<T>) -> Result<T> {
        // The guard is let go of before the request.
        let kept = self.idle().pop();
        if let Some(mut connection) = kept {
            match request(&mut connection) {
                Err(error) if error.is_io_error() && !error.is_timeout() => self.idle().clear(),
                done => return self.finish(connection, done),
            }
        }
        let mut connection = self.connect()?;
        let done = request(&mut connection);
        self.finish(connection, done)
    }

    /// Keeps the connection unless something may still be under way on it.
    fn finish<T>(&self, connection: Connection, done: RedisResult<T>) -> Result<T> {
        let whole = done.as_ref().err().is_none_or(|error| !error.is_unrecoverable_error() && !error.is_io_error());
        if whole {
            let mut idle = self.idle();
            if idle.len() < IDLE {
                idle.push(connection);
            }
        }
        done.map_err(|error| Fault { settings: &self.settings, sent: true }.of(&error))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection whose every wait is bounded.
    ///
    /// # Errors
    /// `storage`.
    pub(crate) fn connect(&self) -> Result<Connection> {
        let settings = &self.settings;
        let password = settings.password.as_ref().map(secret::read).transpose();
        let password = password.map_err(|error| bad_password(settings, &error))?;
        let open = || -> RedisResult<Connection> {
            let plain = RedisConnectionInfo::default().set_skip_set_lib_name();
            let server = place(&settings.address).into_connection_info()?.set_redis_settings(plain);
            let mut connection = Client::open(server)?.get_connection_with_timeout(settings.timeout)?;
            connection.set_read_timeout(Some(settings.timeout))?;
            connection.set_write_timeout(Some(settings.timeout))?;
            // Asked here and not by the client, which would not say what the server answers.
            if let Some(password) = &password {
                cmd("AUTH").arg(&settings.user).arg(password).exec(&mut connection)?;
            }
            if settings.database > 0 {
                cmd("SELECT").arg(settings.database).exec(&mut connection)?;
            }
            Ok(connection)
        };
        open().map_err(|error| Fault { settings, sent: false }.of(&error))
    }
}

fn place(address: &ServerAddress) -> ConnectionAddr {
    match address {
        ServerAddress::Tcp(host, port) => ConnectionAddr::Tcp(host.clone(), *port),
        ServerAddress::Socket(path) => ConnectionAddr::Unix(path.clone()),
    }
}
