//! The embedded engine against real plugins and real faults.

mod conformance;
mod globals;
mod hostile;
mod modules;
mod plugins;
mod stage;
mod timers;
mod typescript;
