//! What an author implements.

use crate::Definition;

/// A plugin. `Default` makes an instance; each instance gets one call or hook at a time, so `&mut self` needs no lock.
pub trait Plugin: Default + Send + 'static {
    /// Says which actions and hooks the plugin has. Runs once per instance, before everything else, and must not
    /// depend on anything: the host relies on all instances having the same actions in the same order.
    fn define() -> Definition<Self>;
}

/// Makes a type that implements [`Plugin`] the plugin of this library. Exactly once per library.
///
/// The crate's name, version, description, authors, licence and homepage from `Cargo.toml` become the plugin's info,
/// where [`Definition`] does not say otherwise.
#[macro_export]
macro_rules! plugin {
    ($plugin:ty) => {
        const _: () = {
            const STAMP: $crate::backend::Stamp = $crate::backend::Stamp {
                name: env!("CARGO_PKG_NAME"),
                version: env!("CARGO_PKG_VERSION"),
                description: env!("CARGO_PKG_DESCRIPTION"),
                authors: env!("CARGO_PKG_AUTHORS"),
                license: env!("CARGO_PKG_LICENSE"),
                homepage: env!("CARGO_PKG_HOMEPAGE"),
            };
            $crate::__midplane_export!($plugin, STAMP);
        };
    };
}
