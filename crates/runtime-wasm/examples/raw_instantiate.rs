//! The raw limit of WebAssembly loads, for the bench: wasmtime reads compiled code, makes an instance of the component
//! and calls one of its exports. Gets numbers of repetitions on its input, a line each, and answers each with the
//! nanoseconds that it took up to the end of the call.

use std::io::BufRead;
use std::time::{Duration, Instant};

use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, Result, Store, error::Context};

fn main() -> Result<()> {
    let file = std::env::args_os().nth(1).context("which component?")?;
    let pool = InstanceAllocationStrategy::pooling();
    let engine = Engine::new(Config::new().concurrency_support(false).allocation_strategy(pool))?;
    let compiled = engine.precompile_component(&std::fs::read(file)?)?;
    let cached = std::env::temp_dir().join(format!("raw-instantiate-{}", std::process::id()));
    std::fs::write(&cached, compiled)?;
    for line in std::io::stdin().lock().lines() {
        let times: u64 = line?.trim().parse()?;
        let mut took = Duration::ZERO;
        for _ in 0..times {
            let started = Instant::now();
            // SAFETY: this program wrote the file itself, with the same engine.
            let component = unsafe { Component::deserialize_file(&engine, &cached) }?;
            let (called, _store) = call(&engine, &component)?;
            took += called - started;
        }
        println!("{}", took.as_nanos());
    }
    std::fs::remove_file(cached)?;
    Ok(())
}

/// When the call had ended; its store, for its end is not measured.
fn call(engine: &Engine, component: &Component) -> Result<(Instant, Store<()>)> {
    let mut linker = Linker::new(engine);
    linker.define_unknown_imports_as_traps(component)?;
    let mut store = Store::new(engine, ());
    let instance = linker.instantiate(&mut store, component)?;
    let world = instance.get_export_index(&mut store, None, "midplane:plugin/guest@1.0.0").context("the world")?;
    let resolve = instance.get_export_index(&mut store, Some(&world), "resolve-action").context("an export")?;
    let resolve = instance.get_typed_func::<(&str,), (Option<u32>,)>(&mut store, &resolve)?;
    resolve.call(&mut store, ("echo",))?.0.context("the action echo")?;
    Ok((Instant::now(), store))
}
