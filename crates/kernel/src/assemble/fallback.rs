//! The ways to load a plugin here: its own code, and what its folder has for its fallbacks.

use std::path::{Path, PathBuf};

use midplane_contract::{Code as Fault, Error, Result};

use crate::discover::Found;
use crate::platform::{Adapter, Format, Needs, Platform};

/// The ways to load a plugin here, in the order in which they are tried: as it is, unless it is made for other systems;
/// then by each of its fallbacks whose code stands beside its own (`player.wasm` beside `player.dll`).
///
/// # Errors
/// `unsupported_platform` when it is made for other systems, and has no code for any of its fallbacks.
pub(super) fn ways(found: &Found, platform: &Platform) -> Result<Vec<Found>> {
    let needs = Needs::of(&found.manifest);
    let mut ways: Vec<Found> = (!platform.needs_fallback(&needs)).then(|| found.clone()).into_iter().collect();
    if found.own.is_some() || needs.compatibility.fallbacks.is_empty() {
        return Ok(ways);
    }
    let fallbacks = platform.assess(&needs).fallbacks;
    let adapters = fallbacks.iter().filter_map(|name| platform.adapters.iter().find(|adapter| adapter.name == *name));
    ways.extend(adapters.filter_map(|adapter| by(adapter, found, platform)).filter(|way| way.main != found.main));
    if ways.is_empty() {
        let message = format!("the plugin is made for {}", found.manifest.compatibility.platforms.join(", "));
        return Err(Error::new(
            Fault::UnsupportedPlatform,
            format!("{message}, and its folder has no code for its fallbacks"),
        )
        .remedy(format!("put code for one of them beside {}: {}", found.main.display(), fallbacks.join(", ")))
        .with("fallbacks", fallbacks));
    }
    Ok(ways)
}

/// What is said when no way worked; one that was the only one says itself why. Where all failed alike, that is what
/// went wrong.
pub(super) fn none_worked(mut errors: Vec<Error>) -> Error {
    match (errors.pop(), errors.as_slice()) {
        (Some(only), []) => only,
        (last, others) => {
            let all = others.iter().chain(&last);
            let message = format!("none of the {} ways to load the plugin here worked", all.clone().count());
            let first = others.first().map_or(Fault::UnsupportedPlatform, Error::code);
            let alike = all.clone().all(|error| error.code() == first);
            let error = Error::new(if alike { first } else { Fault::UnsupportedPlatform }, message)
                .remedy("see the causes, one for each way");
            all.fold(error, |error, cause| error.because(cause))
        }
    }
}

/// The plugin with the code that an adapter executes.
fn by(adapter: &Adapter, found: &Found, platform: &Platform) -> Option<Found> {
    let formats = adapter.formats(&platform.rules);
    let (main, format) = formats.iter().find_map(|format| Some((beside(found, format)?, format)))?;
    let mut way = found.clone();
    way.manifest.entry.runtime = format.runtime()?;
    way.manifest.entry.main = main.strip_prefix(&found.folder).ok()?.to_str()?.to_owned();
    way.main = main;
    Some(way)
}

/// The file of a format with the name of the plugin's own, inside its folder.
fn beside(found: &Found, format: &Format) -> Option<PathBuf> {
    let real = |ending: &&str| found.main.with_extension(ending).canonicalize().ok();
    let is_own = |path: &PathBuf| path.is_file() && path.starts_with::<&Path>(&found.folder);
    format.endings().iter().filter_map(real).find(is_own)
}
