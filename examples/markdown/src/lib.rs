//! Renders Markdown to HTML that is safe to show: CommonMark with tables, footnotes, strikethrough, task lists and
//! heading ids.
//!
//! [`render`] is the whole logic; `plugin` offers it to a host as the actions `render` and `render_with`.

mod links;
mod options;
mod plugin;
mod render;
mod slug;

pub use options::{Options, RawHtml};
pub use plugin::Markdown;
pub use render::{DOCUMENT_CAP, RenderError, render};

midplane_sdk::plugin!(Markdown);
