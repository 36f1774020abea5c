//! One-use tokens: who holds one may register one plugin, once.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use midplane_contract::{Code, Error, PluginId, Result};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Tokens kept at once, used ones included until they expire.
const KEPT: usize = 10_000;
/// How long a token is good unless its pass says otherwise.
const VALID: Duration = Duration::from_secs(600);

/// What a token is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    plugin: Option<PluginId>,
    valid: Duration,
    replaces: bool,
}

impl Pass {
    /// For one registration of any plugin within 10 minutes.
    #[must_use]
    pub fn any() -> Self {
        Self { plugin: None, valid: VALID, replaces: false }
    }

    /// For this plugin only.
    #[must_use]
    pub fn of(plugin: PluginId) -> Self {
        Self { plugin: Some(plugin), ..Self::any() }
    }

    /// For so long. Measured by a clock that nobody can set.
    #[must_use]
    pub fn valid(self, valid: Duration) -> Self {
        Self { valid, ..self }
    }

    /// Also while the plugin is connected: it then takes the place of the one that is, without a call lost.
    #[must_use]
    pub fn replacing(self) -> Self {
        Self { replaces: true, ..self }
    }
}

/// The secret itself: 256 random bits as 43 characters that need no escaping anywhere. Shown by [`Token::reveal`] only.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// The text to hand to the plugin.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A token as it is kept. Where it stands in the list says nothing about its text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key([u8; 32]);

struct Entry {
    key: Key,
    pass: Pass,
    expires: Instant,
    used: bool,
}

/// The tokens of one host; hashed, in memory only.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<Vec<Entry>>);

