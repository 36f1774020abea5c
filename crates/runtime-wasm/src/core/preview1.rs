//! WASI preview 1, as compilers' standard libraries import it (Go's `wasip1`, wasi-libc), and nothing behind it.
//!
//! The world that it shows is empty: no arguments, no environment, no folders, no sockets. What is written to standard
//! output and error goes to the plugin's log line by line, standard input is at its end. Clocks tell the time and random
//! bytes are random, as the host API gives both to everybody. Sleeping ends with the call's time. Everything about any
//! other descriptor is `EBADF`. Shapes and layouts: `wasi_snapshot_preview1.witx`.

mod poll;
mod printed;

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use midplane_contract::{Code, Error, Result};
use wasmtime::{Caller, FuncType, Linker, Val, ValType};

use crate::core::imports::memory;
use crate::core::packed::{slice, slice_mut};
use crate::state::GuestState;

pub(crate) use printed::Printed;

/// The module that the functions are imported from.
pub(crate) const MODULE: &str = "wasi_snapshot_preview1";

const SUCCESS: i32 = 0;
const EBADF: i32 = 8;
const EINVAL: i32 = 28;

/// Functions that answer `EBADF` whatever they are asked: name and parameters, `i` for 32 bits and `l` for 64.
const EMPTY: [(&str, &str); 32] = [
    ("fd_advise", "illi"),
    ("fd_allocate", "ill"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "ill"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "il"),
    ("fd_filestat_set_times", "illi"),
    ("fd_pread", "iiili"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_prestat_get", "ii"),
    ("fd_pwrite", "iiili"),
    ("fd_readdir", "iiili"),
    ("fd_renumber", "ii"),
    ("fd_seek", "ilii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiilli"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiillii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
];

/// Functions that do something.
const GIVEN: [&str; 13] = [
    "args_get",
    "args_sizes_get",
    "clock_res_get",
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_fdstat_get",
    "fd_read",
    "fd_write",
    "poll_oneoff",
    "proc_exit",
    "random_get",
    "sched_yield",
];

/// The names of all functions.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    GIVEN.into_iter().chain(EMPTY.into_iter().map(|(name, _)| name))
}

type Guest<'a> = Caller<'a, GuestState>;
type Errno = wasmtime::Result<i32>;

/// Makes the functions.
pub(crate) fn link(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    for (name, shape) in EMPTY {
        let parameters = shape.chars().map(|letter| if letter == 'l' { ValType::I64 } else { ValType::I32 });
        let shape = FuncType::new(linker.engine(), parameters, [ValType::I32]);
        linker.func_new(MODULE, name, shape, |_, _, results| {
            if let Some(result) = results.first_mut() {
                *result = Val::I32(EBADF);
            }
            Ok(())
        })?;
    }
    for name in ["args_get", "environ_get"] {
        linker.func_wrap(MODULE, name, |_: u32, _: u32| SUCCESS)?;
    }
    for name in ["args_sizes_get", "environ_sizes_get"] {
        linker.func_wrap(MODULE, name, |mut guest: Guest<'_>, count: u32, size: u32| -> Errno {
            put(&mut guest, count, &0_u32.to_le_bytes())?;
            put(&mut guest, size, &0_u32.to_le_bytes())?;
            Ok(SUCCESS)
        })?;
    }
    linker.func_wrap(MODULE, "clock_res_get", |mut guest: Guest<'_>, _: u32, at: u32| -> Errno {
        put(&mut guest, at, &1_u64.to_le_bytes())?;
        Ok(SUCCESS)
    })?;
    linker.func_wrap(MODULE, "clock_time_get", |mut guest: Guest<'_>, clock: u32, _: u64, at: u32| -> Errno {
        let Some(time) = time(clock) else { return Ok(EINVAL) };
        put(&mut guest, at, &time.to_le_bytes())?;
        Ok(SUCCESS)
    })?;
    linker.func_wrap(MODULE, "fd_fdstat_get", |mut guest: Guest<'_>, fd: u32, at: u32| describe(&mut guest, fd, at))?;
    linker.func_wrap(MODULE, "fd_read", |mut guest: Guest<'_>, fd: u32, _: u32, _: u32, at: u32| -> Errno {
        if fd != 0 {
            return Ok(EBADF);
        }
        put(&mut guest, at, &0_u32.to_le_bytes())?;
        Ok(SUCCESS)
    })?;
    linker.func_wrap(MODULE, "fd_write", |mut guest: Guest<'_>, fd: u32, from: u32, count: u32, at: u32| {
        printed::write(&mut guest, fd, from, count, at)
    })?;
    linker.func_wrap(MODULE, "poll_oneoff", |mut guest: Guest<'_>, from: u32, to: u32, count: u32, at: u32| {
        poll::wait(&mut guest, from, to, count, at)
    })?;
    linker.func_wrap(MODULE, "proc_exit", |code: i32| -> wasmtime::Result<()> {
        Err(wasmtime::Error::msg(format!("it ended itself with exit code {code}")))
    })?;
    linker.func_wrap(MODULE, "random_get", |mut guest: Guest<'_>, at: u32, len: u32| -> Errno {
        let (memory, _) = memory(&mut guest)?;
        let bytes = slice_mut(memory, at, len, "random_get")?;
        getrandom::fill(bytes).map_err(|error| Error::new(Code::Io, format!("the system gives no chance: {error}")))?;
        Ok(SUCCESS)
    })?;
    linker.func_wrap(MODULE, "sched_yield", || SUCCESS)?;
    Ok(())
}

/// Nanoseconds of a clock: 0 is the wall's, 1 the monotonic one.
fn time(clock: u32) -> Option<u64> {
    static START: OnceLock<Instant> = OnceLock::new();
    let since = match clock {
        0 => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        1 => START.get_or_init(Instant::now).elapsed(),
        _ => return None,
    };
    Some(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// The three standard streams are character devices, so that a C library writes them line by line.
fn describe(guest: &mut Guest<'_>, fd: u32, at: u32) -> Errno {
    const CHARACTER_DEVICE: u8 = 2;
    const READ_AND_WRITE: u64 = 1 << 1 | 1 << 6;
    if fd > 2 {
        return Ok(EBADF);
    }
    let mut said = [0; 24];
    let (kind, rights) = said.split_at_mut(8);
    kind.fill(0);
    if let Some(kind) = kind.first_mut() {
        *kind = CHARACTER_DEVICE;
    }
    let (base, _) = rights.split_at_mut(8);
    base.copy_from_slice(&READ_AND_WRITE.to_le_bytes());
    put(guest, at, &said)?;
    Ok(SUCCESS)
}

fn put(guest: &mut Guest<'_>, at: u32, bytes: &[u8]) -> Result<()> {
    let (memory, _) = memory(guest)?;
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    slice_mut(memory, at, len, MODULE)?.copy_from_slice(bytes);
    Ok(())
}

fn number<const N: usize>(memory: &[u8], at: u32) -> Result<[u8; N]> {
    let len = u32::try_from(N).unwrap_or(u32::MAX);
    let bytes = slice(memory, at, len, MODULE)?;
    bytes.try_into().map_err(|_| Error::new(Code::Internal, "a slice has another length than was asked for"))
}
