//! The files that plugins' secrets are in, and who has to be told when one of them changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use midplane_contract::{PluginId, SecretRef, Settings};
use midplane_kernel::{Kernel, Policy, block_on};

use super::{Stamp, stamp};

/// The files of secrets as they were.
pub(super) struct Seen(BTreeMap<PathBuf, Stamp>);

impl Seen {
    /// The files, as if none of them had been there: each is looked at.
    pub(super) fn nothing(kernel: &Kernel, settings: &Settings) -> Self {
        let files = users(&kernel.policies(), settings).into_values().flatten();
        Self(files.map(|file| (file, None)).collect())
    }

    /// Hands secrets that have changed to the plugins that have them. Files that are new here have been read with the
    /// settings that name them.
    pub(super) fn look(&mut self, kernel: &Kernel, settings: &Settings) {
        let users = users(&kernel.policies(), settings);
        let files: BTreeSet<&PathBuf> = users.values().flatten().collect();
        let now = Self(files.into_iter().map(|file| (file.clone(), stamp(file))).collect());
        let is_other = |file: &PathBuf| self.0.get(file).is_some_and(|seen| now.0.get(file) != Some(seen));
        let changed: BTreeSet<&PathBuf> = now.0.keys().filter(|file| is_other(file)).collect();
        if !changed.is_empty() {
            let concerned = users.iter().filter(|(_, files)| files.iter().any(|file| changed.contains(file)));
            concerned.for_each(|(id, _)| renew(kernel, id));
        }
        *self = now;
    }
}

/// Hands secrets that settings name to the plugins that have them, where they are others by now.
pub(super) fn renew_named(kernel: &Kernel) {
    let named =
        |policy: &Policy| SecretRef::all_in(&policy.config).iter().any(|place| matches!(place, SecretRef::Named(_)));
    kernel.policies().iter().filter(|(_, policy)| named(policy)).for_each(|(id, _)| renew(kernel, id));
}

fn renew(kernel: &Kernel, id: &PluginId) {
    // One that is not loaded reads them when it is.
    if kernel.status(id).is_ok_and(|status| status.generation.is_some()) {
        match block_on(kernel.renew_secrets(id)) {
            Ok(true) => tracing::info!(plugin = %id, "a changed secret is in effect"),
            Ok(false) => {}
            Err(error) => tracing::error!(plugin = %id, %error, "a changed secret is not in effect"),
        }
    }
}

/// The plugins with secrets in files, and those: by the configurations that they have, which may have been kept or come from
/// another host.
fn users(policies: &BTreeMap<PluginId, Policy>, settings: &Settings) -> BTreeMap<PluginId, BTreeSet<PathBuf>> {
    let of = |(id, policy): (&PluginId, &Policy)| {
        let places = SecretRef::all_in(&policy.config).into_iter();
        let files: BTreeSet<PathBuf> = places.filter_map(|place| file(place, settings)).collect();
        (!files.is_empty()).then(|| (id.clone(), files))
    };
    policies.iter().filter_map(of).collect()
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
    use crate::settings::policies;
    use crate::settings::tests::settled;

    #[test]
    fn a_plugin_is_known_by_the_files_that_its_secrets_are_in() {
        let settings = settled(&[
            "secrets={named: 'file:/n', env: 'env:X'}",
            "plugins.a.config={deep: [{key: {secret: 'file:/d'}}], n: {secret: named}, e: {secret: env}, x: {secret: gone}}",
            "plugins.b.config={plain: 'file:/no', e: {secret: 'env:Y'}}",
        ]);
        let users = users(&policies(&settings), &settings);
        assert_eq!(users.len(), 1);
        let files: Vec<&Path> = users.values().flatten().map(PathBuf::as_path).collect();
        assert_eq!(files, [Path::new("/d"), Path::new("/n")]);
    }
}
