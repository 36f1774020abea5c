//! Secrets: read where a reference says, handed to the plugin, and shown to nobody else.
//!
//! What was read is remembered in this process, since logs are the process's as well: [`mask`] puts stars in its place.
//! The kernel masks plugins' log lines, the errors of plugins and the configuration that it shows; a program that writes
//! other logs masks its lines.

mod known;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use midplane_contract::{Code, Error, Result, SecretRef};
use serde_json::{Map, Value};

use crate::discover::open_file;

/// Longest secret, in bytes.
pub const SECRET_SIZE: usize = 64 * 1024;
/// What stands where a secret would.
pub const STARS: &str = "******";

/// The text with stars for every secret that was read in this process, and for each of its lines.
#[must_use]
pub fn mask(text: &str) -> Cow<'_, str> {
    known::mask(text)
}

/// The value with stars for secrets in its texts and names.
#[must_use]
pub fn mask_value(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(mask(&text).into_owned()),
        Value::Array(items) => items.into_iter().map(mask_value).collect(),
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(key, value)| (mask(&key).into_owned(), mask_value(value))).collect())
        }
        other => other,
    }
}

/// The error with stars for secrets.
pub(crate) fn mask_error(error: Error) -> Error {
    if known::is_empty() {
        return error;
    }
    let masked = serde_json::to_value(&error).ok().and_then(|json| serde_json::from_value(mask_value(json)).ok());
    masked.unwrap_or_else(|| Error::new(error.code(), "the error cannot be shown without a secret"))
}

/// The secrets of the settings, by name.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    places: RwLock<BTreeMap<String, SecretRef>>,
}

impl Secrets {
    pub(crate) fn new(places: BTreeMap<String, SecretRef>) -> Self {
        Self { places: RwLock::new(places) }
    }

    pub(crate) fn set(&self, places: BTreeMap<String, SecretRef>) {
        *self.places.write().unwrap_or_else(PoisonError::into_inner) = places;
    }

    /// A secret of the settings by its name.
    ///
    /// # Errors
    /// `invalid_input` for a name that the settings do not have, and those of reading it.
    pub(crate) fn named(&self, name: &str) -> Result<String> {
        let place = self.places.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        match place {
            Some(place) => read(&place),
            None => Err(Error::new(Code::InvalidInput, format!("there is no secret `{name}`"))
                .remedy(format!("name its place in the settings: `secrets: {{{name}: env:VARIABLE}}`"))),
        }
    }

    /// The configuration with its secrets in place of what stands for them. All that cannot be read is told at once.
    ///
    /// # Errors
    /// `config_invalid` with `data.faults`.
    pub(crate) fn resolve(&self, config: &Map<String, Value>) -> Result<Map<String, Value>> {
        let mut config = Value::Object(config.clone());
        let mut faults = Vec::new();
        self.put(&mut config, "", &mut faults);
        let message = match faults.as_slice() {
            [] => return Ok(config.as_object().cloned().unwrap_or_default()),
            [(path, one)] => format!("{path}: {one}"),
            many => many.iter().fold(format!("{} secrets cannot be read", many.len()), |text, (path, fault)| {
                format!("{text}\n{path}: {fault}")
            }),
        };
        let faults: Vec<Value> =
            faults.iter().map(|(path, message)| serde_json::json!({"path": path, "message": message})).collect();
        Err(Error::new(Code::ConfigInvalid, message)
            .remedy("set the variable, write the file, or correct `{secret: …}`")
            .with("faults", faults))
    }

    fn put(&self, value: &mut Value, path: &str, faults: &mut Vec<(String, String)>) {
        if let Some(place) = SecretRef::in_value(value) {
            match place
                .map_err(|error| error.to_string())
                .and_then(|place| self.read(&place).map_err(|error| error.record().message.clone()))
            {
                Ok(secret) => *value = Value::String(secret),
                Err(fault) => faults.push((path.to_owned(), fault)),
            }
            return;
        }
        match value {
            Value::Array(items) => {
                for (number, item) in items.iter_mut().enumerate() {
                    self.put(item, &format!("{path}/{number}"), faults);
                }
            }
            Value::Object(map) => {
                for (key, value) in map {
                    let step = key.replace('~', "~0").replace('/', "~1");
                    self.put(value, &format!("{path}/{step}"), faults);
                }
            }
            _ => {}
        }
    }

    fn read(&self, place: &SecretRef) -> Result<String> {
        match place {
            SecretRef::Named(name) => self.named(name),
            place => read(place),
        }
    }
}

/// Reads a secret of the environment or of a file, and remembers it for [`mask`].
///
/// # Errors
/// `config_invalid`, with the place and why nothing can be read there. A name alone is no place.
pub fn read(place: &SecretRef) -> Result<String> {
    let secret = match place {
        SecretRef::Env(name) => std::env::var(name).map_err(|error| match error {
            std::env::VarError::NotPresent => unreadable(place, "the variable is not set"),
            std::env::VarError::NotUnicode(_) => unreadable(place, "the variable is not UTF-8 text"),
        })?,
        SecretRef::File(path) => of_file(place, path)?,
        SecretRef::Named(_) => return Err(unreadable(place, "it is a name, and no place")),
    };
    // A file that is just being written, a variable that somebody forgot: never what is meant.
    if secret.is_empty() {
        return Err(unreadable(place, "it is empty"));
    }
    known::remember(&secret);
    Ok(secret)
}

fn of_file(place: &SecretRef, path: &Path) -> Result<String> {
    let mut text = String::new();
    let read = open_file(path).and_then(|file| file.take(SECRET_SIZE as u64 + 1).read_to_string(&mut text));
    let length = read.map_err(|error| unreadable(place, &error.to_string()))?;
    if length > SECRET_SIZE {
        return Err(unreadable(place, "it has more than 64 KiB"));
    }
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    Ok(secret.strip_suffix('\r').unwrap_or(secret).to_owned())
}

fn unreadable(place: &SecretRef, why: &str) -> Error {
    Error::new(Code::ConfigInvalid, format!("the secret {place} cannot be read: {why}"))
        .remedy("set the variable, or write the file, for the user that the host runs as")
}
