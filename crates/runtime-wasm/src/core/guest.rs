//! One instance of a core module: its entries, typed, and its input buffer.

use midplane_contract::{Code, Error, Hook};
use midplane_kernel::Reply;
use wasmtime::{Func, FuncType, Instance, InstancePre, Memory, ModuleExport, Store, TypedFunc, Val};

use crate::core::abi::{Abi, Gives, HookEntry};
use crate::core::input::{Alloc, Input, room_for};
use crate::core::numbers;
use crate::core::packed::{text_at, unpack};
use crate::fault::{Fault, plugin_error};
use crate::guest::{Blueprint, Guest};
use crate::state::GuestState;

/// How an action is reached.
#[derive(Clone, Copy)]
pub(crate) enum Route {
    /// `plugin_call` with this number.
    Call(u32),
    /// An export of its own.
    Own(crate::core::abi::OwnEntry),
}

/// What core instances are made from.
pub(crate) struct CoreBlueprint {
    pub(crate) pre: InstancePre<GuestState>,
    pub(crate) abi: Abi,
    pub(crate) routes: Vec<Route>,
}

impl Blueprint for CoreBlueprint {
    type Guest = CoreGuest;

    fn instantiate(&self, store: &mut Store<GuestState>) -> Result<CoreGuest, Fault> {
        let instance = self.pre.instantiate(&mut *store)?;
        if let Some(initialize) = &self.abi.initialize {
            function(&instance, store, initialize)?.typed::<(), ()>(&*store)?.call(&mut *store, ())?;
        }
        CoreGuest::new(self, instance, store)
    }
}

type Bytes = TypedFunc<(u32, u32), u64>;

enum Entry {
    Call(TypedFunc<(u32, u32, u32), u64>, u32),
    Bytes(Bytes),
    Numbers(Func, FuncType),
}

/// One instance of a core module.
pub(crate) struct CoreGuest {
    instance: Instance,
    memory: Memory,
    alloc: Option<Alloc>,
    entries: Vec<Entry>,
    hooks: Vec<(Hook, HookEntry)>,
    identify: Option<ModuleExport>,
    input: Input,
}

/// What a core call answers.
pub(crate) enum Answer {
    Packed(u64),
    Numbers(Vec<u8>),
}

impl CoreGuest {
    fn new(blueprint: &CoreBlueprint, instance: Instance, store: &mut Store<GuestState>) -> Result<Self, Fault> {
        let abi = &blueprint.abi;
        let memory = instance.get_module_export(&mut *store, &abi.memory).and_then(wasmtime::Extern::into_memory);
        let memory = memory.ok_or_else(|| missing("memory"))?;
        let alloc = match &abi.alloc {
            Some(alloc) => Some(function(&instance, store, alloc)?.typed(&*store)?),
            None => None,
        };
        let call = match &abi.call {
            Some(call) => Some(function(&instance, store, call)?.typed(&*store)?),
            None => None,
        };
        let mut entries = Vec::with_capacity(blueprint.routes.len());
        for route in &blueprint.routes {
            entries.push(entry(&instance, store, call.as_ref(), route)?);
        }
        let hooks = Hook::ALL.iter().filter_map(|hook| Some((*hook, *abi.hook(*hook)?))).collect();
        Ok(Self { instance, memory, alloc, entries, hooks, identify: abi.identify, input: Input::default() })
    }

    /// The number of an action by the module's own `plugin_resolve_action`; `None` when it knows none.
    pub(crate) fn resolve(
        &mut self,
        store: &mut Store<GuestState>,
        abi: &Abi,
        name: &str,
    ) -> Result<Option<u32>, Fault> {
        let Some(resolve) = &abi.resolve else { return Ok(None) };
        let place = self.place(store, name.as_bytes())?;
        let number: i32 = function(&self.instance, store, resolve)?.typed(&*store)?.call(&mut *store, place)?;
        Ok(u32::try_from(number).ok())
    }

