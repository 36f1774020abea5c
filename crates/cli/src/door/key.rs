//! A token on its way to a plugin: printed, or kept in a file.

use std::path::Path;
use std::time::{Duration, Instant};

use midplane::connect::{Host, Pass, Token};
use serde_json::{Value, json};

use crate::args::Wanted;
use crate::exit::{Outcome, Stop};
use crate::save::Save;
use crate::{notice, report};

/// How long a token is good, or as long as it is waited for.
const VALID: Duration = Duration::from_secs(600);
/// Pause after a file could not be written.
const AGAIN: Duration = Duration::from_secs(10);

/// One `--token`.
pub(super) struct Key {
    wanted: Wanted,
    valid: Duration,
    token: Option<Token>,
    /// When the token in the file is replaced, used or not.
    due: Instant,
}

impl Key {
    pub(super) fn new(wanted: Wanted, wait: Duration) -> Self {
        Self { wanted, valid: VALID.max(wait), token: None, due: Instant::now() }
    }

    /// Makes a token, and writes it where it is kept.
    ///
    /// # Errors
    /// The host's, and a file that cannot be written.
    pub(super) fn cut(&mut self, host: &Host) -> Outcome<()> {
        let token = host.issue(Pass::of(self.wanted.id.clone()).valid(self.valid))?;
        if let Some(path) = &self.wanted.file {
            write(path, &token)?;
        }
        // Whoever reads the file has half of the time left.
        self.due = Instant::now() + self.valid / 2;
        self.token = Some(token);
        Ok(())
    }

    /// Replaces a token in a file that was used or is old. A printed one is not replaced: it is good for one connection.
    pub(super) fn renew(&mut self, host: &Host) {
        let Some(path) = self.wanted.file.clone() else { return };
        let good = self.token.as_ref().is_some_and(|token| host.is_good(token));
        let now = Instant::now();
        // After a failure there is no token, only a time to try again.
        if now < self.due && (good || self.token.is_none()) {
            return;
        }
        if let Err(stop) = self.cut(host) {
            (self.token, self.due) = (None, now + AGAIN);
            if let Stop::Failed(error, _) = stop {
                notice::say(&format!(
                    "no token for {} in {}: {}",
                    self.wanted.id,
                    path.display(),
                    report::line(&error)
                ));
            }
        }
    }

    pub(super) fn document(&self) -> Value {
        match &self.wanted.file {
            Some(path) => json!({ "plugin": self.wanted.id, "file": path }),
            None => json!({ "plugin": self.wanted.id, "token": self.revealed() }),
        }
    }

    pub(super) fn row(&self) -> [String; 3] {
        let shown = match &self.wanted.file {
            Some(path) => format!("in {}", path.display()),
            None => self.revealed().to_owned(),
        };
        ["token".to_owned(), self.wanted.id.to_string(), shown]
    }

    fn revealed(&self) -> &str {
        self.token.as_ref().map(Token::reveal).unwrap_or_default()
    }
}

impl Drop for Key {
    /// A file is left only if somebody else has written it meanwhile.
    fn drop(&mut self) {
        let (Some(path), Some(token)) = (&self.wanted.file, &self.token) else { return };
        let ours = path.metadata().is_ok_and(|found| found.is_file())
            && std::fs::read(path).is_ok_and(|content| content.trim_ascii_end() == token.reveal().as_bytes());
        if ours {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn write(path: &Path, token: &Token) -> Outcome<()> {
    let mut save = Save::secret(path)?;
    save.write(format!("{}\n", token.reveal()).as_bytes())?;
    save.finish()
}
