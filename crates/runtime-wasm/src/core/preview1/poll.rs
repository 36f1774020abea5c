//! `poll_oneoff`: sleeping. There is nothing else to wait for.

use std::thread;
use std::time::{Duration, Instant};

use midplane_contract::{Code, Error, Result};
use midplane_kernel::Deadline;

use super::{EBADF, EINVAL, Errno, Guest, SUCCESS, number, put, time};
use crate::core::imports::memory;
use crate::state::Stop;
use crate::ticker::TICK;

/// Things that may be waited for at once.
const SUBSCRIPTIONS: u32 = 256;
/// Bytes of a subscription and of an event.
const SUBSCRIPTION: u32 = 48;
const EVENT: u32 = 32;

/// One thing to wait for.
struct Wanted {
    token: [u8; 8],
    kind: u8,
    /// Nanoseconds from here on, of a clock; `None` for a descriptor, which is none of ours.
    left: Option<u64>,
}

/// `poll_oneoff`.
pub(super) fn wait(guest: &mut Guest<'_>, from: u32, to: u32, count: u32, at: u32) -> Errno {
    if count == 0 || count > SUBSCRIPTIONS {
        return Ok(EINVAL);
    }
    let mut all = Vec::new();
    for position in 0..count {
        all.push(read(guest, from.wrapping_add(SUBSCRIPTION * position))?);
    }
    let shortest = all.iter().map(|wanted| wanted.left.unwrap_or(0)).min().unwrap_or(0);
    sleep(guest, Duration::from_nanos(shortest))?;
    let mut events = 0_u32;
    for wanted in all.iter().filter(|wanted| wanted.left.unwrap_or(0) <= shortest) {
        let mut event = Vec::from(wanted.token);
        let error = if wanted.left.is_some() { SUCCESS } else { EBADF };
        event.extend(u16::try_from(error).unwrap_or_default().to_le_bytes());
        event.push(wanted.kind);
        event.resize(EVENT as usize, 0);
        put(guest, to.wrapping_add(EVENT * events), &event)?;
        events += 1;
    }
    put(guest, at, &events.to_le_bytes())?;
    Ok(SUCCESS)
}

fn read(guest: &mut Guest<'_>, at: u32) -> Result<Wanted> {
    const CLOCK: u8 = 0;
    const ABSOLUTE: u16 = 1;
    let (memory, _) = memory(guest)?;
    let token = number(memory, at)?;
    let [kind] = number(memory, at.wrapping_add(8))?;
    if kind != CLOCK {
        return Ok(Wanted { token, kind, left: None });
    }
    let clock = u32::from_le_bytes(number(memory, at.wrapping_add(16))?);
    let timeout = u64::from_le_bytes(number(memory, at.wrapping_add(24))?);
    let flags = u16::from_le_bytes(number(memory, at.wrapping_add(40))?);
    let now = time(clock).ok_or_else(|| Error::new(Code::NotSupported, format!("there is no clock {clock}")))?;
    let left = if flags & ABSOLUTE == 0 { timeout } else { timeout.saturating_sub(now) };
    Ok(Wanted { token, kind, left: Some(left) })
}

/// Sleeps, and looks as often as at code that runs whether the call still has time.
fn sleep(guest: &mut Guest<'_>, time: Duration) -> wasmtime::Result<()> {
    let state = guest.data_mut();
    let deadline = state.deadline.instant();
    state.deadline = Deadline::At(deadline);
    let start = Instant::now();
    loop {
        if state.beat.is_stopped() {
            return Err(Stop::Cancelled.into());
        }
        if Instant::now() >= deadline {
            return Err(Stop::Deadline.into());
        }
        let left = time.saturating_sub(start.elapsed());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(TICK));
    }
}
