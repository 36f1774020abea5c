//! JavaScript and TypeScript on Node, Deno and Bun: the plugin's own process, with the SDK of `sdk/js` brought along.

mod command;
mod sdk;

use midplane_contract::{Code, Error, Result};
use midplane_kernel::LoadRequest;

use super::search::{self, Wanted};
use crate::program::{Program, Programs};
use crate::runtime::Hosting;

/// An engine that `entry.engine` may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Node,
    Deno,
    Bun,
}

impl Engine {
    fn of(name: &str) -> Result<Self> {
        match name.to_ascii_lowercase().as_str() {
            "node" | "nodejs" => Ok(Self::Node),
            "deno" => Ok(Self::Deno),
            "bun" => Ok(Self::Bun),
            _ => Err(Error::new(Code::UnsupportedRuntime, format!("there is no JavaScript engine `{name}`"))
                .remedy("name node, deno or bun in entry.engine, or leave it out for the embedded engine")
                .with("engine", name)),
        }
    }

    fn wanted(self) -> Wanted<'static> {
        match self {
            Self::Node => Wanted {
                name: "node",
                variable: "MIDPLANE_NODE",
                least: (18, 0, 0),
                remedy: "install Node.js 18 or newer, for example with the system's packages (`apt install nodejs`)",
            },
            Self::Deno => Wanted {
                name: "deno",
                variable: "MIDPLANE_DENO",
                least: (2, 0, 0),
                remedy: "install Deno 2 or newer, for example with `npm install --global deno`",
            },
            Self::Bun => Wanted {
                name: "bun",
                variable: "MIDPLANE_BUN",
                least: (1, 1, 0),
                remedy: "install Bun 1.1 or newer, for example with `npm install --global bun`",
            },
        }
    }
}

/// The programs of JavaScript plugins: the engine that `entry.engine` names, and `worker` for those that name none.
///
/// An engine is found on the search path of the host, or where the host's variable `MIDPLANE_NODE`, `MIDPLANE_DENO` or
/// `MIDPLANE_BUN` says. Each instance is a process. The SDK is written to the host's cache folder once.
#[derive(Debug, Clone)]
pub struct JavaScript<W> {
    worker: Option<W>,
}

impl<W> JavaScript<W> {
    /// Engines, and this worker, which embeds one, for plugins that name none.
    #[must_use]
    pub fn beside(worker: W) -> Self {
        Self { worker: Some(worker) }
    }
}

impl JavaScript<Program> {
    /// Engines alone. A plugin that names none is refused.
    #[must_use]
    pub fn engines() -> Self {
        Self { worker: None }
    }
}

impl<W: Programs> Programs for JavaScript<W> {
    fn program(&self, request: &LoadRequest) -> Result<Program> {
        match (&request.manifest.entry.engine, &self.worker) {
            (Some(name), _) => {
                let engine = Engine::of(name)?;
                let found = search::find(&engine.wanted())?;
                let sdk = sdk::BUNDLE.unpack(&request.cache)?;
                command::build(engine, &found, &sdk, request)
            }
            (None, Some(worker)) => worker.program(request),
            (None, None) => Err(Error::new(Code::UnsupportedRuntime, "this host has no embedded JavaScript engine")
                .remedy("name node, deno or bun in entry.engine")),
        }
    }

    fn hosting(&self, request: &LoadRequest) -> Option<Hosting> {
        match &request.manifest.entry.engine {
            // What stands at the top level of a module is there once for a process.
            Some(_) => Some(Hosting::One),
            None => self.worker.as_ref()?.hosting(request),
        }
    }

    fn host_limits_memory(&self, request: &LoadRequest) -> bool {
        match &request.manifest.entry.engine {
            Some(_) => true,
            None => self.worker.as_ref().is_some_and(|worker| worker.host_limits_memory(request)),
        }
    }
}