    /// The bits of `plugin_hooks`; `None` when the module does not say.
    pub(crate) fn mask(&self, store: &mut Store<GuestState>, abi: &Abi) -> Result<Option<u32>, Fault> {
        let Some(mask) = &abi.mask else { return Ok(None) };
        Ok(Some(function(&self.instance, store, mask)?.typed(&*store)?.call(&mut *store, ())?))
    }

    fn place(&mut self, store: &mut Store<GuestState>, input: &[u8]) -> Result<(u32, u32), Fault> {
        place(&mut self.input, self.alloc.as_ref(), &self.memory, store, input)
    }
}

/// Copies an input into the guest's buffer, which is made larger first where that is needed.
#[inline]
fn place(
    buffer: &mut Input,
    alloc: Option<&Alloc>,
    memory: &Memory,
    store: &mut Store<GuestState>,
    input: &[u8],
) -> Result<(u32, u32), Fault> {
    if !buffer.fits(input.len()) {
        let room = room_for(input.len())?;
        match alloc {
            Some(alloc) => {
                let at = alloc.call(&mut *store, room)?;
                buffer.take(at, room, store)?;
            }
            None => buffer.grow(memory, store, room)?,
        }
    }
    buffer.copy(memory, store, input)
}

#[cold]
fn unknown(action: u32) -> Fault {
    Fault::Clean(Error::new(Code::ActionNotFound, format!("the module has no action with number {action}")))
}

impl Guest for CoreGuest {
    type Answer = Answer;

    #[inline]
    fn call(&mut self, store: &mut Store<GuestState>, action: u32, input: &[u8]) -> Result<Answer, Fault> {
        let Self { entries, input: buffer, alloc, memory, .. } = self;
        let mut place = |store: &mut _| place(buffer, alloc.as_ref(), memory, store, input);
        Ok(Answer::Packed(match entries.get(action as usize).ok_or_else(|| unknown(action))? {
            Entry::Bytes(function) => {
                let at = place(store)?;
                function.call(&mut *store, at)?
            }
            Entry::Call(function, number) => {
                let (at, len) = place(store)?;
                function.call(&mut *store, (*number, at, len))?
            }
            Entry::Numbers(function, shape) => {
                let parameters = numbers::parameters(shape, input).map_err(Fault::Clean)?;
                let mut results = vec![Val::I32(0); shape.results().len()];
                function.call(&mut *store, &parameters, &mut results)?;
                return Ok(Answer::Numbers(numbers::result(&results)));
            }
        }))
    }

    async fn call_async(&mut self, store: &mut Store<GuestState>, action: u32, input: &[u8]) -> Result<Answer, Fault> {
        let Self { entries, input: buffer, alloc, memory, .. } = self;
        let entry = entries.get(action as usize).ok_or_else(|| unknown(action))?;
        if let Entry::Numbers(function, shape) = entry {
            let parameters = numbers::parameters(shape, input).map_err(Fault::Clean)?;
            let mut results = vec![Val::I32(0); shape.results().len()];
            function.call_async(&mut *store, &parameters, &mut results).await?;
            return Ok(Answer::Numbers(numbers::result(&results)));
        }
        if let (false, Some(alloc)) = (buffer.fits(input.len()), alloc.as_ref()) {
            let room = room_for(input.len())?;
            let at = alloc.call_async(&mut *store, room).await?;
            buffer.take(at, room, store)?;
        }
        let (at, len) = place(buffer, alloc.as_ref(), memory, store, input)?;
        Ok(Answer::Packed(match entry {
            Entry::Call(function, number) => function.call_async(&mut *store, (*number, at, len)).await?,
            Entry::Bytes(function) => function.call_async(&mut *store, (at, len)).await?,
            Entry::Numbers(..) => 0,
        }))
    }

