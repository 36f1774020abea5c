//! The workspace as cargo describes it: its root, its packages and what they depend on.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::cargo;

/// One package of the workspace.
#[derive(Debug, Clone)]
pub struct Package {
    /// The name in its `Cargo.toml`.
    pub name: String,
    /// Its folder, relative to the root, with `/` between the parts.
    pub folder: String,
    /// The packages of this workspace that it needs to build. Dev-dependencies are not among them.
    pub needs: Vec<String>,
}

/// The folder that holds the workspace's `Cargo.toml`.
///
/// # Errors
/// When this is not run inside the workspace.
pub fn root() -> Result<PathBuf> {
    let text = cargo::output(&["locate-project", "--workspace", "--message-format", "plain"])?;
    let manifest = PathBuf::from(text.trim());
    let root = manifest.parent().context("cargo named a Cargo.toml without a folder")?;
    Ok(root.to_path_buf())
}

/// The folder that cargo builds into.
///
/// # Errors
/// When cargo fails.
pub fn target_folder() -> Result<PathBuf> {
    let metadata = metadata()?;
    Ok(PathBuf::from(text(&metadata, "target_directory")?))
}

/// Every package of the workspace, ordered by name.
///
/// Dependencies are read as written, not as resolved, so that a forbidden arrow is seen even behind a feature.
///
/// # Errors
/// When cargo fails or answers in a shape that is not its documented one.
pub fn packages() -> Result<Vec<Package>> {
    let metadata = metadata()?;
    let root = PathBuf::from(text(&metadata, "workspace_root")?);
    let Some(entries) = metadata.get("packages").and_then(Value::as_array) else {
        bail!("`cargo metadata` has no `packages`");
    };
    let mut packages = entries.iter().map(|entry| package(&root, entry)).collect::<Result<Vec<_>>>()?;
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(packages)
}

fn metadata() -> Result<Value> {
    let json = cargo::output(&["metadata", "--no-deps", "--format-version", "1"])?;
    serde_json::from_str(&json).context("reading what `cargo metadata` printed")
}

fn package(root: &Path, entry: &Value) -> Result<Package> {
    let manifest = PathBuf::from(text(entry, "manifest_path")?);
    let folder = manifest.parent().and_then(|folder| folder.strip_prefix(root).ok()).unwrap_or(root);
    let dependencies = entry.get("dependencies").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let needs =
        dependencies.iter().filter(|d| is_local(d) && !is_dev(d)).map(|d| text(d, "name")).collect::<Result<_>>()?;
    Ok(Package { name: text(entry, "name")?, folder: folder.to_string_lossy().replace('\\', "/"), needs })
}

fn is_local(dependency: &Value) -> bool {
    dependency.get("path").is_some_and(Value::is_string)
}

fn is_dev(dependency: &Value) -> bool {
    dependency.get("kind").and_then(Value::as_str) == Some("dev")
}

fn text(value: &Value, key: &str) -> Result<String> {
    let found = value.get(key).and_then(Value::as_str);
    Ok(found.with_context(|| format!("`cargo metadata` left out `{key}`"))?.to_owned())
}
