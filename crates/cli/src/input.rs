//! What a call gets: stdin, a file, or JSON that was typed.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use midplane::{Code, Error};

use crate::exit::{Exit, Outcome, Stop};

/// Where an input comes from; decided before anything is loaded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// No bytes.
    Nothing,
    /// All of stdin.
    Stdin,
    /// A file's content.
    File(PathBuf),
    /// The text itself.
    Text(Vec<u8>),
}

impl Input {
    /// Understands `-`, `@FILE`, an existing file, or JSON text, in this order.
    ///
    /// # Errors
    /// Usage, saying what was tried, where it is none of these; not found for `@FILE` that is not there.
    pub(crate) fn parse(written: Option<&OsStr>) -> Outcome<Self> {
        let Some(written) = written else { return Ok(Self::Nothing) };
        if written == "-" {
            return Ok(Self::Stdin);
        }
        let bytes = written.as_encoded_bytes();
        if let Some(path) = written.to_str().and_then(|text| text.strip_prefix('@')) {
            return existing(Path::new(path)).map(Self::File);
        }
        let path = Path::new(written);
        if path.exists() {
            return Ok(Self::File(path.to_path_buf()));
        }
        match serde_json::from_slice::<serde::de::IgnoredAny>(bytes) {
            Ok(_) => Ok(Self::Text(bytes.to_vec())),
            Err(error) => {
                let shown = written.to_string_lossy();
                let message =
                    format!("`{shown}` is neither a file nor JSON: no file {}; as JSON: {error}", from_here(path));
                Err(Stop::usage(message, "name an existing file, write JSON, or `-` for stdin"))
            }
        }
    }

    /// Reads it all, at most `cap` bytes. Blocks on stdin until that ends.
    ///
    /// # Errors
    /// Usage when it is larger; `permission_denied` or `io` when it cannot be read.
    pub(crate) fn read(&self, cap: u64) -> Outcome<Vec<u8>> {
        match self {
            Self::Nothing => Ok(Vec::new()),
            Self::Text(text) => Ok(text.clone()),
            Self::Stdin => bounded(io::stdin().lock(), "stdin", cap),
            Self::File(path) => file(path, cap),
        }
    }
}

/// The content of a file, at most `cap` bytes.
///
/// # Errors
/// As [`Input::read`], and not found.
pub(crate) fn file(path: &Path, cap: u64) -> Outcome<Vec<u8>> {
    let path = existing(path)?;
    let opened = File::open(&path).map_err(|error| unreadable(&path.display().to_string(), &error))?;
    bounded(opened, &path.display().to_string(), cap)
}

/// Sees that a file is there and can be opened.
///
/// # Errors
/// As [`file()`].
pub(crate) fn readable(path: &Path) -> Outcome<()> {
    let path = existing(path)?;
    File::open(&path).map(drop).map_err(|error| unreadable(&path.display().to_string(), &error))
}

fn existing(path: &Path) -> Outcome<PathBuf> {
    match path.metadata() {
        Ok(found) if found.is_dir() => Err(Stop::usage(format!("{} is a folder", path.display()), "name a file in it")),
        Ok(_) => Ok(path.to_path_buf()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Stop::not_found(format!("there is no file {}", from_here(path)), "check the path"))
        }
        Err(error) => Err(unreadable(&path.display().to_string(), &error)),
    }
}

/// A path as it was tried: whole, so that a wrong working folder shows.
fn from_here(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()).display().to_string()
}

fn bounded(source: impl Read, name: &str, cap: u64) -> Outcome<Vec<u8>> {
    let mut content = Vec::new();
    source.take(cap.saturating_add(1)).read_to_end(&mut content).map_err(|error| unreadable(name, &error))?;
    if content.len() as u64 > cap {
        let error =
            Error::new(Code::LimitExceeded, format!("{name} has more than the {cap} bytes that a call may have"))
                .remedy("send less, or raise limits.payload in the plugin's manifest")
                .with("which", "payload")
                .with("limit", cap);
        return Err(Stop::Failed(error, Exit::Usage));
    }
    Ok(content)
}

/// What a file that cannot be read comes to.
pub(crate) fn unreadable(name: &str, error: &io::Error) -> Stop {
    let (code, remedy) = match error.kind() {
        io::ErrorKind::PermissionDenied => (Code::PermissionDenied, "let this user read it"),
        _ => (Code::Io, "see whether it is there and can be read"),
    };
    Error::new(code, format!("{name} cannot be read: {error}")).remedy(remedy).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Outcome<Input> {
        Input::parse(Some(OsStr::new(text)))
    }

    fn message(outcome: Outcome<Input>) -> (String, Exit) {
        match outcome {
            Err(Stop::Failed(error, exit)) => (error.record().message.clone(), exit),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn inputs_are_told_apart() {
        assert_eq!(Input::parse(None).unwrap(), Input::Nothing);
        assert_eq!(parsed("-").unwrap(), Input::Stdin);
        assert_eq!(parsed("Cargo.toml").unwrap(), Input::File("Cargo.toml".into()));
        assert_eq!(parsed("@Cargo.toml").unwrap(), Input::File("Cargo.toml".into()));
        assert_eq!(parsed("{\"a\": 1}").unwrap(), Input::Text(b"{\"a\": 1}".to_vec()));
        assert_eq!(parsed("\"text\"").unwrap(), Input::Text(b"\"text\"".to_vec()));
    }

    #[test]
    fn what_is_neither_says_what_was_tried() {
        let (text, exit) = message(parsed("nothing-here.json"));
        assert_eq!(exit, Exit::Usage);
        assert!(text.contains("no file /") && text.contains("as JSON"), "{text}");
        let (text, exit) = message(parsed("@nothing-here.json"));
        assert_eq!(exit, Exit::NotFound);
        assert!(text.contains("/nothing-here.json"), "{text}");
        assert_eq!(message(parsed("@src")).1, Exit::Usage);
    }

    #[test]
    fn a_larger_input_than_allowed_is_refused() {
        assert_eq!(bounded(&b"1234"[..], "stdin", 4).unwrap(), b"1234");
        assert!(matches!(bounded(&b"12345"[..], "stdin", 4), Err(Stop::Failed(error, Exit::Usage))
            if error.code() == Code::LimitExceeded));
    }
}
