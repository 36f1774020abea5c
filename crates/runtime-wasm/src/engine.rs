//! The one wasmtime engine of a runtime: features, pool, and the fallbacks where address space is short.

use midplane_contract::{Code, Error, Result};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::config::WasmConfig;

/// Bytes of stack for a guest that shares an executor: the guest's own limit, and room for host functions above it.
const HOST_STACK: usize = 512 * 1024;

/// Bytes of a freed memory or table that are cleared in place rather than given back: the next instance in that place then
/// meets no page faults. At most 100 places (the pool's warm slots) keep that much.
const KEEP_RESIDENT: usize = 128 * 1024;

/// Stacks for calls that share an executor. An instance keeps the one that it used last.
const FIBERS: u32 = 4_096;

/// Makes the engine. Where the system has no address space for the configured pool, smaller ones are tried, and at
/// last none: instances are then made one by one, which is slower but works.
///
/// # Errors
/// `internal` when the settings contradict each other.
pub(crate) fn make(config: &WasmConfig) -> Result<Engine> {
    let mut last = None;
    for pool in [config.pool, config.pool.min(1_000), config.pool.min(100)] {
        match Engine::new(settings(config).allocation_strategy(pooling(pool))) {
            Ok(engine) => return Ok(engine),
            Err(error) => last = Some(error),
        }
    }
    let reason = last.map(|error| format!("{error:#}")).unwrap_or_default();
    tracing::warn!(reason, "no pool for WebAssembly instances; loading is slower");
    Engine::new(settings(config).allocation_strategy(InstanceAllocationStrategy::OnDemand))
        .map_err(|error| Error::new(Code::Internal, format!("the WebAssembly engine does not start: {error:#}")))
}

fn settings(config: &WasmConfig) -> Config {
    let mut settings = Config::new();
    settings
        .epoch_interruption(true)
        // Component-model async costs every synchronous call 2.6 times its price; see docs/adr/0003-wasm.md.
        .concurrency_support(false)
        // Each loaded module would hold a file descriptor, and a thousand plugins are more than a process may open.
        .memory_init_cow(false)
        .max_wasm_stack(config.stack)
        .async_stack_size(config.stack + HOST_STACK)
        .wasm_memory64(false)
        .wasm_gc(false);
    settings
}

fn pooling(instances: u32) -> InstanceAllocationStrategy {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(instances)
        .total_component_instances(instances)
        .total_memories(instances)
        .total_tables(instances.saturating_mul(2))
        .total_stacks(instances.min(FIBERS))
        .total_gc_heaps(instances.min(100))
        .max_tables_per_module(16)
        .max_memories_per_module(4)
        .max_core_instances_per_component(64)
        .max_memories_per_component(16)
        .max_tables_per_component(64)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        .table_elements(WasmConfig::TABLE_ELEMENTS_CAP as usize)
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(KEEP_RESIDENT);
    InstanceAllocationStrategy::Pooling(pool)
}
