//! Which versions of which plugins go together, and in which order they are loaded. Pure: no clock, no files, no threads.
//!
//! [`Available`] says what there is, [`Request`] what is wanted; [`resolve`] answers with a [`Plan`] or with a [`Refusal`]
//! that says who asks for what and what would help. What a [`PackageSource`] offers is added before ([`add_offered`]). Versions are chosen by `pubgrub` (Natalie Weizenbaum, "PubGrub:
//! Next-Generation Version Solving"); what is around it is in `solver` (the question that it is asked), `extras`
//! (optional and peer dependencies), `order` (what is loaded before what), `why` and `relax` (the explanation).

mod available;
mod extras;
mod order;
mod plan;
mod reason;
mod relax;
mod request;
mod selection;
mod solver;
mod source;
mod stock;
mod versions;
mod why;
mod wording;

pub use available::{Available, Release, Standing};
pub use midplane_contract::settings::Strategy;
pub use plan::{Plan, Step};
pub use request::{Request, Requirement};
pub use selection::Selection;
pub use source::{PackageSource, add_offered};
pub use why::Refusal;

use stock::Stock;

/// Finds versions for everything that is asked for and everything that this needs, and the order to load them in.
///
/// The same input gives the same plan, in whatever order its parts come. Of a plugin's versions that fit, one that is
/// not deprecated is taken before one that is; then, unless the strategy is [`Strategy::Latest`], one that is loaded
/// before one that is installed before one that is offered; then the highest.
///
/// - Optional dependencies are added where that needs no other version of anything that was chosen without them.
/// - Peer dependencies must be part of the plan for somebody else's sake, or be installed; they are never fetched.
/// - Development dependencies do not count; `core` is the host.
///
/// # Errors
/// `plugin_not_found` for an unknown root, `dependency_not_found`, `version_mismatch`, `unsupported_platform`,
/// `dependency_conflict`, `dependency_cycle`, and what [`Request::stop`] says.
pub fn resolve(available: &Available, request: &Request<'_>) -> Result<Plan, Refusal> {
    let stock = Stock::new(available, request);
    let solution = extras::solve(&stock)?;
    order::plan(&stock, &solution)
}

#[cfg(test)]
mod tests;
