//! What errors say: which server, what is wrong, what to do. Never a password.

use midplane_contract::{Code, Error};
use midplane_kernel::secret::mask;
use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::server::Settings;

/// What the hosts need to be allowed.
const COMMANDS: &str =
    "+hget +hset +hsetnx +hstrlen +multi +exec +publish +subscribe +unsubscribe +punsubscribe +ping +select";

/// Where a fault is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault<'a> {
    pub(crate) settings: &'a Settings,
    /// Whether a request was on its way already.
    pub(crate) sent: bool,
}

impl Fault<'_> {
    pub(crate) fn of(self, error: &RedisError) -> Error {
        let server = &self.settings.address;
        let said = mask(&error.to_string()).into_owned();
        let is = |word: &str| error.code() == Some(word) || said.contains(word);
        let storage = |message: String| Error::new(Code::Storage, message);
        if error.is_timeout() || is("Connection timed out") {
            return self.away(format!("has not answered within {:?}", self.settings.timeout));
        }
        if error.is_io_error() {
            return self.away(format!("cannot be reached: {said}"));
        }
        if is("without any password configured") {
            return storage(format!("the Redis server {server} has no password, and is sent one")).remedy(
                "leave `store.password` out of the settings, or name the user that it belongs to in `store.user`",
            );
        }
        if is("WRONGPASS") {
            return storage(format!("the Redis server {server} refuses the user or the password"))
                .remedy("correct `store.password` (and `store.user`) in the settings, or the secret that it names");
        }
        if is("NOAUTH") {
            return storage(format!("the Redis server {server} wants a password"))
                .remedy("name its place in the settings: `store: {password: env:VARIABLE}`, or `file:PATH`");
        }
        if error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) || is("NOPERM") {
            let prefix = &self.settings.prefix;
            return storage(format!("the Redis server {server} does not allow it: {said}"))
                .remedy(format!("let the user do this: `~{prefix}:* &{prefix}:* {COMMANDS}`"));
        }
        if is("WRONGTYPE") {
            return storage(format!(
                "the key `{}:configs` of the Redis server {server} is no hash",
                self.settings.prefix
            ))
            .remedy("somebody else uses that key: remove it, or give `store.prefix` another value");
        }
        if error.kind() == ErrorKind::Parse || error.kind() == ErrorKind::UnexpectedReturnType {
            return storage(format!("what answers at {server} is no Redis server: {said}"))
                .remedy("correct `store.address` in the settings");
        }
        let again = matches!(error.kind(), ErrorKind::Server(kind) if kind == ServerErrorKind::BusyLoading);
        storage(format!("the Redis server {server} refuses: {said}"))
            .remedy("see what the server says of it; plugins keep the configurations that they have")
            .recoverable(again)
    }

    fn away(self, what: String) -> Error {
        let doubt = if self.sent { "; whether it has done what it was asked is not known" } else { "" };
        Error::new(Code::Storage, format!("the Redis server {} {what}{doubt}", self.settings.address))
            .remedy("start it, or correct `store.address`; plugins keep the configurations that they have, and changes are taken over when it is back")
            .recoverable(true)
    }
}

/// The password cannot be read.
pub(crate) fn bad_password(settings: &Settings, error: &Error) -> Error {
    let record = error.record();
    let failed =
        Error::new(Code::Storage, format!("the password of the Redis server {}: {}", settings.address, record.message));
    record.remedy.iter().fold(failed, |failed, remedy| failed.remedy(remedy.clone()))
}
