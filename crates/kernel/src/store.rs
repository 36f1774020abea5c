//! The seam behind which durable things lie: tables of text keys and byte values, changed one whole change at a time.

mod memory;

use std::fmt;
use std::sync::Arc;

use midplane_contract::Result;

pub use memory::Memory;

/// Tables that outlive the process, or act as if they did. Every method blocks on the disk.
///
/// Several hosts may have the same store open: what one has changed, the others see at their next look.
pub trait Store: Send + Sync {
    /// The value of a key.
    ///
    /// # Errors
    /// `storage`, with the file and what to do.
    fn get(&self, table: &str, key: &str) -> Result<Option<Vec<u8>>>;

    /// The keys that begin with a prefix, in the order of their bytes, with their values.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn scan(&self, table: &str, prefix: &str) -> Result<Vec<(String, Vec<u8>)>>;

    /// Makes one change: all that the work does when it answers `Ok`, nothing at all otherwise. Nobody else changes
    /// anything meanwhile, in other processes neither. The work may be done more than once, each time from the start.
    ///
    /// # Errors
    /// The work's own; `storage` when nothing could be written, and then nothing was.
    fn change(&self, work: &mut Work<'_>) -> Result<()>;
}

/// What a change does.
pub type Work<'a> = dyn FnMut(&mut dyn Change) -> Result<()> + 'a;

/// A change under way. It sees what it has done itself.
pub trait Change {
    /// As [`Store::get`].
    ///
    /// # Errors
    /// `storage`.
    fn get(&self, table: &str, key: &str) -> Result<Option<Vec<u8>>>;

    /// As [`Store::scan`].
    ///
    /// # Errors
    /// `storage`.
    fn scan(&self, table: &str, prefix: &str) -> Result<Vec<(String, Vec<u8>)>>;

    /// Writes a value.
    ///
    /// # Errors
    /// `storage`.
    fn put(&mut self, table: &str, key: &str, value: &[u8]) -> Result<()>;

    /// Removes a key; one that is not there is no error.
    ///
    /// # Errors
    /// `storage`.
    fn remove(&mut self, table: &str, key: &str) -> Result<()>;
}

/// The two stores of a host.
#[derive(Clone)]
pub struct Stores {
    /// Grants, plugins' state, versions, installed records: what cannot be had again.
    pub state: Arc<dyn Store>,
    /// What the plugin folders hold: found anew by scanning them.
    pub catalog: Arc<dyn Store>,
}

impl Default for Stores {
    /// In memory: gone with the kernel.
    fn default() -> Self {
        Self { state: Arc::new(Memory::default()), catalog: Arc::new(Memory::default()) }
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stores")
    }
}
