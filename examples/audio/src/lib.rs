//! Says what is in a sound file: container, codec, duration, sample rate, channels, tags, peak and mean level.
//!
//! [`inspect`] is the whole logic; `plugin` offers it to a host as the action `inspect`.

mod fault;
mod inspect;
mod level;
mod plugin;
mod riff;
mod tags;

pub use fault::Fault;
pub use inspect::{Sound, inspect};
pub use level::Level;
pub use plugin::Audio;

midplane_sdk::plugin!(Audio);
