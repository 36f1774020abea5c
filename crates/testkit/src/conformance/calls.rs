//! Calls that go well.

use midplane_kernel::{CallOptions, block_on};
use serde_json::json;

use super::site::{Site, told};
use super::{Outcome, ensure};

const MIB: usize = 1024 * 1024;

pub(super) fn call(site: &Site<'_>) -> Outcome {
    let id = site.load("called")?;
    site.echoes(&id, b"a\0b\xff")?;
    let counts = site.kernel.slot(&id).map_err(told)?.counts();
    ensure!((counts.calls, counts.errors) == (2, 0), "two calls are counted as {counts:?}");
    Ok(())
}

pub(super) fn empty_and_large(site: &Site<'_>) -> Outcome {
    let id = site.load("sized")?;
    site.echoes(&id, b"")?;
    let large: Vec<u8> = (0..16 * MIB).map(|at| u8::try_from(at % 251).unwrap_or_default()).collect();
    site.echoes(&id, &large)?;
    // The instance is as good as before.
    site.echoes(&id, b"small")
}

pub(super) fn chunked(site: &Site<'_>) -> Outcome {
    const COUNT: usize = 40;
    const SIZE: usize = 70_000;
    let id = site.load("chunked")?;
    let input = json!({ "count": COUNT, "size": SIZE }).to_string();
    let expected: Vec<u8> =
        (0..COUNT).flat_map(|number| vec![u8::try_from(number).unwrap_or_default(); SIZE]).collect();
    let mut stream =
        block_on(site.action(&id, "chunks")?.stream(input.clone(), CallOptions::default())).map_err(told)?;
    let (mut received, mut chunks) = (Vec::new(), 0);
    while let Some(chunk) = stream.next_blocking() {
        received.extend_from_slice(&chunk.map_err(told)?);
        chunks += 1;
    }
    ensure!(received == expected, "{} bytes came through the stream, not {}", received.len(), expected.len());
    ensure!(chunks > 1, "{COUNT} chunks came as one");
    let whole = site.call(&id, "chunks", input).map_err(told)?;
    ensure!(whole == expected, "a call for one reply brought {} bytes, not {}", whole.len(), expected.len());
    Ok(())
}
