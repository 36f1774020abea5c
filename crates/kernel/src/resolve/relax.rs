//! What would help: each requirement in turn is lifted, and where that leads to an answer, it is said.

use midplane_contract::{CONTRACT_VERSION, VersionRange};

use super::reason::Cause;
use super::solver::Question;
use super::stock::{ROOT, Stock};
use super::why::Demand;

/// How many requirements are lifted in turn at most: each costs a search.
const TRIES: usize = 16;
/// How many ways out are told at most.
const TOLD: usize = 3;

/// Single changes that would each be enough, what is asked for before what plugins need.
pub(super) fn help(question: &Question<'_, '_>, demands: &[Demand], about: &Demand) -> Vec<String> {
    let mut help: Vec<String> = unwelcome(question, about).into_iter().collect();
    if about.cause.is_some() && help.is_empty() {
        help.push(missing(question.stock, about));
    }
    let mut order: Vec<&Demand> = demands.iter().collect();
    order.sort_by_key(|demand| demand.asker.is_some());
    for demand in order.into_iter().take(TRIES) {
        if help.len() == TOLD {
            break;
        }
        help.extend(lifted(question, demand));
    }
    if help.is_empty() {
        help.push(missing(question.stock, about));
    }
    help
}

/// What is said when a demand is the one in the way.
fn lifted(question: &Question<'_, '_>, demand: &Demand) -> Option<String> {
    let stock = question.stock;
    let target = stock.number(&demand.target)?;
    let asker = demand.asker.as_ref().map_or(Some(ROOT), |asker| stock.number(asker))?;
    let mut lifted = Question::new(stock, question.held);
    lifted.installed_only.clone_from(&question.installed_only);
    lifted.relaxed = Some((asker, target));
    let chosen = lifted.ask().ok()?;
    let version = &stock.release(target, *chosen.get(&target)?)?.version;
    let range: VersionRange = demand.range.parse().ok()?;
    if stock.request.selection.takes(&range, version) {
        return None;
    }
    let Demand { target: id, range, .. } = demand;
    Some(match &demand.asker {
        None => format!("`{id}` {version} would do in place of {range}"),
        Some(name) => {
            let of = chosen.get(&asker).and_then(|position| stock.release(asker, *position))?;
            format!("it would work if `{name}` {} took `{id}` {version}", of.version)
        }
    })
}

/// What is said where only a pre-release fits.
fn unwelcome(question: &Question<'_, '_>, about: &Demand) -> Option<String> {
    let stock = question.stock;
    let range: VersionRange = about.range.parse().ok().filter(|_| about.cause == Some(Cause::NoVersion))?;
    let (id, version) = (&about.target, stock.unwelcome(stock.number(&about.target)?, &range)?);
    Some(match about.asker {
        None => format!("ask for `{id}` ={version}, or let pre-releases be welcome"),
        Some(_) => format!("`{id}` {version} would do if pre-releases were welcome"),
    })
}

/// Where nothing that is there helps: what would have to come.
fn missing(stock: &Stock<'_>, about: &Demand) -> String {
    let Demand { target, range, .. } = about;
    match about.cause {
        Some(Cause::NotInstalled) => format!("install `{target}` {range}, or ask for it as well"),
        Some(Cause::Missing) if range == "*" => format!("add `{target}`"),
        Some(Cause::Missing) => format!("add `{target}` {range}"),
        Some(Cause::NoVersion | Cause::Held) => format!("add a version of `{target}` that fits {range}"),
        Some(Cause::Unusable) if about.is_of_another_host(stock) => {
            format!(
                "add a version of `{target}` for contract {CONTRACT_VERSION}, or use a host that speaks the contract it needs"
            )
        }
        Some(Cause::Unusable) => format!("use a build of `{target}` for this machine, or another machine"),
        None => format!("add a version of `{target}` that fits everybody, or leave one of those out that ask for it"),
    }
}
