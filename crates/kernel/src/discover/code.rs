//! Whether the files that a manifest names are there, and inside its folder.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use midplane_contract::manifest::{Entry, Fault, FaultCode, Named, Parsed, runtime_of_file};

use super::file::kind;

/// The code of a plugin, absolute. What is wrong with it and with the working folder is added to the faults; an entry
/// that the manifest leaves out is filled in where the folder holds exactly one file of code.
pub(super) fn resolve(parsed: &mut Parsed, folder: &Path) -> Option<PathBuf> {
    if let Some(named) = parsed.files.workdir.clone()
        && let Err(fault) = inside(&named, folder, "working folder", Metadata::is_dir)
    {
        parsed.faults.push(fault);
    }
    let Some(named) = parsed.files.main.clone() else { return only_file(parsed, folder) };
    if parsed.files.remote {
        return Some(folder.join(&named.path));
    }
    match inside(&named, folder, "code", Metadata::is_file) {
        Ok(main) => Some(main),
        Err(fault) => {
            parsed.faults.push(fault);
            None
        }
    }
}

fn inside(named: &Named, folder: &Path, what: &str, wanted: fn(&Metadata) -> bool) -> Result<PathBuf, Fault> {
    let path = &named.path;
    let missing = |message: String, remedy: &str| named.fault(FaultCode::MissingCode, message, remedy);
    let real = folder.join(path).canonicalize().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => missing(
            format!("the {what} `{path}` is not there"),
            "build the plugin, or correct the path; it starts at the manifest's folder",
        ),
        _ => missing(format!("the {what} `{path}` cannot be reached: {error}"), "check the path and its rights"),
    })?;
    if !real.starts_with(folder) {
        let message = format!("the {what} `{path}` is a link that leads out of the plugin's folder");
        return Err(named.fault(FaultCode::PathLeavesFolder, message, "put the file itself into the folder"));
    }
    let facts = real.metadata().map_err(|error| {
        missing(format!("the {what} `{path}` cannot be looked at: {error}"), "check the path and its rights")
    })?;
    if wanted(&facts) {
        return Ok(real);
    }
    let is = if facts.is_file() { "a file" } else { kind(&facts) };
    Err(missing(format!("the {what} `{path}` is {is}"), "correct the path"))
}

/// Packages need not say what to run where that is plain.
fn only_file(parsed: &mut Parsed, folder: &Path) -> Option<PathBuf> {
    let manifest = parsed.manifest.as_mut().filter(|manifest| manifest.entry.is_unnamed())?;
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten().take(10_000);
    let mut files: Vec<String> = names
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| runtime_of_file(name).is_some())
        .collect();
    files.sort();
    if let [only] = files.as_slice()
        && let Some(runtime) = runtime_of_file(only)
    {
        manifest.entry = Entry::new(only, runtime);
        return Some(folder.join(only));
    }
    let message = match files.as_slice() {
        [] => "the manifest names no code, and its folder holds none".to_owned(),
        several => format!("the manifest names no code, and its folder holds several files: {}", several.join(", ")),
    };
    let remedy = "write `entry: {main: FILE, runtime: RUNTIME}`";
    parsed.faults.push(Fault::without_place(FaultCode::MissingCode, "/entry/main", message, remedy));
    None
}
