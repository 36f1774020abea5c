//! Plugins that dial the host: over WebSocket, at `/plugin/connect`, with a one-use token.
//!
//! [`Host`] knows who may come, who is here and who was; it serves any WebSocket that somebody has accepted
//! ([`Incoming`], [`Outlet`]). [`Listener`] accepts them on a port of its own; a server that has one already hands them
//! over instead. `admission` decides, `visit` brings the plugin into the kernel as one like every other, `link` carries
//! the wire protocol between the WebSocket and `midplane-runtime-wire`, whose instances do the rest; for a plugin that speaks
//! the text protocol, `text` stands between the two and translates.
//!
//! What a plugin says and hears: `contract/text.md`, and `contract/wire.md` for the frames.

#![forbid(unsafe_code)]

mod admission;
mod host;
mod link;
mod listener;
mod origin;
mod pulse;
mod reception;
mod record;
mod refusals;
mod register;
mod roster;
mod settings;
mod socket;
mod stream;
mod text;
mod token;
mod visit;

pub use host::Host;
pub use listener::Listener;
pub use reception::Reception;
pub use record::Record;
pub use settings::Settings;
pub use socket::{Closing, Incoming, Message, Outlet};
pub use token::{Pass, Token};
