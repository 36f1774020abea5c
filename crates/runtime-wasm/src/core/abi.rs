//! Which entries of the ABI a module exports, and in which of the allowed shapes.

use std::collections::BTreeMap;

use midplane_contract::{Code, Error, Hook, Result};
use wasmtime::{ExternType, FuncType, Module, ModuleExport, ValType};

/// The hooks that a module must export, with `memory`.
const REQUIRED: [Hook; 5] = [Hook::Init, Hook::Start, Hook::Stop, Hook::Cleanup, Hook::Info];

/// The entries of one module.
#[derive(Clone)]
pub(crate) struct Abi {
    pub(crate) memory: ModuleExport,
    pub(crate) initialize: Option<ModuleExport>,
    /// `malloc` or `plugin_alloc`.
    pub(crate) alloc: Option<ModuleExport>,
    /// `plugin_call`.
    pub(crate) call: Option<ModuleExport>,
    /// `plugin_resolve_action`.
    pub(crate) resolve: Option<ModuleExport>,
    /// `plugin_hooks`.
    pub(crate) mask: Option<ModuleExport>,
    /// `plugin_identify`.
    pub(crate) identify: Option<ModuleExport>,
    hooks: BTreeMap<&'static str, HookEntry>,
    /// What follows `plugin_` in the name of an export of its own, for each action that has one.
    pub(crate) own: BTreeMap<String, OwnEntry>,
}

/// A hook's export.
#[derive(Clone, Copy)]
pub(crate) struct HookEntry {
    pub(crate) export: ModuleExport,
    pub(crate) takes_input: bool,
    pub(crate) gives: Gives,
}

/// What a hook's export returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gives {
    Nothing,
    Status,
    Packed,
    /// A pointer to zero-terminated text: `plugin_get_info` alone.
    Text,
}

/// An action's own export.
#[derive(Clone, Copy)]
pub(crate) enum OwnEntry {
    /// Bytes in, bytes out.
    Bytes(ModuleExport),
    /// Numbers in, at most one number out.
    Numbers(ModuleExport),
}

impl Abi {
    /// Finds the entries.
    ///
    /// # Errors
    /// `missing_symbol` with all required names that are missing; `abi_mismatch` for one of the wrong shape.
    pub(crate) fn read(module: &Module) -> Result<Self> {
        let memory = required(module)?;
        let function = |name: &str, parameters: &[ValType], results: &[ValType]| -> Result<Option<ModuleExport>> {
            let Some(ExternType::Func(found)) = module.get_export(name) else { return Ok(None) };
            if !has_shape(&found, parameters, results) {
                return Err(wrong_shape(name, &found));
            }
            Ok(module.get_export_index(name))
        };
        let (i32s, i64s) = ([ValType::I32, ValType::I32, ValType::I32], [ValType::I64]);
        let [one, two] = [&i32s[..1], &i32s[..2]];
        let alloc = match function("plugin_alloc", one, one)? {
            Some(alloc) => Some(alloc),
            None => function("malloc", one, one)?,
        };
        let (hooks, own) = (hooks(module)?, own(module));
        Ok(Self {
            memory,
            initialize: function("_initialize", &[], &[])?,
            alloc,
            call: function("plugin_call", &i32s, &i64s)?,
            resolve: function("plugin_resolve_action", two, one)?,
            mask: function("plugin_hooks", &[], one)?,
            identify: function("plugin_identify", two, &[])?,
            hooks,
            own,
        })
    }

    /// A hook's export.
    pub(crate) fn hook(&self, hook: Hook) -> Option<&HookEntry> {
        self.hooks.get(hook.symbol())
    }

    /// Forgets the hooks whose bit is not set.
    pub(crate) fn keep(&mut self, mask: u32) {
        let has = |hook: &Hook| mask >> (*hook as u32) & 1 == 1;
        self.hooks.retain(|name, _| Hook::ALL.iter().any(|hook| hook.symbol() == *name && has(hook)));
    }

    /// The hooks that the module has.
    pub(crate) fn hooks(&self) -> Vec<Hook> {
        Hook::ALL.iter().copied().filter(|hook| self.hook(*hook).is_some()).collect()
    }

