//! Calls inside this process.

use std::cell::RefCell;
use std::hint::black_box;
use std::time::Duration;

use anyhow::{Result, anyhow};
use midplane::{Action, Placement, block_on};
use wasmtime::component::{Component, Linker as ComponentLinker};
use wasmtime::{Config, Engine, Instance, Memory, Module, Store, TypedFunc};

use super::Row;
use crate::measure::{Effort, Measured, in_turn, inline, spin};
use crate::plugins::{self, Bench, Setting};
use crate::target::Target;

const SMALL: usize = 64;
const LARGE: usize = 64 * 1024;

const NATIVE: Setting = Setting { id: "native-echo", placement: Placement::InProcess, instances: 1 };
const CORE: Setting = Setting { id: "core-echo", placement: Placement::InProcess, instances: 1 };
const COMPONENT: Setting = Setting { id: "component-echo", placement: Placement::InProcess, instances: 1 };

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "native 64 B, call_inline, borrowed",
            run: |n, e, h| native(n, e, h, SMALL, Target::AddedNanos(15.0)),
        },
        Row {
            name: "native 64 KiB, call_inline, borrowed",
            run: |n, e, h| native(n, e, h, LARGE, Target::TimesRaw(1.05)),
        },
        Row { name: "native 64 B, call_inline, owned reply", run: native_owned },
        Row { name: "native 64 B, call", run: native_call },
        Row { name: "wasm core 64 B, call_inline", run: |n, e, h| core(n, e, h, SMALL) },
        Row { name: "wasm core 64 KiB, call_inline", run: |n, e, h| core(n, e, h, LARGE) },
        Row { name: "wasm core 64 B, call", run: core_call },
        Row { name: "wasm component 64 B, call_inline", run: |n, e, h| component(n, e, h, SMALL) },
        Row { name: "wasm component 64 KiB, call_inline", run: |n, e, h| component(n, e, h, LARGE) },
    ]
}

/// What a plugin's function costs with nothing around it: called through a pointer, it copies into a buffer.
#[inline(never)]
fn raw_echo(input: &[u8], reply: &mut Vec<u8>) {
    reply.extend_from_slice(input);
}

fn native(row: &'static str, effort: Effort, handicap: Duration, size: usize, target: Target) -> Result<Measured> {
    let bench = Bench::new()?;
    bench.load(NATIVE, &bench.native(NATIVE)?)?;
    let action = bench.kernel.action("native-echo/echo")?;
    let input = vec![7; size];
    // One buffer for both: how two buffers lie to each other changes the speed of a copy by a fifth.
    let reply = RefCell::new(Vec::new());
    let function: fn(&[u8], &mut Vec<u8>) = black_box(raw_echo);
    let mut raw = |times| {
        let mut reply = reply.borrow_mut();
        for _ in 0..times {
            reply.clear();
            function(black_box(&input), black_box(&mut reply));
        }
        Ok(())
    };
    let mut ours = |times| inline(&action, &input, &mut reply.borrow_mut(), times, handicap);
    in_turn(row, "raw: a function pointer that copies into a buffer", target, effort, (&mut raw, &mut ours))
}

fn native_owned(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    let bench = Bench::new()?;
    bench.load(NATIVE, &bench.native(NATIVE)?)?;
    let action = bench.kernel.action("native-echo/echo")?;
    let input = [7; SMALL];
    let function: fn(&[u8], &mut Vec<u8>) = black_box(raw_echo);
    let mut raw = |times| {
        for _ in 0..times {
            let mut reply = Vec::new();
            function(black_box(&input), &mut reply);
            black_box(reply);
        }
        Ok(())
    };
    let mut ours = |times| {
        for _ in 0..times {
            let mut reply = Vec::new();
            spin(handicap);
            action.call_inline(black_box(&input), &mut reply)?;
            black_box(reply);
        }
        Ok(())
    };
    let note = "raw: a function pointer whose reply is allocated";
    in_turn(row, note, Target::AddedNanos(20.0), effort, (&mut raw, &mut ours))
}

