//! The native backend: the C ABI of `contract/midplane.h`.

/// Exports the plugin's table.
#[doc(hidden)]
#[macro_export]
macro_rules! __midplane_export {
    ($plugin:ty, $stamp:expr) => {
        const _: $crate::backend::Stamp = $stamp;
    };
}
