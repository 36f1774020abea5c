//! Loaded native code: what it says of itself, which actions it answers, and the instances it makes.

use std::sync::Arc;

use midplane_contract::{ActionName, Code as FaultCode, Error, Hook, Kind, PluginInfo, Result, Version, defaults};
use midplane_kernel::{Code, CodeFacts, Instance, InstanceContext, LoadRequest, Reply, Scope};
use serde_json::{Map, Value};

use crate::abi;
use crate::host::{Frame, HostSide};
use crate::image::Image;
use crate::instance::NativeInstance;
use crate::library::Library;
use crate::outcome;

/// Largest answer of the `info` hook, in bytes.
const INFO_CAP: usize = 1024 * 1024;

/// Loaded code of one generation.
pub(crate) struct NativeCode {
    facts: CodeFacts,
    library: Arc<Library>,
    call: abi::CallFn,
    actions: Arc<[i32]>,
    cap: usize,
}

impl NativeCode {
    /// Asks an open library what it is.
    ///
    /// # Errors
    /// What the `info` hook says, `protocol_error` for an answer that does not fit.
    pub(crate) fn new(library: Arc<Library>, image: &Image, request: &LoadRequest, lingers: bool) -> Result<Self> {
        let table = &library.table;
        let (Some(resolve), Some(call)) = (table.plugin_resolve_action, table.plugin_call) else {
            return Err(Error::new(FaultCode::Internal, "a table without its required functions was let through"));
        };
        let info = info(&library)?;
        let (actions, numbers) = actions(resolve, &info, request)?;
        let hooks = Hook::ALL.iter().zip(table.hooks).filter(|(_, run)| run.is_some()).map(|(hook, _)| *hook).collect();
        let facts = CodeFacts {
            info,
            actions,
            hooks,
            build_id: image.identity.clone(),
            stays_loaded: image.facts.stays_loaded.clone().or_else(|| lingers.then(|| LINGERS.to_owned())),
            details: details(&library, image),
        };
        let cap = request.limits.payload.and_then(|cap| usize::try_from(cap).ok()).unwrap_or(defaults::PAYLOAD_CAP);
        Ok(Self { facts, call, actions: numbers.into(), cap, library })
    }
}

const LINGERS: &str = "an earlier generation of it stayed in memory after it was closed (thread-local destructors)";

impl Code for NativeCode {
    fn facts(&self) -> &CodeFacts {
        &self.facts
    }

    fn instantiate(&self, context: InstanceContext) -> Result<Box<dyn Instance>> {
        let (library, actions) = (Arc::clone(&self.library), Arc::clone(&self.actions));
        Ok(Box::new(NativeInstance::create(library, self.call, actions, self.cap, context)?))
    }
}

fn info(library: &Library) -> Result<PluginInfo> {
    let Some(run) = library.table.hooks.first().copied().flatten() else { return Ok(PluginInfo::default()) };
    let side = HostSide::new(None, INFO_CAP);
    let scope = Scope::within(defaults::HOOK_DEADLINE);
    let mut answer = Vec::new();
    let mut reply = Reply::buffer(&mut answer, INFO_CAP);
    let mut frame = Frame::new(&side, &mut reply, &scope, None);
    // SAFETY: the header has this hook called without an instance; frame and host outlive the call.
    let status = unsafe { run(std::ptr::null_mut(), std::ptr::null(), 0, frame.pointer()) };
    outcome::of(status, &mut frame)?;
    let info: PluginInfo =
        serde_json::from_slice(&answer).map_err(|error| bad_info(&format!("its answer is no plugin info: {error}")))?;
    let version = info.version.strip_prefix('v').unwrap_or(&info.version);
    if !version.is_empty() {
        Version::parse(version).map_err(|error| bad_info(&format!("its version {version:?} is none: {error}")))?;
    }
    Ok(info)
}

fn bad_info(what: &str) -> Error {
    Error::new(FaultCode::ProtocolError, format!("plugin_get_info: {what}"))
        .kind(Kind::Load)
        .remedy("answer with a JSON object as the contract's info hook says")
}

/// The actions of the code's own info, then those that only the manifest names, as far as the code knows them.
fn actions(resolve: abi::ResolveFn, info: &PluginInfo, request: &LoadRequest) -> Result<(Vec<ActionName>, Vec<i32>)> {
    let mut names: Vec<ActionName> = Vec::new();
    let mut numbers = Vec::new();
    let own = info.actions.iter().map(|action| (&action.name, true));
    let manifest = request.manifest.actions.iter().map(|action| (&action.name, false));
    for (name, promised) in own.chain(manifest) {
        if names.contains(name) {
            continue;
        }
        let text = name.as_str();
        // SAFETY: the name lives until the function has returned.
        let number = unsafe { resolve(text.as_ptr(), text.len()) };
        if number >= 0 {
            names.push(name.clone());
            numbers.push(number);
        } else if promised {
            return Err(bad_info(&format!("it lists the action {name}, which plugin_resolve_action does not know")));
        }
    }
    Ok((names, numbers))
}

fn details(library: &Arc<Library>, image: &Image) -> Map<String, Value> {
    let opened = library.opened.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let facts = [
        ("path", Value::from(library.path().display().to_string())),
        ("size", image.bytes.len().into()),
        ("opened_ms", u64::try_from(opened.as_millis()).unwrap_or(u64::MAX).into()),
        ("references", Arc::strong_count(library).into()),
        ("abi", format!("{}.{}", library.table.abi_major, library.table.abi_minor).into()),
        ("symbols", image.facts.symbols.clone().into()),
    ];
    facts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
