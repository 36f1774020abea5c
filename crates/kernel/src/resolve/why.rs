//! Why nothing fits: what is at the bottom of it, who asks for what, and what would help.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use midplane_contract::{Code, Error, PluginId, Version, VersionRange};
use pubgrub::{DerivationTree, External};
use serde_json::{Map, Value, json};

use super::available::Release;
use super::reason::{Block, Cause, Reason};
use super::relax;
use super::solver::{Failed, Question};
use super::stock::{ROOT, Stock};
use super::versions::Versions;
use super::wording::listed;

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// What kind of trouble it is.
    pub code: Code,
    /// In one sentence.
    pub summary: String,
    /// Who asks for what, and what there is: one sentence each.
    pub causes: Vec<String>,
    /// Changes that would each be enough, the nearest first. Empty where no single change would.
    pub help: Vec<String>,
    data: Box<Map<String, Value>>,
}

/// Who asks for what: a plugin in some versions, or nobody, which is the request itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Demand {
    pub(super) target: PluginId,
    pub(super) asker: Option<PluginId>,
    pub(super) versions: Vec<Version>,
    pub(super) range: String,
    /// Nothing there can meet it, whatever else is chosen.
    pub(super) cause: Option<Cause>,
}

impl Refusal {
    pub(super) fn stopped(error: Error) -> Self {
        let record = error.record();
        let help = record.remedy.iter().cloned().collect();
        Self {
            code: record.code,
            summary: record.message.clone(),
            causes: Vec::new(),
            help,
            data: Box::new(record.data.clone()),
        }
    }

    pub(super) fn circle(names: &[&str]) -> Self {
        let edges: Vec<String> =
            names.iter().zip(names.iter().skip(1)).map(|(from, to)| format!("{from} → {to}")).collect();
        let data = [("edges".to_owned(), json!(edges))].into_iter().collect();
        Self {
            code: Code::DependencyCycle,
            summary: format!("plugins depend on each other: {}", edges.join(", ")),
            causes: Vec::new(),
            help: vec!["remove one of these dependencies, or make it optional".to_owned()],
            data: Box::new(data),
        }
    }
}

impl fmt::Display for Refusal {
    /// The summary, then the causes and what would help, each in a line of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.summary)?;
        self.causes.iter().try_for_each(|cause| write!(f, "\n  {cause}"))?;
        self.help.iter().try_for_each(|help| write!(f, "\n  help: {help}"))
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, summary, causes, help, data } = refusal;
        let message = if causes.is_empty() { summary } else { format!("{summary}: {}", causes.join("; ")) };
        let error = Self::new(code, message);
        let error = if help.is_empty() { error } else { error.remedy(help.join("; or ")) };
        data.into_iter().fold(error, |error, (key, value)| error.with(&key, value))
    }
}

/// Explains why a question has no answer.
pub(super) fn explain(question: &Question<'_, '_>, failed: Failed<'_, '_>) -> Refusal {
    let tree = match failed {
        Failed::Stopped(error) => return Refusal::stopped(error),
        Failed::NoSolution(tree) => tree,
    };
    let stock = question.stock;
    let demands = demands(stock, &tree);
    let Some(about) = at_stake(stock, &demands) else {
        return Refusal::stopped(Error::new(Code::Internal, "the search ended without a reason"));
    };
    let mut involved: Vec<&Demand> = match about.cause {
        Some(_) => demands.iter().filter(|demand| demand.cause.is_some()).collect(),
        None => demands.iter().collect(),
    };
    involved.sort_by_key(|demand| (demand.target != about.target, demand.asker.is_some()));
    let mut causes: Vec<String> = involved.iter().map(|demand| demand.sentence(stock)).collect();
    causes.extend(what_there_is(stock, &about.target, about.cause));
    let help = relax::help(question, &demands, about);
    let (code, summary) = about.verdict(stock);
    Refusal { code, summary, causes, help, data: Box::new(data(stock, about, &demands)) }
}

/// The demands at the leaves of a derivation, each once. The tree's parts are shared: each is visited once.
fn demands(stock: &Stock<'_>, tree: &DerivationTree<u32, Versions, Reason>) -> Vec<Demand> {
    let mut found: BTreeMap<Said, BTreeSet<Version>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut left = vec![tree];
    while let Some(tree) = left.pop() {
        match tree {
            DerivationTree::Derived(derived) => {
                for cause in [&derived.cause1, &derived.cause2] {
                    if seen.insert(Arc::as_ptr(cause)) {
                        left.push(cause);
                    }
                }
            }
            DerivationTree::External(External::FromDependencyOf(asker, versions, target, _)) => {
                of_a_dependency(stock, (*asker, versions), *target, &mut |demand, version| {
                    found.entry(demand).or_default().extend(version);
                });
            }
            DerivationTree::External(External::Custom(asker, versions, Reason(blocks))) => {
                let shelf = stock.shelf(*asker);
                for Block { id, range, cause } in blocks {
                    let demand = (id.clone(), shelf.map(|shelf| shelf.id.clone()), range.clone(), Some(*cause));
                    let of = shelf.map(|shelf| shelf.versions(versions)).unwrap_or_default();
                    found.entry(demand).or_default().extend(of.into_iter().cloned());
                }
            }
            DerivationTree::External(_) => {}
        }
    }
    let demand = |((target, asker, range, cause), versions): (Said, BTreeSet<Version>)| Demand {
        target,
        asker,
        versions: versions.into_iter().collect(),
        range,
        cause,
    };
    found.into_iter().map(demand).collect()
}

