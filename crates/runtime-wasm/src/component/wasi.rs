//! As much of WASI 0.2 as a compiler's standard library brings along, and nothing behind it.
//!
//! `cargo build --target wasm32-wasip2` makes components that import WASI whether they use it or not. Those interfaces
//! can be linked; what they give is an empty world: no arguments, no environment, no folders. What is written to
//! standard output and error goes to the plugin's log. Every other function ends the guest and is named. What a plugin
//! may really do is the host API, behind its gate.

use std::hash::{BuildHasher, RandomState};

use midplane_contract::{Code, Error};
use wasmtime::StoreContextMut;
use wasmtime::component::types::{ComponentInstance, ComponentItem};
use wasmtime::component::{
    Component, ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceAny, ResourceType, Val, WasmList,
};

use crate::state::GuestState;

/// The interfaces that can be linked, in any 0.2 version.
const INTERFACES: [&str; 19] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

const STREAMS: &str = "wasi:io/streams";

/// How many bytes a stream takes at once.
const STREAM_ROOM: u64 = 4096;

/// Stands for every resource: there is nothing behind any of them.
struct Nothing;

/// The interface of an import, when it is one of those that can be linked.
pub(super) fn interface(import: &str) -> Option<&'static str> {
    let (name, version) = import.split_once('@')?;
    INTERFACES.into_iter().find(|known| *known == name && version.starts_with("0.2."))
}

/// Defines what a component imports of WASI, under the very names that it uses.
///
/// # Errors
/// `internal` when the linker refuses a definition.
pub(crate) fn link(linker: &mut Linker<GuestState>, component: &Component) -> Result<(), Error> {
    let (ty, engine) = (component.component_type(), component.engine());
    for (import, item) in ty.imports(engine) {
        let (Some(interface), ComponentItem::ComponentInstance(instance)) = (interface(import), item.ty) else {
            continue;
        };
        let mut space = linker.instance(import).map_err(|error| refused(import, &error))?;
        define(&mut space, interface, component, &instance).map_err(|error| refused(import, &error))?;
    }
    Ok(())
}

fn refused(import: &str, error: &wasmtime::Error) -> Error {
    Error::new(Code::Internal, format!("{import} cannot be defined: {error:#}"))
}

fn define(
    space: &mut LinkerInstance<'_, GuestState>,
    interface: &'static str,
    component: &Component,
    instance: &ComponentInstance,
) -> wasmtime::Result<()> {
    for (name, item) in instance.exports(component.engine()) {
        match item.ty {
            ComponentItem::Resource(_) => space.resource(name, ResourceType::host::<Nothing>(), |_, _| Ok(()))?,
            ComponentItem::ComponentFunc(_) if interface == STREAMS && name.contains("output-stream") => {
                stream(space, name)?;
            }
            ComponentItem::ComponentFunc(_) => {
                let (answer, function) = (Answer::of(interface, name), name.to_owned());
                space.func_new(name, move |store, _, _, results| match answer {
                    Some(answer) => answer.give(store, results),
                    None => Err(denied(interface, &function).into()),
                })?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// `variant stream-error`; none ever occurs.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    Failed(Resource<Nothing>),
    #[component(name = "closed")]
    Closed,
}

type Done<T> = wasmtime::Result<(Result<T, StreamError>,)>;

/// Standard output and error. Typed, because what is lent to a dynamic function can only be given back outside of calls
/// that share an executor.
fn stream(space: &mut LinkerInstance<'_, GuestState>, name: &str) -> wasmtime::Result<()> {
    type Store<'a> = StoreContextMut<'a, GuestState>;
    match name {
        "[method]output-stream.check-write" => {
            space.func_wrap(name, |_: Store<'_>, (_,): (Resource<Nothing>,)| -> Done<u64> { Ok((Ok(STREAM_ROOM),)) })
        }
        "[method]output-stream.write" | "[method]output-stream.blocking-write-and-flush" => {
            space.func_wrap(name, |store: Store<'_>, (_, bytes): (Resource<Nothing>, WasmList<u8>)| -> Done<()> {
                write(store.data(), bytes.as_le_slice(&store));
                Ok((Ok(()),))
            })
        }
        "[method]output-stream.flush" | "[method]output-stream.blocking-flush" => {
            space.func_wrap(name, |_: Store<'_>, (_,): (Resource<Nothing>,)| -> Done<()> { Ok((Ok(()),)) })
        }
        _ => {
            let function = name.to_owned();
            space.func_new(name, move |_, _, _, _| Err(denied(STREAMS, &function).into()))
        }
    }
}

fn denied(interface: &str, function: &str) -> Error {
    Error::new(Code::NotSupported, format!("the plugin used {interface}#{function}, which plugins do not have"))
        .remedy("use the host API instead (files, clocks, randomness and the network are behind its gate)")
        .with("import", format!("{interface}#{function}"))
}

/// What a function answers that does not end the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// An empty list.
    Empty,
    /// No value.
    Absent,
    /// Two random numbers for hash tables.
    Seed,
    /// A stream.
    Stream,
}

impl Answer {
    fn of(interface: &str, function: &str) -> Option<Self> {
        Some(match (interface, function) {
            ("wasi:cli/environment", "get-environment" | "get-arguments")
            | ("wasi:filesystem/preopens", "get-directories") => Self::Empty,
            ("wasi:cli/environment", "initial-cwd")
            | ("wasi:cli/terminal-stdin" | "wasi:cli/terminal-stdout" | "wasi:cli/terminal-stderr", _) => Self::Absent,
            ("wasi:random/insecure-seed", _) => Self::Seed,
            ("wasi:cli/stdin" | "wasi:cli/stdout" | "wasi:cli/stderr", _) => Self::Stream,
            _ => return None,
        })
    }

    fn give(self, mut store: StoreContextMut<'_, GuestState>, results: &mut [Val]) -> wasmtime::Result<()> {
        let value = match self {
            Self::Empty => Val::List(Vec::new()),
            Self::Absent => Val::Option(None),
            Self::Seed => {
                let state = RandomState::new();
                Val::Tuple(vec![Val::U64(state.hash_one(0)), Val::U64(state.hash_one(1))])
            }
            Self::Stream => Val::Resource(ResourceAny::try_from_resource(Resource::<Nothing>::new_own(0), &mut store)?),
        };
        if let Some(result) = results.first_mut() {
            *result = value;
        }
        Ok(())
    }
}

fn write(state: &GuestState, bytes: &[u8]) {
    for line in String::from_utf8_lossy(bytes).lines().filter(|line| !line.trim().is_empty()) {
        state.log("info", line, serde_json::Value::Null);
    }
}
