//! The library as its users have it: every behaviour in every runtime and placement, with real plugins.

mod matrix;
mod sabotage;
mod subjects;
mod threads;