fn native_call(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    let bench = Bench::new()?;
    bench.load(NATIVE, &bench.native(NATIVE)?)?;
    let action = bench.kernel.action("native-echo/echo")?;
    let mut raw = |times| {
        block_on(async {
            for _ in 0..times {
                black_box(blocking::unblock(|| vec![7_u8; SMALL]).await);
            }
            Ok(())
        })
    };
    let mut ours = |times| calls(&action, times, handicap);
    let note = "raw: a closure handed to a thread for blocking work and back";
    in_turn(row, note, Target::Shown, effort, (&mut raw, &mut ours))
}

fn calls(action: &Action, times: u64, handicap: Duration) -> Result<()> {
    block_on(async {
        for _ in 0..times {
            spin(handicap);
            black_box(action.call(vec![7_u8; SMALL]).await?);
        }
        Ok(())
    })
}

/// The echo module with nothing around it: the input is written into its memory, the reply copied out.
struct RawCore {
    store: Store<()>,
    memory: Memory,
    echo: TypedFunc<(i32, i32), i64>,
    buffer: usize,
}

impl RawCore {
    fn new(code: &[u8], size: usize) -> wasmtime::Result<Self> {
        let engine = Engine::new(Config::new().epoch_interruption(true))?;
        let module = Module::new(&engine, code)?;
        let mut store = Store::new(&engine, ());
        store.set_epoch_deadline(u64::MAX / 2);
        let instance = Instance::new(&mut store, &module, &[])?;
        let memory = instance.get_memory(&mut store, "memory").ok_or_else(|| wasmtime::Error::msg("no memory"))?;
        let malloc = instance.get_typed_func::<i32, i32>(&mut store, "malloc")?;
        let buffer = usize::try_from(malloc.call(&mut store, i32::try_from(size)?)?)?;
        Ok(Self { echo: instance.get_typed_func(&mut store, "plugin_echo")?, store, memory, buffer })
    }

    fn call(&mut self, input: &[u8], reply: &mut Vec<u8>) -> wasmtime::Result<()> {
        let outside = || wasmtime::Error::msg("outside the module's memory");
        let room = self.memory.data_mut(&mut self.store).get_mut(self.buffer..self.buffer + input.len());
        room.ok_or_else(outside)?.copy_from_slice(input);
        let packed = self.echo.call(&mut self.store, (i32::try_from(self.buffer)?, i32::try_from(input.len())?))?;
        let (pointer, length) = ((packed as u64 >> 32) as usize, packed as u32 as usize);
        let data = self.memory.data(&self.store).get(pointer..pointer + length).ok_or_else(outside)?;
        reply.extend_from_slice(data);
        Ok(())
    }
}

fn core(row: &'static str, effort: Effort, handicap: Duration, size: usize) -> Result<Measured> {
    let bench = Bench::new()?;
    bench.load(CORE, &bench.core(CORE)?)?;
    let action = bench.kernel.action("core-echo/echo")?;
    let input = vec![7; size];
    let (mut raw_reply, mut reply) = (Vec::new(), Vec::new());
    let mut module = RawCore::new(&plugins::core_echo()?, size).map_err(of_wasmtime)?;
    let mut raw = |times| {
        for _ in 0..times {
            raw_reply.clear();
            module.call(black_box(&input), black_box(&mut raw_reply)).map_err(of_wasmtime)?;
        }
        Ok(())
    };
    let mut ours = |times| inline(&action, &input, &mut reply, times, handicap);
    let note = "raw: wasmtime, a typed function, bytes copied in and out";
    in_turn(row, note, Target::TimesRaw(1.7), effort, (&mut raw, &mut ours))
}

