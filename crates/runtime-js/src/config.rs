//! What an operator or embedder may set.

/// Settings of the runtime. A plugin's own limits go before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsConfig {
    /// Memory of one instance in bytes, where `limits.memory` does not say. Default: 64 MiB.
    pub memory: u64,
    /// Stack of one instance in bytes, on the thread of whoever calls, which has to have that much left.
    /// Default: 512 KiB.
    pub stack: usize,
    /// Largest file of source in bytes. Default: 8 MiB.
    pub file: u64,
    /// Most modules of one plugin. Default: 1,000.
    pub modules: usize,
}

impl Default for JsConfig {
    fn default() -> Self {
        Self { memory: 64 << 20, stack: 512 << 10, file: 8 << 20, modules: 1_000 }
    }
}
