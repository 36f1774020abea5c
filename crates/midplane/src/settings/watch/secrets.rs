//! The files that plugins' secrets are in, and who has to be told when one of them changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use midplane_contract::settings::PluginSettings;
use midplane_contract::{PluginId, SecretRef, Settings};
use midplane_kernel::{Kernel, block_on};

use super::{Stamp, stamp};

/// The files of secrets as they were.
pub(super) struct Seen(BTreeMap<PathBuf, Stamp>);

impl Seen {
    /// The files, as if none of them had been there: each is looked at.
    pub(super) fn nothing(settings: &Settings) -> Self {
        Self(files(settings).into_iter().map(|file| (file, None)).collect())
    }

    fn of(settings: &Settings) -> Self {
        Self(files(settings).into_iter().map(|file| (file.clone(), stamp(&file))).collect())
    }

    /// Hands secrets that have changed to the plugins that have them. Files that are new here have been read with the
    /// settings that name them.
    pub(super) fn look(&mut self, kernel: &Kernel, settings: &Settings) {
        let now = Self::of(settings);
        let is_other = |file: &PathBuf| self.0.get(file).is_some_and(|seen| now.0.get(file) != Some(seen));
        let changed: BTreeSet<&PathBuf> = now.0.keys().filter(|file| is_other(file)).collect();
        if !changed.is_empty() {
            let concerned =
                users(settings).into_iter().filter(|(_, files)| files.iter().any(|file| changed.contains(file)));
            concerned.for_each(|(id, _)| renew(kernel, &id));
        }
        *self = now;
    }
}

/// Hands secrets that settings name to the plugins that have them, where they are others by now.
pub(super) fn renew_named(kernel: &Kernel, settings: &Settings) {
    let named = |plugin: &PluginSettings| {
        SecretRef::all_in(&plugin.config).iter().any(|place| matches!(place, SecretRef::Named(_)))
    };
    settings.plugins.iter().filter(|(_, plugin)| named(plugin)).for_each(|(id, _)| renew(kernel, id));
}

fn renew(kernel: &Kernel, id: &PluginId) {
    // One that is not loaded reads them when it is.
    if kernel.status(id).is_ok_and(|status| status.generation.is_some()) {
        match block_on(kernel.renew_secrets(id)) {
            Ok(()) => tracing::info!(plugin = %id, "a changed secret is in effect"),
            Err(error) => tracing::error!(plugin = %id, %error, "a changed secret is not in effect"),
        }
    }
}

fn files(settings: &Settings) -> BTreeSet<PathBuf> {
    users(settings).into_values().flatten().collect()
}

/// The plugins with secrets in files, and those.
fn users(settings: &Settings) -> BTreeMap<PluginId, BTreeSet<PathBuf>> {
    let of = |(id, plugin): (&PluginId, &PluginSettings)| {
        let places = SecretRef::all_in(&plugin.config).into_iter();
        let files: BTreeSet<PathBuf> = places.filter_map(|place| file(place, settings)).collect();
        (!files.is_empty()).then(|| (id.clone(), files))
    };
    settings.plugins.iter().filter_map(of).collect()
}

fn file(place: SecretRef, settings: &Settings) -> Option<PathBuf> {
    match place {
        SecretRef::File(file) => Some(file),
        SecretRef::Named(name) => match settings.secrets.get(&name) {
            Some(SecretRef::File(file)) => Some(file.clone()),
            _ => None,
        },
        SecretRef::Env(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::tests::settled;

    #[test]
    fn a_plugin_is_known_by_the_files_that_its_secrets_are_in() {
        let settings = settled(&[
            "secrets={named: 'file:/n', env: 'env:X'}",
            "plugins.a.config={deep: [{key: {secret: 'file:/d'}}], n: {secret: named}, e: {secret: env}, x: {secret: gone}}",
            "plugins.b.config={plain: 'file:/no', e: {secret: 'env:Y'}}",
        ]);
        let users = users(&settings);
        assert_eq!(users.len(), 1);
        let files: Vec<&Path> = users.values().flatten().map(PathBuf::as_path).collect();
        assert_eq!(files, [Path::new("/d"), Path::new("/n")]);
    }
}