    /// The own export of an action.
    pub(crate) fn own(&self, action: &str) -> Option<OwnEntry> {
        self.own.get(&symbol_of(action)).copied()
    }
}

/// How an action's name stands in the name of its export, after `plugin_`.
pub(crate) fn symbol_of(action: &str) -> String {
    action.chars().map(|letter| if "./:-@#".contains(letter) { '_' } else { letter }).collect()
}

fn required(module: &Module) -> Result<ModuleExport> {
    let memory = match module.get_export("memory") {
        Some(ExternType::Memory(memory)) if !memory.is_64() && !memory.is_shared() => module.get_export_index("memory"),
        _ => None,
    };
    let mut missing: Vec<&str> = memory.is_none().then_some("memory").into_iter().collect();
    let has = |name: &str| matches!(module.get_export(name), Some(ExternType::Func(_)));
    missing.extend(REQUIRED.iter().map(|hook| hook.symbol()).filter(|name| !has(name)));
    match (memory, missing.as_slice()) {
        (Some(memory), []) => Ok(memory),
        (_, names) => Err(Error::new(
            Code::MissingSymbol,
            format!("the module is no plugin: it does not export {}", names.join(", ")),
        )
        .remedy("export them as contract/core-wasm.md says, or build a component")
        .with("symbol", names.first().copied().unwrap_or("memory"))
        .with("missing", names)),
    }
}

fn hooks(module: &Module) -> Result<BTreeMap<&'static str, HookEntry>> {
    let mut hooks = BTreeMap::new();
    for hook in Hook::ALL {
        let name = hook.symbol();
        let Some(ExternType::Func(found)) = module.get_export(name) else { continue };
        let Some(export) = module.get_export_index(name) else { continue };
        let takes_input = has_params(&found, &[ValType::I32, ValType::I32]);
        let gives = match found.results().next() {
            None => Gives::Nothing,
            Some(ValType::I64) => Gives::Packed,
            Some(ValType::I32) if *hook == Hook::Info => Gives::Text,
            Some(ValType::I32) => Gives::Status,
            Some(_) => return Err(wrong_shape(name, &found)),
        };
        if found.results().len() > 1 || !(takes_input || found.params().len() == 0) {
            return Err(wrong_shape(name, &found));
        }
        hooks.insert(name, HookEntry { export, takes_input, gives });
    }
    Ok(hooks)
}

fn own(module: &Module) -> BTreeMap<String, OwnEntry> {
    let reserved = |name: &str| {
        const ENTRIES: [&str; 6] =
            ["plugin_call", "plugin_resolve_action", "plugin_alloc", "plugin_free", "plugin_hooks", "plugin_identify"];
        ENTRIES.contains(&name) || Hook::ALL.iter().any(|hook| hook.symbol() == name)
    };
    module
        .exports()
        .filter(|export| !reserved(export.name()))
        .filter_map(|export| {
            let action = export.name().strip_prefix("plugin_")?;
            let ExternType::Func(shape) = export.ty() else { return None };
            let index = module.get_export_index(export.name())?;
            let entry = if has_shape(&shape, &[ValType::I32, ValType::I32], &[ValType::I64]) {
                OwnEntry::Bytes(index)
            } else if shape.params().chain(shape.results()).all(|kind| is_number(&kind)) && shape.results().len() <= 1 {
                OwnEntry::Numbers(index)
            } else {
                return None;
            };
            Some((action.to_owned(), entry))
        })
        .collect()
}

fn is_number(kind: &ValType) -> bool {
    matches!(kind, ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64)
}

fn has_params(found: &FuncType, parameters: &[ValType]) -> bool {
    found.params().len() == parameters.len() && found.params().zip(parameters).all(|(a, b)| ValType::eq(&a, b))
}

fn has_shape(found: &FuncType, parameters: &[ValType], results: &[ValType]) -> bool {
    has_params(found, parameters)
        && found.results().len() == results.len()
        && found.results().zip(results).all(|(a, b)| ValType::eq(&a, b))
}

fn wrong_shape(name: &str, found: &FuncType) -> Error {
    Error::new(Code::AbiMismatch, format!("the export {name} has a shape that the ABI does not know: {found}"))
        .remedy("see contract/core-wasm.md for the shapes that it may have")
        .with("symbol", name)
        .with("found", found.to_string())
}