impl Tokens {
    /// Makes a token.
    ///
    /// # Errors
    /// `limit_exceeded` over 10,000 that have not expired, `io` when the system has no random bytes.
    pub(crate) fn issue(&self, pass: Pass) -> Result<(Token, Key)> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| {
            Error::new(Code::Io, format!("the system gives no random bytes: {error}")).remedy("try again")
        })?;
        let token = Token(URL_SAFE_NO_PAD.encode(secret));
        let key = key_of(&token.0);
        let now = Instant::now();
        let mut entries = self.lock();
        entries.retain(|entry| entry.expires > now);
        if entries.len() >= KEPT {
            return Err(Error::new(Code::LimitExceeded, format!("{KEPT} tokens are waiting to be used"))
                .remedy("issue them for a shorter time, or fewer of them")
                .with("which", "tokens")
                .with("limit", KEPT as u64));
        }
        let expires = now.checked_add(pass.valid).unwrap_or(now);
        entries.push(Entry { key, pass, expires, used: false });
        Ok((token, key))
    }

    /// Whether a token lets this plugin in; says what it is good for, and leaves it unused.
    ///
    /// # Errors
    /// `permission_denied` when it is unknown, expired, used, or another plugin's.
    pub(crate) fn check(&self, text: &str, plugin: &PluginId) -> Result<Admit> {
        let key = key_of(text);
        let entries = self.lock();
        let mut found = None;
        // Every one is looked at, and each as long as the others: the time says nothing about what is there.
        for entry in entries.iter() {
            if bool::from(entry.key.0.ct_eq(&key.0)) {
                found = Some(entry);
            }
        }
        let entry = found.ok_or_else(|| denied("unknown token"))?;
        if entry.used {
            return Err(denied("the token has been used"));
        }
        if entry.expires <= Instant::now() {
            return Err(denied("the token has expired"));
        }
        if entry.pass.plugin.as_ref().is_some_and(|own| own != plugin) {
            return Err(denied("the token is for another plugin"));
        }
        Ok(Admit { key, replaces: entry.pass.replaces })
    }

    /// Whether a token is known, unused, and has not expired.
    pub(crate) fn is_good(&self, token: &Token) -> bool {
        let (key, now) = (key_of(token.reveal()), Instant::now());
        self.lock().iter().any(|entry| entry.key == key && !entry.used && entry.expires > now)
    }

    /// Uses a token up. `false` when somebody was quicker.
    pub(crate) fn spend(&self, key: Key) -> bool {
        let mut entries = self.lock();
        let unused = entries.iter_mut().find(|entry| entry.key == key && !entry.used);
        unused.map(|entry| entry.used = true).is_some()
    }

    /// Lets a token expire after so long from here on.
    pub(crate) fn expire(&self, key: Key, after: Duration) {
        let expires = Instant::now() + after;
        if let Some(entry) = self.lock().iter_mut().find(|entry| entry.key == key) {
            entry.expires = expires;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a token that was checked lets in.
#[derive(Clone, Copy)]
pub(crate) struct Admit {
    pub(crate) key: Key,
    pub(crate) replaces: bool,
}

fn key_of(text: &str) -> Key {
    Key(Sha256::digest(text.as_bytes()).into())
}

fn denied(why: &str) -> Error {
    Error::new(Code::PermissionDenied, why)
        .remedy("get a new token from the host; each is good for one registration")
        .with("permission", "plugin.connect")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> PluginId {
        PluginId::new(name).unwrap()
    }

    fn message(tokens: &Tokens, text: &str, plugin: &str) -> String {
        tokens.check(text, &id(plugin)).err().map(|error| error.record().message.clone()).unwrap_or_default()
    }

    #[test]
    fn a_token_lets_in_once() {
        let tokens = Tokens::default();
        let (token, _) = tokens.issue(Pass::any()).unwrap();
        assert_eq!(token.reveal().len(), 43);
        let admit = tokens.check(token.reveal(), &id("a")).unwrap();
        assert!(tokens.check(token.reveal(), &id("a")).is_ok(), "a look does not use it up");
        assert!(tokens.is_good(&token));
        assert!(tokens.spend(admit.key));
        assert!(!tokens.is_good(&token));
        assert!(!tokens.spend(admit.key));
        assert_eq!(message(&tokens, token.reveal(), "a"), "the token has been used");
    }

    #[test]
    fn a_token_of_a_plugin_is_for_no_other() {
        let tokens = Tokens::default();
        let (token, _) = tokens.issue(Pass::of(id("a"))).unwrap();
        assert_eq!(message(&tokens, token.reveal(), "b"), "the token is for another plugin");
        assert_eq!(message(&tokens, token.reveal(), "a"), "");
    }

    #[test]
    fn a_token_expires() {
        let tokens = Tokens::default();
        let (token, key) = tokens.issue(Pass::any().valid(Duration::ZERO)).unwrap();
        assert_eq!(message(&tokens, token.reveal(), "a"), "the token has expired");
        let (token, _) = tokens.issue(Pass::any()).unwrap();
        assert_eq!(message(&tokens, token.reveal(), "a"), "");
        tokens.expire(key, Duration::from_secs(60));
        assert_eq!(message(&tokens, "guessed", "a"), "unknown token");
        assert_eq!(message(&tokens, "", "a"), "unknown token");
    }

    #[test]
    fn tokens_that_wait_are_bounded_and_make_room_when_they_expire() {
        let tokens = Tokens::default();
        for _ in 0..KEPT {
            tokens.issue(Pass::any().valid(Duration::ZERO)).unwrap();
        }
        tokens.issue(Pass::any()).unwrap();
        assert_eq!(tokens.lock().len(), 1);
        for _ in 1..KEPT {
            tokens.issue(Pass::any()).unwrap();
        }
        assert_eq!(tokens.issue(Pass::any()).map(drop).unwrap_err().code(), Code::LimitExceeded);
    }

    #[test]
    fn nothing_prints_a_token() {
        let (token, _) = Tokens::default().issue(Pass::any()).unwrap();
        assert_eq!(format!("{token:?}"), "Token(…)");
    }
}