    #[inline]
    fn deliver(&self, store: &Store<GuestState>, answer: Answer, reply: &mut Reply<'_>) -> Result<(), Fault> {
        match answer {
            Answer::Packed(0) => Ok(()),
            Answer::Packed(packed) => {
                let bytes = unpack(packed, self.memory.data(store))?;
                if bytes.is_empty() { Ok(()) } else { reply.write(bytes).map_err(Fault::Clean) }
            }
            Answer::Numbers(json) => reply.write(&json).map_err(Fault::Clean),
        }
    }

    fn identify(&mut self, store: &mut Store<GuestState>, identity: &str) -> Result<(), Fault> {
        let Some(export) = self.identify else { return Ok(()) };
        let place = self.place(store, identity.as_bytes())?;
        function(&self.instance, store, &export)?.typed::<(u32, u32), ()>(&*store)?.call(&mut *store, place)?;
        Ok(())
    }

    fn hook(&mut self, store: &mut Store<GuestState>, hook: Hook, input: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        let Some((_, entry)) = self.hooks.iter().find(|(known, _)| *known == hook) else { return Ok(None) };
        let entry = *entry;
        let parameters = if entry.takes_input {
            let (at, len) = self.place(store, input)?;
            vec![Val::I32(at.cast_signed()), Val::I32(len.cast_signed())]
        } else {
            Vec::new()
        };
        let mut results = vec![Val::I32(0); usize::from(entry.gives != Gives::Nothing)];
        function(&self.instance, store, &entry.export)?.call(&mut *store, &parameters, &mut results)?;
        self.hook_answer(store, hook, entry.gives, results.first())
    }
}

impl CoreGuest {
    fn hook_answer(
        &self,
        store: &Store<GuestState>,
        hook: Hook,
        gives: Gives,
        result: Option<&Val>,
    ) -> Result<Option<Vec<u8>>, Fault> {
        let memory = self.memory.data(store);
        let bytes: &[u8] = match (gives, result) {
            (Gives::Status, Some(Val::I32(status))) if *status != 0 => return Err(status_error(hook, *status)),
            (Gives::Text, Some(Val::I32(at))) if *at != 0 => {
                text_at(memory, at.cast_unsigned(), hook.symbol()).map_err(Fault::Broken)?
            }
            (Gives::Packed, Some(Val::I64(packed))) => unpack(packed.cast_unsigned(), memory)?,
            _ => &[],
        };
        Ok(Some(bytes.to_vec()))
    }
}

fn status_error(hook: Hook, status: i32) -> Fault {
    let text = format!("{} returned error code: {status}", hook.symbol());
    let mut data = serde_json::Map::new();
    data.insert("status".to_owned(), status.into());
    Fault::Clean(plugin_error(status.to_string(), text, false, data))
}

fn entry(
    instance: &Instance,
    store: &mut Store<GuestState>,
    call: Option<&TypedFunc<(u32, u32, u32), u64>>,
    route: &Route,
) -> Result<Entry, Fault> {
    use crate::core::abi::OwnEntry;
    Ok(match route {
        Route::Call(number) => Entry::Call(call.ok_or_else(|| missing("plugin_call"))?.clone(), *number),
        Route::Own(OwnEntry::Bytes(export)) => Entry::Bytes(function(instance, store, export)?.typed(&*store)?),
        Route::Own(OwnEntry::Numbers(export)) => {
            let function = function(instance, store, export)?;
            let shape = function.ty(&*store);
            Entry::Numbers(function, shape)
        }
    })
}

fn function(instance: &Instance, store: &mut Store<GuestState>, export: &ModuleExport) -> Result<Func, Fault> {
    let found = instance.get_module_export(&mut *store, export).and_then(wasmtime::Extern::into_func);
    found.ok_or_else(|| missing("a function that the module exports"))
}

fn missing(name: &str) -> Fault {
    Fault::Broken(Error::new(Code::MissingSymbol, format!("{name} is not there")).with("symbol", name))
}
