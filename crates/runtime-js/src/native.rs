//! What the JavaScript of `prelude/` stands on: an object of functions, the `native` in it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use midplane_contract::Error;
use rquickjs::function::Opt;
use rquickjs::{Ctx, Exception, Function, Module, Object, Value};

use crate::inside::Inside;
use crate::resolve::SDK;
use crate::timers::MOST;
use crate::{bytes, compiled, web};

/// Makes the object for one engine.
pub(crate) fn object<'js>(ctx: &Ctx<'js>, inside: &Arc<Inside>) -> rquickjs::Result<Object<'js>> {
    let native = Object::new(ctx.clone())?;
    asking(ctx, inside, &native)?;
    telling(ctx, inside, &native)?;
    timers(ctx, inside, &native)?;
    web::add(ctx, inside, &native)?;
    let own = Arc::clone(inside);
    native.set("resize", Function::new(ctx.clone(), move || own.resize())?)?;
    native.set("module", Function::new(ctx.clone(), |ctx: Ctx<'js>, name: String| module(&ctx, &name))?)?;
    native.set("part", Function::new(ctx.clone(), |ctx: Ctx<'js>, name: String| compiled::prelude(&ctx, &name))?)?;
    Ok(native)
}

/// Questions to the host.
fn asking<'js>(ctx: &Ctx<'js>, inside: &Arc<Inside>, native: &Object<'js>) -> rquickjs::Result<()> {
    let own = Arc::clone(inside);
    let ask = move |ctx: Ctx<'js>, call: u32, name: String, args: String, payload: Opt<Value<'js>>| {
        let payload = payload.0.map(|payload| bytes::copied(&own, &payload)).transpose()?.flatten().unwrap_or_default();
        match own.ask(call, &name, &args, &payload) {
            Ok(answer) => bytes::array(&ctx, &answer),
            Err(error) => rquickjs::String::from_str(ctx, &record(&error)).map(rquickjs::String::into_value),
        }
    };
    native.set("ask", Function::new(ctx.clone(), ask)?)?;
    let own = Arc::clone(inside);
    let log = move |level: String, message: String, fields: Opt<Option<String>>| {
        let fields = fields.0.flatten().and_then(|fields| serde_json::from_str(&fields).ok());
        own.log(&level, &message, fields);
    };
    native.set("log", Function::new(ctx.clone(), log)?)
}

/// What the host's side of an instance knows.
fn telling<'js>(ctx: &Ctx<'js>, inside: &Arc<Inside>, native: &Object<'js>) -> rquickjs::Result<()> {
    let own = Arc::clone(inside);
    native.set("scope", Function::new(ctx.clone(), move |call: u32| own.facts(call).to_string())?)?;
    let own = Arc::clone(inside);
    native.set("identity", Function::new(ctx.clone(), move || own.identity().to_string())?)?;
    let own = Arc::clone(inside);
    native.set("config", Function::new(ctx.clone(), move || own.config().to_string())?)
}

fn timers<'js>(ctx: &Ctx<'js>, inside: &Arc<Inside>, native: &Object<'js>) -> rquickjs::Result<()> {
    let own = Arc::clone(inside);
    let set = move |ctx: Ctx<'js>, milliseconds: f64, repeats: bool| {
        let refused = || Exception::throw_range(&ctx, &format!("a plugin has at most {MOST} timers at once"));
        own.timers.set(milliseconds, repeats).ok_or_else(refused)
    };
    native.set("timer", Function::new(ctx.clone(), set)?)?;
    let own = Arc::clone(inside);
    native.set("clear", Function::new(ctx.clone(), move |id: u32| own.timers.clear(id))?)
}

/// A module of the SDK, evaluated. It is reached through another one, so that there is one of each, whether a plugin has
/// imported it or not.
fn module<'js>(ctx: &Ctx<'js>, name: &str) -> rquickjs::Result<Object<'js>> {
    let text = format!("export * from './src/{name}.js'");
    let (module, evaluated) = Module::declare(ctx.clone(), format!("{SDK}via-{name}.js"), text)?.eval()?;
    compiled::done(&evaluated)?;
    module.namespace()
}

/// Notes rejections that nobody handles (yet).
pub(crate) fn track_rejections(runtime: &rquickjs::Runtime, inside: &Arc<Inside>) {
    let own = Arc::clone(inside);
    runtime.set_host_promise_rejection_tracker(Some(Box::new(move |ctx, promise, reason, is_handled| {
        own.rejections.store(true, Ordering::Relaxed);
        crate::tools::note_rejection(&ctx, promise, reason, is_handled);
    })));
}

/// An error of the host as JSON: what a `PluginError` is made of.
fn record(error: &Error) -> String {
    let record = error.record();
    serde_json::json!({
        "code": error.code().as_str(), "message": record.message, "recoverable": record.recoverable,
        "data": (!record.data.is_empty()).then_some(&record.data),
    })
    .to_string()
}
