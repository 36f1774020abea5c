//! The functions of `prelude/core.js` that Rust calls, and those of the plugin.

use rquickjs::runtime::UserDataGuard;
use rquickjs::{Ctx, Error, Function, Result, Value};

/// A function of the prelude, by its position in the list that it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Context,
    Reply,
    Describe,
    Fire,
    Abort,
    Rejected,
    Complain,
    Hook,
    Shape,
    Entries,
    Stop,
    Settled,
    Bind,
}

/// Functions of the prelude, kept in the engine.
pub(crate) struct Tools<'a, 'js>(UserDataGuard<'a, Vec<Function<'js>>>);

/// What the plugin's functions are called with as `this`, and the functions of its actions, kept in the engine.
pub(crate) struct Entries<'a, 'js>(UserDataGuard<'a, Vec<Value<'js>>>);

/// Keeps the prelude's functions.
pub(crate) fn keep_tools<'js>(ctx: &Ctx<'js>, tools: Vec<Function<'js>>) -> Result<()> {
    ctx.store_userdata(tools).map(drop).map_err(|_| Error::Unknown)
}

/// Keeps the plugin's.
pub(crate) fn keep_entries<'js>(ctx: &Ctx<'js>, entries: Vec<Value<'js>>) -> Result<()> {
    ctx.store_userdata(entries).map(drop).map_err(|_| Error::Unknown)
}

impl<'a, 'js> Tools<'a, 'js> {
    pub(crate) fn of(ctx: &'a Ctx<'js>) -> Result<Self> {
        ctx.userdata::<Vec<Function<'js>>>().map(Self).ok_or(Error::Unknown)
    }

    pub(crate) fn get(&self, tool: Tool) -> Result<&Function<'js>> {
        self.0.get(tool as usize).ok_or(Error::Unknown)
    }
}

impl<'a, 'js> Entries<'a, 'js> {
    pub(crate) fn of(ctx: &'a Ctx<'js>) -> Result<Self> {
        ctx.userdata::<Vec<Value<'js>>>().map(Self).ok_or(Error::Unknown)
    }

    /// What `this` is.
    #[inline]
    pub(crate) fn this(&self) -> Result<Value<'js>> {
        self.0.first().cloned().ok_or(Error::Unknown)
    }

    /// The function of an action.
    #[inline]
    pub(crate) fn action(&self, number: u32) -> Result<&Function<'js>> {
        self.0.get(number as usize + 1).and_then(Value::as_function).ok_or(Error::Unknown)
    }
}

/// A promise was rejected without anybody listening, or somebody listens after all.
pub(crate) fn note_rejection<'js>(ctx: &Ctx<'js>, promise: Value<'js>, reason: Value<'js>, is_handled: bool) {
    let noted =
        Tools::of(ctx).and_then(|tools| tools.get(Tool::Rejected)?.call::<_, ()>((promise, reason, is_handled)));
    if noted.is_err() {
        // Without room for a note there is none.
        let _ = ctx.catch();
    }
}
