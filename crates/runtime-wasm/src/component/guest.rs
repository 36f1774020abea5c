//! One instance of a component: its four entries, typed.

use midplane_contract::{Code, Error, Hook};
use midplane_kernel::Reply;
use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, Instance, InstancePre, TypedFunc};

use crate::component::types;
use crate::fault::Fault;
use crate::guest::{Blueprint, Guest};
use crate::state::GuestState;

/// Where the entries of the world are in one component.
#[derive(Clone)]
pub(crate) struct Entries {
    describe: ComponentExportIndex,
    identify: ComponentExportIndex,
    resolve: ComponentExportIndex,
    call: ComponentExportIndex,
    hook: ComponentExportIndex,
}

impl Entries {
    /// Finds them.
    ///
    /// # Errors
    /// `missing_symbol`, or `abi_mismatch` when the component has the world in another major version.
    pub(crate) fn find(component: &Component) -> Result<Self, Error> {
        let wanted = format!("midplane:plugin/guest@{}", midplane_contract::CONTRACT_VERSION);
        let Some(guest) = component.get_export_index(None, &wanted) else { return Err(no_world(component, &wanted)) };
        let find = |name: &str| {
            component.get_export_index(Some(&guest), name).ok_or_else(|| {
                Error::new(Code::MissingSymbol, format!("the component's {wanted} has no {name}")).with("symbol", name)
            })
        };
        Ok(Self {
            describe: find("describe")?,
            identify: find("identify")?,
            resolve: find("resolve-action")?,
            call: find("call")?,
            hook: find("hook")?,
        })
    }
}

fn no_world(component: &Component, wanted: &str) -> Error {
    let ty = component.component_type();
    let other =
        ty.exports(component.engine()).map(|(name, _)| name).find(|name| name.starts_with("midplane:plugin/guest"));
    match other {
        Some(found) => Error::new(Code::AbiMismatch, format!("the component has {found}, this host knows {wanted}"))
            .remedy("build it against the WIT of this host's version")
            .with("required", wanted)
            .with("found", found),
        None => Error::new(Code::MissingSymbol, format!("the component is no plugin: it does not export {wanted}"))
            .remedy("build it in the world of contract/plugin.wit")
            .with("symbol", wanted),
    }
}

/// What component instances are made from.
pub(crate) struct ComponentBlueprint {
    pub(crate) pre: InstancePre<GuestState>,
    pub(crate) entries: Entries,
    /// The component's own number of each action.
    pub(crate) numbers: Vec<u32>,
}

impl Blueprint for ComponentBlueprint {
    type Guest = ComponentGuest;

    fn instantiate(&self, store: &mut Store<GuestState>) -> Result<ComponentGuest, Fault> {
        let instance = self.pre.instantiate(&mut *store)?;
        Ok(ComponentGuest {
            call: instance.get_typed_func(&mut *store, self.entries.call)?,
            hook: instance.get_typed_func(&mut *store, self.entries.hook)?,
            identify: instance.get_typed_func(&mut *store, self.entries.identify)?,
            numbers: self.numbers.as_slice().into(),
            instance,
        })
    }
}

type CallFunc = TypedFunc<(u32, &'static [u8]), (Result<Vec<u8>, types::Error>,)>;
type HookFunc = TypedFunc<(u32, &'static [u8]), (Result<Option<Vec<u8>>, types::Error>,)>;

/// One instance of a component.
pub(crate) struct ComponentGuest {
    instance: Instance,
    call: CallFunc,
    hook: HookFunc,
    identify: TypedFunc<(&'static str,), ()>,
    numbers: Box<[u32]>,
}

impl ComponentGuest {
    /// What the component says of itself: JSON, and its hooks by number.
    pub(crate) fn describe(&self, store: &mut Store<GuestState>, entries: &Entries) -> Result<(String, u32), Fault> {
        let describe = self.instance.get_typed_func::<(), (types::Description,)>(&mut *store, &entries.describe)?;
        let (description,) = describe.call(&mut *store, ())?;
        Ok((description.info, description.hooks))
    }

    /// The component's number of an action.
    pub(crate) fn resolve(
        &self,
        store: &mut Store<GuestState>,
        entries: &Entries,
        name: &str,
    ) -> Result<Option<u32>, Fault> {
        let resolve = self.instance.get_typed_func::<(&str,), (Option<u32>,)>(&mut *store, &entries.resolve)?;
        Ok(resolve.call(&mut *store, (name,))?.0)
    }

    #[inline]
    fn number(&self, action: u32) -> Result<u32, Fault> {
        self.numbers.get(action as usize).copied().ok_or_else(|| {
            Fault::Clean(Error::new(Code::ActionNotFound, format!("the component has no action with number {action}")))
        })
    }
}

impl Guest for ComponentGuest {
    type Answer = Vec<u8>;

    fn identify(&mut self, store: &mut Store<GuestState>, identity: &str) -> Result<(), Fault> {
        self.identify.call(&mut *store, (identity,)).map_err(Fault::Engine)
    }

    #[inline]
    fn call(&mut self, store: &mut Store<GuestState>, action: u32, input: &[u8]) -> Result<Vec<u8>, Fault> {
        let (answer,) = self.call.call(&mut *store, (self.number(action)?, input))?;
        answer.map_err(|error| Fault::Clean(error.into()))
    }

    async fn call_async(&mut self, store: &mut Store<GuestState>, action: u32, input: &[u8]) -> Result<Vec<u8>, Fault> {
        let (answer,) = self.call.call_async(&mut *store, (self.number(action)?, input)).await?;
        answer.map_err(|error| Fault::Clean(error.into()))
    }

    #[inline]
    fn deliver(&self, _: &Store<GuestState>, answer: Vec<u8>, reply: &mut Reply<'_>) -> Result<(), Fault> {
        if answer.is_empty() { Ok(()) } else { reply.write_owned(answer).map_err(Fault::Clean) }
    }

    fn hook(&mut self, store: &mut Store<GuestState>, hook: Hook, input: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        let number = Hook::ALL.iter().position(|known| *known == hook).and_then(|number| u32::try_from(number).ok());
        let (answer,) = self.hook.call(&mut *store, (number.unwrap_or(u32::MAX), input))?;
        answer.map_err(|error| Fault::Clean(error.into()))
    }
}
