//! What can be asked of a host.

mod grants;
mod which;

use std::path::PathBuf;

use jiff::Timestamp;
use midplane_contract::{CONTRACT_VERSION, Code, Error, Permission, PluginId, Result};
use midplane_kernel::Kernel;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use which::Which;

macro_rules! methods {
    ($($(#[$doc:meta])* $method:ident = $name:literal,)+) => {
        /// One thing that can be asked.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Method { $($(#[$doc])* $method),+ }

        impl Method {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$method),+];

            /// Its name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$method => $name),+ }
            }
        }
    };
}

methods! {
    /// `{id?}` → `{host, plugins}`: the host, and all plugins or one.
    Status = "status",
    /// `{path, grant?}`, absolute → `{id, version, state, disabled, path, not_granted, unasked}`. Whoever goes before the
    /// answer has it undone.
    Install = "install",
    /// `{id, cascade?}` → `{id, unloaded}`.
    Uninstall = "uninstall",
    /// `{id}` → `{id, version, state, disabled, path}`.
    Load = "load",
    /// `{id, cascade?}` → `{id, unloaded}`.
    Unload = "unload",
    /// `{id}` → as `load`.
    Start = "start",
    /// `{id}` → as `load`.
    Stop = "stop",
    /// `{id}` → as `load`.
    Restart = "restart",
    /// `{id}` → as `load`.
    Reload = "reload",
    /// `{id}` → as `load`.
    Enable = "enable",
    /// `{id}` → as `load`.
    Disable = "disable",
    /// `{id, permissions}` → what the plugin asks for and was granted, and what was `added`.
    Grant = "grant",
    /// `{id, permissions}` or `{id, all}` → the same with what was `removed`.
    Revoke = "revoke",
    /// `{id?}` → `{plugins}`: what all or one ask for and were granted.
    Grants = "grants",
    /// `{}` → the bus's statistics.
    BusStats = "bus.stats",
    /// `{}` → the bus's statistics as they were; from here on they count from zero.
    BusReset = "bus.reset",
    /// `{}` → `{routes}`.
    Routes = "routes",
    /// `{}` → what came of the scan.
    CatalogRescan = "catalog.rescan",
}

