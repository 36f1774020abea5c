//! Reads a plugin's table without trusting it: every pointer must point into mapped libraries, every size is bounded.

use midplane_contract::{Code, Error, Hook, Kind, Result};

use crate::abi::{self, HOOKS, Table};
use crate::mapped::Mapped;

/// Smallest table that can be used: all up to `plugin_call`.
const SMALLEST: u32 = std::mem::offset_of!(Table, plugin_create) as u32;

/// Copies a table. Fields beyond the table's own size are null; what a larger table has beyond ours is of no interest.
///
/// # Errors
/// `protocol_error` for pointers that lead nowhere and absurd sizes, `abi_mismatch` for another major version,
/// `missing_symbol` for a required function that is null.
pub(crate) fn read(address: *const Table, own: Option<&Mapped>, all: Option<&[Mapped]>) -> Result<Table> {
    if address.is_null() {
        return Err(unusable("the entry returned no table"));
    }
    if !address.is_aligned() || !holds(own, address as usize, SMALLEST as usize) {
        return Err(unusable("the entry returned a table that is not static data of the library"));
    }
    // SAFETY: aligned, and mapped as far as `SMALLEST`, in static data that nobody writes.
    let [size, major, minor] = unsafe { address.cast::<[u32; 3]>().read() };
    if major != abi::MAJOR {
        return Err(other_abi(major, minor));
    }
    if !(SMALLEST..=abi::TABLE_CAP).contains(&size) {
        return Err(unusable(&format!("its table claims {size} bytes; it must have {SMALLEST} to {}", abi::TABLE_CAP)));
    }
    if !holds(own, address as usize, size as usize) {
        return Err(unusable("its table is larger than the library's data"));
    }
    // SAFETY: as large as it says, which was just found mapped. All fields may hold any bits or null; whether there is
    // code behind them is checked below.
    let table = unsafe {
        let mut table = std::mem::MaybeUninit::<Table>::zeroed();
        let len = (size as usize).min(size_of::<Table>());
        std::ptr::copy_nonoverlapping(address.cast::<u8>(), table.as_mut_ptr().cast::<u8>(), len);
        table.assume_init()
    };
    check_functions(&table, all)?;
    Ok(table)
}

fn holds(own: Option<&Mapped>, address: usize, len: usize) -> bool {
    own.is_none_or(|own| own.holds(address, len))
}

fn check_functions(table: &Table, all: Option<&[Mapped]>) -> Result<()> {
    for (name, address) in functions(table) {
        let executes = |at: usize| all.is_none_or(|all| all.iter().any(|object| object.executes(at)));
        match address {
            Some(address) if !executes(address) => {
                return Err(unusable(&format!("{name} in its table is no function")));
            }
            None if matches!(name, "plugin_resolve_action" | "plugin_call") => {
                return Err(Error::new(Code::MissingSymbol, format!("the plugin's table has no {name}"))
                    .remedy("fill in the field; MIDPLANE_PLUGIN (C) and plugin! (Rust) do")
                    .with("symbol", name));
            }
            _ => {}
        }
    }
    Ok(())
}

fn functions(table: &Table) -> impl Iterator<Item = (&'static str, Option<usize>)> {
    let fixed = [
        ("plugin_resolve_action", table.plugin_resolve_action.map(|run| run as usize)),
        ("plugin_call", table.plugin_call.map(|run| run as usize)),
        ("plugin_create", table.plugin_create.map(|run| run as usize)),
        ("plugin_destroy", table.plugin_destroy.map(|run| run as usize)),
    ];
    let hooks = Hook::ALL.iter().zip(table.hooks).map(|(hook, run)| (hook.symbol(), run.map(|run| run as usize)));
    fixed.into_iter().chain(hooks.take(HOOKS))
}

fn unusable(what: &str) -> Error {
    Error::new(Code::ProtocolError, format!("the plugin breaks the native ABI: {what}"))
        .kind(Kind::Load)
        .remedy("build the table as contract/midplane.h says; its helpers do")
}

fn other_abi(major: u32, minor: u32) -> Error {
    let (required, found) = (format!("{}.{}", abi::MAJOR, abi::MINOR), format!("{major}.{minor}"));
    let remedy = if major > abi::MAJOR { "update the host" } else { "build the plugin with a newer midplane.h" };
    Error::new(Code::AbiMismatch, format!("the plugin was built for ABI {found}, this host speaks {required}"))
        .remedy(remedy)
        .with("required", required)
        .with("found", found)
}
