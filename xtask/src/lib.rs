//! Development tasks, run as `cargo xtask TASK`.
//!
//! Each task is a module: [`demo`], [`mod@test`], [`ci_checks`], [`generate`], [`guests`], [`mod@bench`]. What they stand on:
//! [`cargo`] (the child process), [`build`] (the one way to build), [`step`] (saying what is going on),
//! [`stage`] (plugins as users have them), [`prerequisites`] (tools of the system), [`tally`] (adding up test reports),
//! [`cells`] (the table of behaviours and cells), [`suites`] (the tests of other languages),
//! [`packages`] (the SDKs as their users get them).
//! [`arrows`] and [`lint`] hold the shape of the repository; `tests/it` applies them.

pub mod arrows;
pub mod bench;
pub mod build;
pub mod cargo;
pub mod cells;
pub mod ci_checks;
pub mod demo;
pub mod generate;
pub mod guests;
pub mod lint;
pub mod packages;
pub mod prerequisites;
pub mod stage;
pub mod step;
pub mod suites;
pub mod tally;
pub mod test;
pub mod workspace;
