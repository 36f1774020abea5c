//! Actions that take memory, time or many chunks.

use midplane_sdk::prelude::*;
use serde::Deserialize;

use crate::Probe;

const MIB: usize = 1024 * 1024;

/// Smaller than any page, so that touching one byte of each stretch touches every page.
const PAGE: usize = 4096;

/// Input of `allocate`.
#[derive(Debug, Deserialize)]
struct Allocate {
    mib: usize,
    /// Keeps the memory until the instance ends.
    #[serde(default)]
    keep: bool,
}

/// Input of `chunks`.
#[derive(Debug, Deserialize)]
struct Chunks {
    count: usize,
    size: usize,
}

/// Input of `sleep`.
#[derive(Debug, Deserialize)]
struct Sleep {
    ms: u64,
}

pub(crate) fn define(definition: Definition<Probe>) -> Definition<Probe> {
    definition
        .action("allocate", |probe, Json(wanted): Json<Allocate>, _| allocate(probe, &wanted))
        .describe("{mib, keep?}: takes that much memory and touches all of it; answers {bytes, pages}")
        .raw("chunks", |_, input, reply, _| {
            let wanted: Chunks =
                serde_json::from_slice(input).map_err(|error| Error::invalid_input(error.to_string()))?;
            (0..wanted.count).try_for_each(|number| reply.write(&chunk(number, wanted.size)))
        })
        .describe("{count, size}: replies in so many writes; every byte of chunk n is n modulo 256")
        .action("sleep", |_, Json(sleep): Json<Sleep>, _| self::sleep(sleep.ms))
        .describe("{ms}: sleeps; not in WebAssembly")
}

fn allocate(probe: &mut Probe, wanted: &Allocate) -> Result<Json<Value>> {
    let bytes = wanted.mib.saturating_mul(MIB);
    let mut memory = vec![0_u8; bytes];
    let mut pages = 0_usize;
    for page in memory.chunks_mut(PAGE) {
        if let Some(byte) = page.first_mut() {
            *byte = std::hint::black_box(1);
            pages += usize::from(std::hint::black_box(*byte));
        }
    }
    if wanted.keep {
        probe.kept.push(memory);
    }
    Ok(Json(json!({ "bytes": bytes, "pages": pages })))
}

fn chunk(number: usize, size: usize) -> Vec<u8> {
    vec![u8::try_from(number % 256).unwrap_or_default(); size]
}

#[cfg(not(target_family = "wasm"))]
#[expect(clippy::unnecessary_wraps, reason = "WebAssembly builds refuse")]
fn sleep(milliseconds: u64) -> Result<()> {
    std::thread::sleep(std::time::Duration::from_millis(milliseconds));
    Ok(())
}

#[cfg(target_family = "wasm")]
fn sleep(_: u64) -> Result<()> {
    Err(Error::new("not_supported", "a WebAssembly probe cannot sleep; use hang"))
}
