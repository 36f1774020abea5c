//! The prelude and the SDK: parsed once in a process. What the engine made of a text loads in a tenth of the time.

use std::sync::OnceLock;

use rquickjs::module::Declared;
use rquickjs::{Ctx, Module, Result, Value, WriteOptions};

use crate::resolve::SDK;

/// A module of ours. There is one for each text, so that code never comes to another name than its own.
pub(crate) struct Part {
    name: &'static str,
    text: &'static str,
    /// What the first engine that asked made of it.
    code: OnceLock<Vec<u8>>,
}

macro_rules! parts {
    ($($name:literal: $file:literal),+ $(,)?) => {
        [$(Part { name: $name, text: include_str!($file), code: OnceLock::new() }),+]
    };
}

/// What only this engine needs; each is fetched when it is first used. They import nothing.
static PRELUDE: [Part; 8] = parts! {
    "abort": "prelude/abort.js",
    "clone": "prelude/clone.js",
    "core": "prelude/core.js",
    "crypto": "prelude/crypto.js",
    "fetch": "prelude/fetch.js",
    "text": "prelude/text.js",
    "url": "prelude/url.js",
    "work": "prelude/work.js",
};

/// The parts of the JavaScript SDK that need no engine, and what `console` prints with.
static SDK_FILES: [Part; 7] = parts! {
    "index.js": "../../../sdk/js/index.js",
    "src/context.js": "../../../sdk/js/src/context.js",
    "src/error.js": "../../../sdk/js/src/error.js",
    "src/instance.js": "../../../sdk/js/src/instance.js",
    "src/outcome.js": "../../../sdk/js/src/outcome.js",
    "src/print.js": "prelude/print.js",
    "src/shape.js": "../../../sdk/js/src/shape.js",
};

/// A file of the SDK, as modules import it.
pub(crate) fn sdk(name: &str) -> Option<&'static Part> {
    SDK_FILES.iter().find(|part| part.name == name)
}

/// The function that a part of the prelude is.
///
/// # Errors
/// What the engine throws; there is no memory for it, above all.
pub(crate) fn prelude<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Value<'js>> {
    let part = PRELUDE.iter().find(|part| part.name == name).ok_or(rquickjs::Error::Unknown)?;
    let (module, evaluated) = part.declare(ctx)?.eval()?;
    done(&evaluated)?;
    module.get("default")
}

/// A module of ours waits for nothing, so it is done by now; and no jobs of the plugin are to run here.
pub(crate) fn done(evaluated: &rquickjs::Promise<'_>) -> Result<()> {
    evaluated.result::<()>().ok_or(rquickjs::Error::WouldBlock)?
}

impl Part {
    /// Declares it. One that imports others has to be reached through the engine's loader, which finds them.
    #[expect(unsafe_code, reason = "loading compiled code is unsafe by nature; see docs/adr/0006-javascript.md")]
    pub(crate) fn declare<'js>(&self, ctx: &Ctx<'js>) -> Result<Module<'js, Declared>> {
        if let Some(code) = self.code.get() {
            // SAFETY: the very engine in this program made the code of a text in this program, in this process, and nobody
            // else can set it: it never was on a disk or in a plugin's hands.
            return unsafe { Module::load(ctx.clone(), code) };
        }
        let module = Module::declare(ctx.clone(), format!("{SDK}{}", self.name), self.text)?;
        match module.write(WriteOptions::default()) {
            Ok(code) => drop(self.code.set(code)),
            // An engine with too little memory for a copy of it; the next one may have more.
            Err(_) => drop(ctx.catch()),
        }
        Ok(module)
    }
}
