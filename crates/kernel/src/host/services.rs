//! `service.find` and `service.call`.

use std::sync::Arc;

use midplane_contract::{Code, Error, Result, VersionRange};
use serde_json::{Value, json};

use super::{Binding, json as as_json, missing};
use crate::action::CallOptions;
use crate::kernel::Inner;
use crate::runtime::Within;
use crate::services;

/// Who provides an interface: `[{plugin, version, priority}]`, best first.
pub(super) fn find(kernel: &Inner, args: &Value) -> Result<Vec<u8>> {
    let (interface, range) = wanted(args)?;
    let providers = services::providers(kernel, interface, &range);
    let shown = providers.iter().filter(|provider| provider.refused.is_none()).map(
        |provider| json!({ "plugin": provider.plugin, "version": provider.version, "priority": provider.priority }),
    );
    as_json(&shown.collect())
}

/// Calls the best of them on behalf of the plugin.
pub(super) fn call(
    binding: &Binding,
    kernel: &Arc<Inner>,
    within: &Within<'_>,
    args: &Value,
    input: &[u8],
) -> Result<Vec<u8>> {
    let (interface, range) = wanted(args)?;
    let action = args.get("action").and_then(Value::as_str).ok_or_else(|| missing("action"))?;
    let options = CallOptions {
        deadline: Some(super::deadline(within, args)),
        caller: Some(binding.link(within)?),
        trace: within.scope.trace.clone(),
    };
    let service = kernel.services.handle(kernel, interface, &range);
    binding.nested.wait(service.call_with(action, input, options))
}

fn wanted(args: &Value) -> Result<(&str, VersionRange)> {
    let interface = args.get("interface").and_then(Value::as_str).ok_or_else(|| missing("interface"))?;
    let range = match args.get("range").and_then(Value::as_str) {
        Some(range) => VersionRange::parse(range).map_err(|error| Error::new(Code::InvalidInput, error.to_string()))?,
        None => VersionRange::any(),
    };
    Ok((interface, range))
}
