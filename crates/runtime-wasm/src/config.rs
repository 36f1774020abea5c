//! What an operator can set for all WebAssembly plugins of a process.

use midplane_contract::defaults;

/// Settings of a [`crate::WasmRuntime`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WasmConfig {
    /// Core instances that can live at once in this process. A core plugin's instance is one, a component's about
    /// three. Costs address space (4 GiB each), not memory.
    pub pool: u32,
    /// Instances of one plugin at most; one more is `limit_exceeded`.
    pub instances_per_plugin: u32,
    /// Linear memory of an instance in bytes, where the plugin's limits name none.
    pub memory: u64,
    /// Table elements of an instance, where the plugin's limits name none. At most [`WasmConfig::TABLE_ELEMENTS_CAP`].
    pub table_elements: u32,
    /// Stack of the guest's code in bytes; deeper recursion is `trapped`.
    pub stack: usize,
    /// Imports that core modules may use, as `module.name`. What is not named refuses the module.
    pub allowed_imports: Vec<String>,
    /// Largest file in bytes.
    pub file: u64,
}

impl WasmConfig {
    /// No plugin may ask for more table elements than this.
    pub const TABLE_ELEMENTS_CAP: u32 = 100_000;

    /// Settings for a process that hosts one plugin.
    #[must_use]
    pub fn for_one_plugin() -> Self {
        Self { pool: 256, ..Self::default() }
    }
}

impl Default for WasmConfig {
    fn default() -> Self {
        Self {
            pool: 12_000,
            instances_per_plugin: defaults::WASM_INSTANCES,
            memory: defaults::WASM_MEMORY,
            table_elements: 20_000,
            stack: 512 * 1024,
            allowed_imports: crate::core::imports::all().collect(),
            file: 100 * 1024 * 1024,
        }
    }
}