fn core_call(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    let bench = Bench::new()?;
    bench.load(CORE, &bench.core(CORE)?)?;
    let action = bench.kernel.action("core-echo/echo")?;
    let mut module = RawCore::new(&plugins::core_echo()?, SMALL).map_err(of_wasmtime)?;
    module.store.epoch_deadline_async_yield_and_update(1);
    module.store.set_epoch_deadline(u64::MAX / 2);
    let RawCore { store, memory, echo, buffer } = &mut module;
    let mut raw = |times| {
        block_on(async {
            for _ in 0..times {
                let input = black_box(vec![7_u8; SMALL]);
                memory.write(&mut *store, *buffer, &input)?;
                let call = echo.call_async(&mut *store, (i32::try_from(*buffer)?, SMALL as i32));
                let packed = call.await.map_err(of_wasmtime)?;
                let mut reply = vec![0; packed as u32 as usize];
                memory.read(&*store, (packed as u64 >> 32) as usize, &mut reply)?;
                black_box(reply);
            }
            Ok(())
        })
    };
    let mut ours = |times| calls(&action, times, handicap);
    let note = "raw: wasmtime, the same function called through a future on an async store";
    in_turn(row, note, Target::Shown, effort, (&mut raw, &mut ours))
}

/// wasmtime's errors are no standard errors.
fn of_wasmtime(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:#}")
}

/// The shape of a component's own error.
#[derive(Debug, wasmtime::component::ComponentType, wasmtime::component::Lift)]
#[component(record)]
#[expect(dead_code, reason = "lifted as the world says, not looked at")]
struct GuestError {
    code: String,
    message: String,
    recoverable: bool,
    data: String,
}

type ComponentCall = wasmtime::component::TypedFunc<(u32, &'static [u8]), (Result<Vec<u8>, GuestError>,)>;

fn component(row: &'static str, effort: Effort, handicap: Duration, size: usize) -> Result<Measured> {
    let bench = Bench::new()?;
    bench.load(COMPONENT, &bench.component(COMPONENT)?)?;
    let action = bench.kernel.action("component-echo/echo")?;
    let input: &'static [u8] = vec![7; size].leak();
    let mut reply = Vec::new();
    let (mut store, call, number) = raw_component(&plugins::component()?).map_err(of_wasmtime)?;
    let mut raw = |times| {
        for _ in 0..times {
            let (answer,) = call.call(&mut store, (number, black_box(input))).map_err(of_wasmtime)?;
            black_box(answer.map_err(|error| anyhow!("{error:?}"))?);
        }
        Ok(())
    };
    let mut ours = |times| inline(&action, input, &mut reply, times, handicap);
    let note = "raw: wasmtime, the same component's typed export";
    in_turn(row, note, Target::TimesRaw(1.25), effort, (&mut raw, &mut ours))
}

fn raw_component(code: &[u8]) -> wasmtime::Result<(Store<()>, ComponentCall, u32)> {
    let missing = || wasmtime::Error::msg("the component is not in the world");
    let engine = Engine::new(Config::new().epoch_interruption(true).concurrency_support(false))?;
    let component = Component::new(&engine, code)?;
    let mut linker = ComponentLinker::new(&engine);
    linker.define_unknown_imports_as_traps(&component)?;
    let mut store = Store::new(&engine, ());
    store.set_epoch_deadline(u64::MAX / 2);
    let instance = linker.instantiate(&mut store, &component)?;
    let world = instance.get_export_index(&mut store, None, "midplane:plugin/guest@1.0.0").ok_or_else(missing)?;
    let find = |store: &mut Store<()>, name| instance.get_export_index(store, Some(&world), name).ok_or_else(missing);
    let resolve = find(&mut store, "resolve-action")?;
    let resolve = instance.get_typed_func::<(&str,), (Option<u32>,)>(&mut store, &resolve)?;
    let number = resolve.call(&mut store, ("echo",))?.0.ok_or_else(missing)?;
    let call = find(&mut store, "call")?;
    let call: ComponentCall = instance.get_typed_func(&mut store, call)?;
    Ok((store, call, number))
}
