//! The store of configurations that the settings name.

use std::path::Path;
use std::sync::Arc;

use midplane_contract::settings::{ConfigStore as Wanted, StoreKind};
use midplane_contract::{Code, Error, Result};
use midplane_kernel::Stores;
use midplane_kernel::config::{ConfigStore, DatabaseStore, FileStore};

use super::expand_home;
use crate::compose;

/// Opens it. `data` is the host's data folder.
pub(super) fn open(wanted: &Wanted, data: Option<&Stores>) -> Result<Arc<dyn ConfigStore>> {
    let folder = wanted.path.as_deref().map(|path| expand_home(&path.to_string_lossy()));
    match (wanted.kind, folder) {
        (StoreKind::File, Some(folder)) => Ok(Arc::new(FileStore::open(folder)?)),
        (StoreKind::File, None) => Err(missing("path", "the folder that it keeps its files in")),
        (StoreKind::Database, Some(folder)) => Ok(Arc::new(DatabaseStore::over(database(&folder)?.state))),
        (StoreKind::Database, None) => match data {
            Some(stores) => Ok(Arc::new(DatabaseStore::over(Arc::clone(&stores.state)))),
            None => Err(missing("path", "a data folder, or give the host one with `--data DIR`")),
        },
        (StoreKind::Redis, _) => compose::redis(wanted),
    }
}

#[cfg(feature = "store")]
fn database(folder: &Path) -> Result<Stores> {
    compose::data(folder)
}

#[cfg(not(feature = "store"))]
fn database(_: &Path) -> Result<Stores> {
    Err(Error::new(Code::NotSupported, "this build has no database").remedy("build it with the feature `store`"))
}

/// A field of `store` that is not there.
pub(crate) fn missing(field: &str, what: &str) -> Error {
    Error::new(Code::ConfigInvalid, format!("the store of the settings has no `{field}`"))
        .remedy(format!("name {what}: `store: {{{field}: …}}`"))
}
