//! An open library: opened from its copy, compared with what was read, closed when nobody holds it any longer.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use midplane_contract::{Code, Error, Kind, PluginId, Result};

use crate::abi::{self, Table};
use crate::copy::{Copy, no_execution};
use crate::image::{Image, missing_entry};
use crate::mapped::{self, Mapped};
use crate::table;

/// Plugins of which a library stayed in memory after it was closed.
pub(crate) type Lingering = Arc<Mutex<HashSet<PluginId>>>;

/// A library in memory. Dropping the last handle closes it, and removes the copy.
pub(crate) struct Library {
    /// The plugin's table, checked and copied.
    pub(crate) table: Table,
    /// When it was opened.
    pub(crate) opened: SystemTime,
    /// `None` only while it is being dropped.
    handle: Option<libloading::Library>,
    copy: Copy,
    plugin: PluginId,
    lingering: Lingering,
}

type Entry = unsafe extern "C" fn() -> *const Table;

impl Library {
    /// Opens a copy, makes sure that it is what was opened, and reads the plugin's table.
    ///
    /// # Errors
    /// `missing_symbol`, `permission_denied`, `dependency_not_found`, `not_a_plugin` as the linker says;
    /// `build_id_mismatch`; `abi_mismatch` and `protocol_error` for a table that cannot be used.
    pub(crate) fn open(image: &Image, copy: Copy, plugin: PluginId, lingering: Lingering) -> Result<Self> {
        let handle = open(copy.path()).map_err(|error| refused(copy.path(), &error))?;
        // SAFETY: the name is reserved for functions of this type. That there is code behind it is checked below.
        let entry: Entry = *unsafe { handle.get(abi::ENTRY) }.map_err(|_| missing_entry(copy.path()))?;
        let everything = mapped::all();
        let own = everything.as_deref().map(|all| verify(image, copy.path(), all, entry as usize)).transpose()?;
        // SAFETY: as above; `verify` found code at the address.
        let address = unsafe { entry() };
        let table = table::read(address, own, everything.as_deref())?;
        Ok(Self { table, opened: SystemTime::now(), handle: Some(handle), copy, plugin, lingering })
    }

    /// Where the opened copy is.
    pub(crate) fn path(&self) -> &Path {
        self.copy.path()
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        drop(self.handle.take());
        let path = self.copy.path().to_string_lossy();
        if mapped::all().is_some_and(|all| all.iter().any(|object| object.path == path)) {
            tracing::warn!(plugin = %self.plugin, %path, "a closed library stays in memory: it registered destructors of \
                thread-local variables, or something else still refers to it");
            self.lingering.lock().unwrap_or_else(PoisonError::into_inner).insert(self.plugin.clone());
        }
    }
}

fn open(path: &Path) -> Result<libloading::Library, libloading::Error> {
    // SAFETY: opening runs the library's constructors. Whoever placed native code in this process trusts it with the
    // process; that is decided before this crate is asked.
    #[cfg(unix)]
    return unsafe {
        use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
        Library::open(Some(path), RTLD_NOW | RTLD_LOCAL).map(Into::into)
    };
    // SAFETY: as above.
    #[cfg(not(unix))]
    return unsafe { libloading::Library::new(path) };
}

/// Finds the object that the entry is in, and compares its build id with the file's.
fn verify<'a>(image: &Image, path: &Path, all: &'a [Mapped], entry: usize) -> Result<&'a Mapped> {
    let own = all.iter().find(|object| object.executes(entry)).ok_or_else(|| {
        Error::new(Code::ProtocolError, format!("{} in {} is no function", abi::ENTRY, path.display()))
            .kind(Kind::Load)
            .remedy("export it as a function that returns the plugin's table")
    })?;
    // A library without a build id is known by the path of its copy, which no other load has ever had.
    let same = match &image.facts.build_id {
        Some(id) => own.build_id.as_ref() == Some(id),
        None => path.to_str().is_none_or(|path| own.path == path),
    };
    if same {
        return Ok(own);
    }
    let found = own.build_id.clone().unwrap_or_else(|| own.path.clone());
    Err(Error::new(
        Code::BuildIdMismatch,
        format!(
            "{} was read with build id {}, but the code that was loaded has {found}",
            path.display(),
            image.identity
        ),
    )
    .remedy("the entry must be code of the library itself; where it is, restart the host")
    .with("required", image.identity.clone())
    .with("found", found))
}

/// What the linker said, in the contract's terms.
fn refused(path: &Path, error: &libloading::Error) -> Error {
    let said = said(error);
    let named = |after: &str| {
        let (_, rest) = said.split_once(after)?;
        rest.split([' ', '(', ',']).next().filter(|name| !name.is_empty()).map(str::to_owned)
    };
    if let Some(symbol) = named("undefined symbol: ") {
        return Error::new(Code::MissingSymbol, format!("the library needs {symbol}, which nothing provides: {said}"))
            .remedy("link the plugin with the library that defines it")
            .with("symbol", symbol);
    }
    if said.contains("failed to map segment") {
        return no_execution(path.parent().unwrap_or(path)).with("linker", said);
    }
    if let Some((library, _)) = said.split_once(": cannot open shared object file") {
        return Error::new(Code::DependencyNotFound, format!("the library needs {library}, which is not there"))
            .kind(Kind::Load)
            .remedy("install that library on this machine, or link it statically into the plugin")
            .with("library", library)
            .with("linker", said.clone());
    }
    if said.contains("' not found (required by") {
        return Error::new(Code::UnsupportedPlatform, format!("the library was built for a newer system: {said}"))
            .remedy("build the plugin on the oldest system that it is to run on")
            .with("linker", said);
    }
    Error::new(Code::NotAPlugin, format!("the linker refuses the library: {said}"))
        .remedy("build the library again")
        .with("linker", said)
}

fn said(error: &libloading::Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        text = source.to_string();
        next = source.source();
    }
    text
}
