//! The text protocol of `contract/text.md`: JSON messages instead of frames.
//!
//! [`Translator`] turns the host's side of the wire protocol into messages for the plugin and what the plugin says into
//! frames for the host. It does no I/O. `carrier` puts it on a stream of lines, for scripts; whoever carries
//! messages in another way, a WebSocket for instance, drives a translator itself.

mod answer;
mod carrier;
mod fields;
mod flow;
mod hooks;
mod host;
mod message;
mod payload;
mod plugin;
mod register;
#[cfg(test)]
mod tests;
mod translator;

pub(crate) use carrier::TextCarrier;
pub use payload::Encoding;
pub use register::Registration;
pub use translator::Translator;
