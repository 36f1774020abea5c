//! The table of routes: who gets what, and who would if the first were gone.

use std::cmp::Reverse;
use std::fmt;

use midplane_contract::VersionRange;
use serde::Serialize;

use super::file::standing;
use super::rule::{Exactness, Target, What, fits};
use crate::kernel::Inner;
use crate::services;

/// One row of the table.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What it is for.
    #[serde(rename = "match")]
    pub what: What,
    /// Who gets it.
    pub to: Target,
    /// What decides among several: the highest wins.
    pub priority: i32,
    /// The rule's name; `None` for what a plugin brings itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Whether its target is there: the plugin runs, or somebody provides the interface.
    pub live: bool,
    /// 0 who runs, 1 who could be loaded, 2 who has failed, is disabled or not there.
    #[serde(skip)]
    standing: u8,
    /// Who gets it instead, as long as that one is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadowed_by: Option<Target>,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = match self {
            Self::Plugin { plugin, action } => {
                write!(f, "{plugin}")?;
                action
            }
            Self::Service { service, version, action } => {
                write!(f, "service {service} {version}")?;
                action
            }
        };
        action.as_ref().map_or(Ok(()), |action| write!(f, "/{action}"))
    }
}

/// Every route, best first for each kind of thing.
pub(crate) fn table(kernel: &Inner) -> Vec<Row> {
    let mut rows = rows(kernel);
    sort(&mut rows);
    // Two endings of one media type are one route for it.
    rows.dedup_by(|a, b| (&a.what, &a.to, a.priority, &a.rule) == (&b.what, &b.to, b.priority, &b.rule));
    shade(&mut rows);
    rows
}

/// The routes of an action to those who are there, best first.
pub(super) fn of_action(kernel: &Inner, name: &str) -> Vec<Row> {
    let mut rows = rows(kernel);
    rows.retain(|row| row.live && matches!(&row.what, What::Action(pattern) if fits(pattern, name)));
    sort(&mut rows);
    rows
}

/// Every route, in no order.
fn rows(kernel: &Inner) -> Vec<Row> {
    let mut rows = Vec::new();
    for plugin in kernel.plugins() {
        let standing = standing(&plugin);
        let live = standing == 0;
        let priority = kernel.priority(&plugin.id);
        let to = |action| Target::Plugin { plugin: plugin.id.clone(), action };
        let row = |what, action, priority| Row {
            what,
            to: to(action),
            priority,
            rule: None,
            live,
            standing,
            shadowed_by: None,
        };
        let life = plugin.life();
        let declared = &life.found.manifest;
        let actions: Vec<String> = match plugin.slot.core.generation() {
            Some(generation) => generation.actions().map(|(_, name)| name.to_string()).collect(),
            None => declared.actions.iter().map(|spec| spec.name.to_string()).collect(),
        };
        rows.extend(actions.into_iter().map(|action| row(What::Action(action), None, priority)));
        for kind in &declared.file_types {
            let action = kind.action.as_deref().and_then(|action| action.parse().ok());
            let priority = kind.priority.saturating_add(priority);
            if !kind.extension.is_empty() {
                rows.push(row(What::File(format!("*{}", kind.extension)), action.clone(), priority));
            }
            rows.extend(kind.mime_type.clone().map(|media| row(What::Media(media), action, priority)));
        }
    }
    for (name, rule) in kernel.rules.all() {
        let standing = match &rule.to {
            Target::Plugin { plugin, .. } => kernel.plugin(plugin).map_or(2, |plugin| standing(&plugin)),
            Target::Service { service, version, .. } => {
                if is_provided(kernel, service, version) {
                    0
                } else {
                    2
                }
            }
        };
        let live = standing == 0;
        let (what, to, priority) = (rule.what, rule.to, rule.priority);
        rows.push(Row { what, to, priority, rule: Some(name), live, standing, shadowed_by: None });
    }
    rows
}

fn is_provided(kernel: &Inner, interface: &str, range: &VersionRange) -> bool {
    services::providers(kernel, interface, range).iter().any(|provider| provider.refused.is_none())
}

/// Actions, then files, then media types; within each kind as they are tried.
fn sort(rows: &mut [Row]) {
    let kind = |row: &Row| match row.what {
        What::Action(_) => 0,
        What::File(_) => 1,
        What::Media(_) => 2,
    };
    rows.sort_by_cached_key(|row| (kind(row), order(row), row.to.to_string(), row.what.pattern().to_owned()));
}

/// In which order rows that fit are tried.
fn order(row: &Row) -> (u8, Reverse<i32>, Reverse<Exactness>, bool) {
    (row.standing, Reverse(row.priority), Reverse(row.what.exactness()), row.rule.is_none())
}

/// Says of each row who comes before it wherever it fits.
fn shade(rows: &mut [Row]) {
    let covers = |better: &What, what: &What| match (better, what) {
        (What::Action(pattern), What::Action(text)) => pattern == text || fits(pattern, text),
        (What::File(pattern), What::File(text)) | (What::Media(pattern), What::Media(text)) => {
            let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
            pattern == text || fits(&pattern, &text)
        }
        _ => false,
    };
    for at in 0..rows.len() {
        let (before, from) = rows.split_at_mut(at);
        let Some(row) = from.first_mut() else { continue };
        let better =
            before.iter().find(|better| better.standing < 2 && better.to != row.to && covers(&better.what, &row.what));
        row.shadowed_by = better.map(|better| better.to.clone());
    }
}
