//! The engine's way to modules.

use std::sync::Arc;

use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Error, Module, Result};

use crate::compiled;
use crate::resolve::SDK;
use crate::sources::Sources;

/// Finds and reads modules for one engine.
pub(crate) struct Modules(pub(crate) Arc<Sources>);

impl Resolver for Modules {
    fn resolve<'js>(
        &mut self,
        _: &Ctx<'js>,
        base: &str,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<String> {
        self.0
            .resolve(base, name)
            .map_err(|error| Error::new_resolving_message(base, name, error.record().message.clone()))
    }
}

impl Loader for Modules {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js, Declared>> {
        if let Some(part) = name.strip_prefix(SDK).and_then(compiled::sdk) {
            return part.declare(ctx);
        }
        let text =
            self.0.text(name).map_err(|error| Error::new_loading_message(name, error.record().message.clone()))?;
        Module::declare(ctx.clone(), name, text.as_bytes())
    }
}
