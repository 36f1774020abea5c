//! Holds a store to its memory and table limits, and remembers what it denied.

use midplane_contract::{Code, Error};
use wasmtime::ResourceLimiter;

/// Core instances within one plugin instance (a component has one per module and a few for glue).
const INSTANCES: usize = 64;
const TABLES: usize = 64;
const MEMORIES: usize = 16;

/// The limits of one store, and what is in use.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory_limit: u64,
    memory: u64,
    tables_limit: u64,
    tables: u64,
    denied: Option<Denied>,
}

/// What a guest wanted and did not get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// So many bytes of memory in all.
    Memory(u64),
    /// So many table elements in all.
    Tables(u64),
}

impl Limiter {
    pub(crate) fn new(memory: u64, tables: u32) -> Self {
        Self { memory_limit: memory, memory: 0, tables_limit: u64::from(tables), tables: 0, denied: None }
    }

    /// Bytes of linear memory in use.
    pub(crate) fn memory(&self) -> u64 {
        self.memory
    }

    /// Forgets what was denied: a call begins.
    #[inline]
    pub(crate) fn begin(&mut self) {
        self.denied = None;
    }

    /// The typed error of what was denied since the call began.
    pub(crate) fn error(&self) -> Option<Error> {
        Some(match self.denied? {
            Denied::Memory(wanted) => {
                let text = format!("memory quota exceeded: {wanted} > {} bytes", self.memory_limit);
                Error::new(Code::MemoryLimit, text)
                    .remedy("raise limits.memory, or give the plugin smaller inputs")
                    .with("limit", self.memory_limit)
                    .with("used", self.memory)
                    .with("wanted", wanted)
            }
            Denied::Tables(wanted) => {
                let text = format!("table limit exceeded: {wanted} > {} elements", self.tables_limit);
                Error::new(Code::LimitExceeded, text)
                    .remedy("raise limits.table_elements")
                    .with("which", "table_elements")
                    .with("limit", self.tables_limit)
            }
        })
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, now: usize, wanted: usize, max: Option<usize>) -> wasmtime::Result<bool> {
        // Beyond what the module itself declares: its own affair, not our limit.
        if max.is_some_and(|max| wanted > max) {
            return Ok(false);
        }
        let total = self.memory.saturating_add((wanted as u64).saturating_sub(now as u64));
        if total > self.memory_limit {
            self.denied = Some(Denied::Memory(total));
            return Ok(false);
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(&mut self, now: usize, wanted: usize, max: Option<usize>) -> wasmtime::Result<bool> {
        if max.is_some_and(|max| wanted > max) {
            return Ok(false);
        }
        let total = self.tables.saturating_add((wanted as u64).saturating_sub(now as u64));
        if total > self.tables_limit {
            self.denied = Some(Denied::Tables(total));
            return Ok(false);
        }
        self.tables = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        INSTANCES
    }

    fn tables(&self) -> usize {
        TABLES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }
}
