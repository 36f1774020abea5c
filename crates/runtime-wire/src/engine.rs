//! Interpreters and engines that run plugins in languages of their own: which program that is on this machine, and the
//! SDK that it needs, brought along.

mod bundle;
pub mod executable;
pub mod node;
pub mod python;
pub mod script;
mod search;
mod shebang;
