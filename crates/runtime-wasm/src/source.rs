//! The WebAssembly file of a plugin: what it is, without reading it again while it stays as it is.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use midplane_contract::{Code, Error, Result};

use crate::cache::{Hash256, content_hash};
use crate::header::{Format, format};
use crate::stamp::{Stamp, Stamps};

/// What a file is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    pub(crate) format: Format,
    pub(crate) hash: Hash256,
    pub(crate) size: u64,
}

/// Looks at files, and remembers what it saw: reading and hashing a file takes longer than everything else about a load
/// of compiled code.
#[derive(Default)]
pub(crate) struct Sources(Stamps<Identity>);

/// An open file.
pub(crate) struct Source<'a> {
    path: &'a Path,
    file: File,
    stamp: Stamp,
    most: u64,
    /// Its content, once it was read.
    bytes: Option<Vec<u8>>,
}

impl<'a> Source<'a> {
    /// Opens a file of at most so many bytes.
    ///
    /// # Errors
    /// `io`, and `limit_exceeded` when it is larger.
    pub(crate) fn open(path: &'a Path, most: u64) -> Result<Self> {
        let opened = File::open(path).and_then(|file| Stamp::of(&file).map(|stamp| (file, stamp)));
        let (file, stamp) = opened.map_err(|error| unreadable(path, &error))?;
        if stamp.size() > most {
            return Err(too_large(path, most));
        }
        Ok(Self { path, file, stamp, most, bytes: None })
    }

    /// The whole content.
    ///
    /// # Errors
    /// As [`Source::open`].
    pub(crate) fn bytes(&mut self) -> Result<&[u8]> {
        if self.bytes.is_none() {
            let mut bytes = Vec::with_capacity(usize::try_from(self.stamp.size()).unwrap_or(0));
            let read = (&self.file).take(self.most + 1).read_to_end(&mut bytes);
            read.map_err(|error| unreadable(self.path, &error))?;
            // It may have grown since it was opened.
            if bytes.len() as u64 > self.most {
                return Err(too_large(self.path, self.most));
            }
            self.bytes = Some(bytes);
        }
        Ok(self.bytes.as_deref().unwrap_or_default())
    }

    /// Whether the file is still as it was when it was opened.
    fn is_unchanged(&self) -> bool {
        Stamp::of(&self.file).is_ok_and(|now| now == self.stamp)
    }
}

impl Sources {
    /// What a file is.
    ///
    /// # Errors
    /// `not_a_plugin` for what is no WebAssembly, and as [`Source::open`].
    pub(crate) fn identify(&self, source: &mut Source<'_>) -> Result<Identity> {
        let stamp = source.stamp;
        if let Some(known) = self.0.get(&stamp) {
            return Ok(known);
        }
        let bytes = source.bytes()?;
        let identity = Identity { format: format(bytes)?, hash: content_hash(bytes), size: bytes.len() as u64 };
        if source.is_unchanged() {
            self.0.remember(stamp, identity);
        }
        Ok(identity)
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::Io, format!("{} cannot be read", path.display()))
        .remedy("check the path in `entry.main` and who may read the file")
        .caused_by(error)
}

fn too_large(path: &Path, most: u64) -> Error {
    Error::new(Code::LimitExceeded, format!("{} has more than {most} bytes", path.display()))
        .remedy("build it smaller (strip it, optimize for size)")
        .with("which", "file")
        .with("limit", most)
}