/// A host, as its door knows it.
pub(crate) struct Served {
    pub(crate) kernel: Kernel,
    pub(crate) data: PathBuf,
    pub(crate) since: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Perhaps {
    id: Option<Which>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    id: Which,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Going {
    id: Which,
    #[serde(default)]
    cascade: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    path: PathBuf,
    #[serde(default)]
    grant: Vec<Permission>,
}

/// Finds a method and carries it out. Dropping the future gives up what can be given up: an installation is undone,
/// everything else goes on to its end.
///
/// # Errors
/// `not_supported` for a method that there is not, `invalid_input` for parameters that do not fit, and the kernel's.
pub(crate) async fn carry_out(served: &Served, method: &str, params: Value) -> Result<Value> {
    let Some(known) = Method::ALL.iter().copied().find(|known| known.name() == method) else {
        let all: Vec<&str> = Method::ALL.iter().map(|known| known.name()).collect();
        return Err(Error::new(Code::NotSupported, format!("a host has no method `{method}`"))
            .remedy(format!("it has: {}", all.join(", "))));
    };
    let params = Params { method: known, params };
    let kernel = &served.kernel;
    match known {
        Method::Status => status(served, params.perhaps(kernel)?.as_ref()),
        Method::Install => install(kernel, params.read()?).await,
        Method::Uninstall => uninstall(kernel, params.read()?).await,
        Method::Unload => unload(kernel, params.read()?).await,
        Method::Load
        | Method::Start
        | Method::Stop
        | Method::Restart
        | Method::Reload
        | Method::Enable
        | Method::Disable => change(kernel, known, &params.read::<One>()?.id.id(kernel)?).await,
        Method::Grant => grants::grant(kernel, params.read()?),
        Method::Revoke => grants::revoke(kernel, params.read()?),
        Method::Grants => grants::grants(kernel, params.perhaps(kernel)?.as_ref()),
        Method::BusStats | Method::BusReset => {
            let Nothing {} = params.read()?;
            bus(kernel, known == Method::BusReset)
        }
        Method::Routes => {
            let Nothing {} = params.read()?;
            Ok(json!({ "routes": kernel.route_table() }))
        }
        Method::CatalogRescan => {
            let Nothing {} = params.read()?;
            rescan(kernel).await
        }
    }
}

struct Params {
    method: Method,
    params: Value,
}

impl Params {
    fn read<T: DeserializeOwned>(self) -> Result<T> {
        let params = if self.params.is_null() { Value::Object(Map::new()) } else { self.params };
        serde_json::from_value(params).map_err(|error| {
            Error::new(Code::InvalidInput, format!("the parameters of `{}` do not fit: {error}", self.method.name()))
                .remedy("see the methods in docs/guide/host.md")
        })
    }

    /// The plugin that is named, if one is.
    fn perhaps(self, kernel: &Kernel) -> Result<Option<PluginId>> {
        self.read::<Perhaps>()?.id.map(|which| which.id(kernel)).transpose()
    }
}

fn status(served: &Served, id: Option<&PluginId>) -> Result<Value> {
    let kernel = &served.kernel;
    let plugins = match id {
        Some(id) => vec![kernel.status(id)?],
        None => kernel.statuses(),
    };
    let host = json!({
        "pid": std::process::id(), "version": env!("CARGO_PKG_VERSION"), "contract": CONTRACT_VERSION.to_string(),
        "data": served.data, "since": served.since,
    });
    Ok(json!({ "host": host, "plugins": plugins }))
}

async fn install(kernel: &Kernel, Place { path, grant }: Place) -> Result<Value> {
    if !path.is_absolute() {
        return Err(Error::new(Code::InvalidInput, format!("{} is no absolute path", path.display()))
            .remedy("write the whole path: the host may be in another folder"));
    }
    let id = kernel.install_granting(path, &grant).await?;
    installed(kernel, &id)
}

/// What is told of a plugin that was installed.
///
/// # Errors
/// `plugin_not_found`, `storage`.
pub fn installed(kernel: &Kernel, id: &PluginId) -> Result<Value> {
    let (not_granted, unasked) = grants::open_questions(kernel, id)?;
    let shown = with(shown(kernel, id)?, "not_granted", json!(not_granted));
    Ok(with(shown, "unasked", json!(unasked)))
}

async fn uninstall(kernel: &Kernel, Going { id, cascade }: Going) -> Result<Value> {
    let id = id.id(kernel)?;
    let unloaded = match cascade {
        true => kernel.uninstall_cascade(&id).await?,
        false => kernel.uninstall(&id).await.map(|()| Vec::new())?,
    };
    Ok(json!({ "id": id, "unloaded": unloaded }))
}

async fn unload(kernel: &Kernel, Going { id, cascade }: Going) -> Result<Value> {
    let id = id.id(kernel)?;
    let unloaded = match cascade {
        true => kernel.unload_cascade(&id).await?,
        false => kernel.unload(&id).await.map(|()| vec![id.clone()])?,
    };
    Ok(json!({ "id": id, "unloaded": unloaded }))
}

async fn change(kernel: &Kernel, method: Method, id: &PluginId) -> Result<Value> {
    match method {
        Method::Start => kernel.start(id).await?,
        Method::Stop => kernel.stop(id).await?,
        Method::Restart => kernel.restart(id).await?,
        Method::Reload => kernel.reload(id).await?,
        Method::Enable => kernel.enable(id).await?,
        Method::Disable => kernel.disable(id).await?,
        _ => kernel.load(id).await?,
    }
    shown(kernel, id)
}

/// An object with one more field.
fn with(mut of: Value, name: &str, value: Value) -> Value {
    if let Value::Object(fields) = &mut of {
        fields.insert(name.to_owned(), value);
    }
    of
}

/// A plugin in short.
fn shown(kernel: &Kernel, id: &PluginId) -> Result<Value> {
    let status = kernel.status(id)?;
    Ok(json!({
        "id": id, "version": status.manifest.version.to_string(), "state": status.state, "disabled": status.disabled,
        "path": status.path,
    }))
}

fn bus(kernel: &Kernel, reset: bool) -> Result<Value> {
    let stats = if reset { kernel.bus().take_stats() } else { kernel.bus().stats() };
    serde_json::to_value(&stats).map_err(|error| Error::new(Code::Internal, error.to_string()))
}

async fn rescan(kernel: &Kernel) -> Result<Value> {
    let folders = kernel.catalog().folders();
    if folders.is_empty() {
        return Err(Error::new(Code::NotSupported, "this host looks into no plugin folders")
            .remedy("name them under `folders` in its settings"));
    }
    let scan = kernel.scan(folders).await;
    serde_json::to_value(&scan).map_err(|error| Error::new(Code::Internal, error.to_string()))
}
