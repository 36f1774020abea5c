//! The raw limits of JavaScript, for the bench: QuickJS with nothing around it. `echo SIZE` keeps one engine and calls a
//! function that gives its bytes back; `start` makes an engine, evaluates a module and calls it once. Gets numbers of
//! repetitions on its input, a line each, and answers each with the nanoseconds that they took.

use std::error::Error;
use std::hint::black_box;
use std::io::BufRead;
use std::time::{Duration, Instant};

use rquickjs::{Context, Ctx, Function, Module, Runtime, TypedArray};

const MODULE: &str = "export const echo = (input) => input;";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().ok_or("echo or start?")?;
    match what.as_str() {
        "echo" => echo(arguments.next().ok_or("how many bytes?")?.parse()?),
        "start" => asked(|times| (0..times).map(|_| start()).sum()),
        other => Err(format!("neither echo nor start: {other}").into()),
    }
}

fn asked(mut repeat: impl FnMut(u64) -> Result<Duration, Box<dyn Error>>) -> Result<(), Box<dyn Error>> {
    for line in std::io::stdin().lock().lines() {
        println!("{}", repeat(line?.trim().parse()?)?.as_nanos());
    }
    Ok(())
}

fn echo(size: usize) -> Result<(), Box<dyn Error>> {
    let (runtime, input) = (Runtime::new()?, vec![7; size]);
    let context = Context::full(&runtime)?;
    context.with(|ctx| {
        let function = function(&ctx)?;
        let mut reply = Vec::new();
        asked(|times| {
            let started = Instant::now();
            for _ in 0..times {
                reply.clear();
                call(&function, black_box(&input), &mut reply)?;
                black_box(&reply);
            }
            Ok(started.elapsed())
        })
    })
}

/// The engine's end is not measured.
fn start() -> Result<Duration, Box<dyn Error>> {
    let started = Instant::now();
    let runtime = Runtime::new()?;
    let context = Context::full(&runtime)?;
    context.with(|ctx| call(&function(&ctx)?, b"x", &mut Vec::new()))?;
    Ok(started.elapsed())
}

fn function<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Function<'js>> {
    let (module, done) = Module::declare(ctx.clone(), "echo.js", MODULE)?.eval()?;
    done.finish::<()>()?;
    module.get("echo")
}

fn call(function: &Function<'_>, input: &[u8], reply: &mut Vec<u8>) -> Result<(), Box<dyn Error>> {
    let input = TypedArray::<u8>::new_copy(function.ctx().clone(), input)?;
    let output: TypedArray<'_, u8> = function.call((input,))?;
    // SAFETY: the bytes are copied before any JavaScript runs again.
    reply.extend_from_slice(unsafe { output.as_bytes() }.ok_or("the buffer was taken away")?);
    Ok(())
}
