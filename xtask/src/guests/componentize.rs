//! Makes components of core modules.

use std::path::Path;

use anyhow::{Context, Result};
use wit_component::{ComponentEncoder, StringEncoding, metadata};
use wit_parser::Resolve;

/// The world of `contract/plugin.wit` in the form that modules carry it in.
///
/// # Errors
/// When the file cannot be read or has faults.
pub(super) fn world(root: &Path) -> Result<Vec<u8>> {
    let path = root.join("contract/plugin.wit");
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let mut resolve = Resolve::default();
    let package = resolve.push_str(&path, &text)?;
    let world = resolve.select_world(&[package], Some("plugin"))?;
    metadata::encode(&resolve, world, StringEncoding::UTF8, None)
}

/// A component of a module that carries its world.
///
/// # Errors
/// When the module does not fit its world.
pub(super) fn component(module: &[u8]) -> Result<Vec<u8>> {
    ComponentEncoder::default().module(module)?.validate(true).encode()
}