/// A demand without its asker's versions: target, asker, range, and what is wrong with it.
type Said = (PluginId, Option<PluginId>, String, Option<Cause>);

type Told<'t> = dyn FnMut(Said, Option<Version>) + 't;

/// The demands of some versions of a plugin, or of the request, on another plugin.
fn of_a_dependency(stock: &Stock<'_>, asker: (u32, &Versions), target: u32, tell: &mut Told<'_>) {
    let (asker, versions) = asker;
    let Some(target) = stock.shelf(target).map(|shelf| shelf.id) else { return };
    if asker == ROOT {
        let asked = stock.demands(ROOT, None).filter(|(id, _)| *id == target);
        asked.for_each(|(id, range)| tell((id.clone(), None, range.to_string(), None), None));
        return;
    }
    let Some(shelf) = stock.shelf(asker) else { return };
    for position in versions.positions(shelf.items().len()) {
        for (id, range) in stock.demands(asker, Some(position)).filter(|(id, _)| *id == target) {
            let version = stock.release(asker, position).map(|release| release.version.clone());
            tell((id.clone(), Some(shelf.id.clone()), range.to_string(), None), version);
        }
    }
}

/// The demand that says best what it is about: of a plugin that several want in ways that no version meets, else one that
/// nothing can meet. What was asked for itself comes first, then what is missing, then what does not fit.
fn at_stake<'d>(stock: &Stock<'_>, demands: &'d [Demand]) -> Option<&'d Demand> {
    let conflicts = demands.iter().filter(|demand| {
        let on: Vec<&Demand> = demands.iter().filter(|other| other.target == demand.target).collect();
        demand.cause.is_none() && on.len() > 1 && !meetable(stock, &on)
    });
    let dead = demands.iter().filter(|demand| demand.cause.is_some());
    let by_root = |demand: &&Demand| (demand.asker.is_some(), demand.cause, demand.target.clone());
    let all_dead = !demands.iter().any(|demand| demand.cause.is_none() && demand.asker.is_some());
    let dead = dead.min_by_key(by_root);
    if all_dead && dead.is_some() {
        return dead;
    }
    conflicts.min_by_key(|demand| demand.target.clone()).or(dead).or(demands.first())
}

/// Whether one version meets what each of them asks for on one plugin; of one asker's versions any will do, and of the
/// demands of one version all count.
fn meetable(stock: &Stock<'_>, on: &[&Demand]) -> bool {
    let mut by_asker: BTreeMap<&Option<PluginId>, BTreeMap<Option<&Version>, Vec<VersionRange>>> = BTreeMap::new();
    for demand in on {
        let asker = by_asker.entry(&demand.asker).or_default();
        let versions = demand.versions.iter().map(Some).chain(demand.versions.is_empty().then_some(None));
        versions.for_each(|version| asker.entry(version).or_default().extend(demand.range.parse()));
    }
    let shelf = on.first().and_then(|demand| stock.shelf(stock.number(&demand.target)?));
    let meets = |release: &Release| {
        let takes = |ranges: &Vec<VersionRange>| ranges.iter().all(|range| stock.accepts(range, release));
        by_asker.values().all(|versions| versions.values().any(takes))
    };
    shelf.is_some_and(|shelf| shelf.releases().any(meets))
}

fn what_there_is(stock: &Stock<'_>, id: &PluginId, cause: Option<Cause>) -> Vec<String> {
    let Some(shelf) = stock.number(id).and_then(|number| stock.shelf(number)) else { return Vec::new() };
    let refusals = stock.refusals(shelf);
    if cause == Some(Cause::Unusable) {
        let told = shelf.items().iter().zip(refusals).rev();
        let mut told =
            told.filter_map(|(it, why)| Some(format!("`{id}` {}: {}", it.version, why.first()?.record().message)));
        return told.by_ref().take(3).collect();
    }
    let versions: Vec<&Version> = shelf.items().iter().map(|item| &item.version).collect();
    let unstable: Vec<&Version> = shelf.items().iter().filter(|item| !item.stable).map(|item| &item.version).collect();
    let mut there = vec![format!("`{id}` is there in {}", listed(&versions))];
    there.extend((!unstable.is_empty()).then(|| format!("`{id}` {} is not called stable", listed(&unstable))));
    there
}

/// The details for programs, as the contract names them.
fn data(stock: &Stock<'_>, about: &Demand, demands: &[Demand]) -> Map<String, Value> {
    let shelf = stock.number(&about.target).and_then(|number| stock.shelf(number));
    let found: Vec<String> =
        shelf.iter().flat_map(|shelf| shelf.items()).map(|item| item.version.to_string()).collect();
    let by = |demand: &Demand| demand.asker.as_ref().map(ToString::to_string);
    let mut data = Map::new();
    let mut put = |key: &str, value: Value| data.insert(key.to_owned(), value);
    put("module", json!(about.target));
    put("by", json!(by(about)));
    match about.cause {
        Some(Cause::Missing) => drop(put("dependency", json!(about.target))),
        Some(_) => {
            put("required", json!(about.range));
            put("found", json!(found.join(", ")));
        }
        None => {
            let on = demands.iter().filter(|demand| demand.target == about.target);
            let requirement =
                |demand: &Demand| json!({ "by": by(demand), "versions": demand.versions, "range": demand.range });
            put("requirements", on.map(requirement).collect());
            put("found", json!(found));
        }
    }
    data
}
