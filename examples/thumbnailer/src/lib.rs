//! Makes small pictures of large ones: JPEG, PNG, GIF, BMP or WebP in, PNG out.
//!
//! [`thumbnail`] and [`inspect`] are the whole logic; `plugin` offers them to a host as the actions `thumbnail`,
//! `thumbnail_with` and `inspect`.

mod fault;
mod options;
mod picture;
mod plugin;
mod thumbnail;

pub use fault::Fault;
pub use options::Options;
pub use picture::{Picture, inspect};
pub use plugin::Thumbnailer;
pub use thumbnail::thumbnail;

midplane_sdk::plugin!(Thumbnailer);
