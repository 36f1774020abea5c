//! Where each value of the other files goes.

mod table;

use serde_json::Number;

use crate::reading::nearest::nearest;
use crate::reading::shape::Shape;
use crate::reading::tree::{Node, Value};
use crate::settings::fields::FILE;
use table::{LOOSE, SECTIONS};

/// What becomes of one value.
pub(super) enum Verdict {
    /// It goes to this path.
    Goes(Vec<String>, Value),
    /// It is so without being said.
    Holds(&'static str),
    /// It goes nowhere, and this is why.
    Nowhere(String),
}

/// One rule. In `from`, `*` stands for one name and a last `**` for the rest of a path; they mean the same in a target.
#[derive(Debug)]
pub(super) struct Rule {
    from: &'static str,
    then: Then,
}

/// What a rule does with a value.
#[derive(Debug)]
pub(super) enum Then {
    /// There, as it is.
    To(&'static str),
    /// There, as the only item of a list.
    Item(&'static str),
    /// There, as a share: 80 percent are 0.8.
    Percent(&'static str),
    /// There as this text, where the value is true; false is so without being said.
    Grant(&'static str, &'static str),
    /// True or false as named is so without being said; the other cannot be had, and this is why.
    Always(bool, &'static str),
    /// Nowhere, and this is why.
    No(&'static str),
}

/// Whether everything below a path is one value: plugins' own configurations.
pub(super) fn takes_whole(steps: &[&str]) -> bool {
    steps.last() == Some(&"config") && rule(steps).is_some()
}

/// What becomes of the value at a path.
pub(super) fn verdict(steps: &[&str], node: &Node) -> Verdict {
    match rule(steps) {
        Some((rule, captured)) => match apply(&rule.then, &captured, node) {
            Verdict::Goes(path, value) => misfit(&path).map_or(Verdict::Goes(path, value), Verdict::Nowhere),
            other => other,
        },
        // Settings of our own stay where they are.
        None if misfit(steps).is_none() => {
            Verdict::Goes(steps.iter().map(ToString::to_string).collect(), node.value.clone())
        }
        None => Verdict::Nowhere(unknown(steps)),
    }
}

/// Why settings have nothing at a path, if so.
fn misfit(path: &[impl AsRef<str>]) -> Option<String> {
    let mut shape = Shape::Object(FILE);
    for step in path {
        shape = match shape {
            Shape::Object(fields) => match fields.iter().find(|field| field.name == step.as_ref()) {
                Some(field) => field.shape,
                None => return Some(no_such(step.as_ref(), fields.iter().map(|field| field.name))),
            },
            Shape::Table(_, item) => *item,
            _ => return None,
        };
    }
    None
}

fn unknown(steps: &[&str]) -> String {
    let names = SECTIONS.iter().map(|(name, _)| *name);
    let Some((_, rules)) = steps.first().and_then(|first| SECTIONS.iter().find(|(name, _)| name == first)) else {
        let known: Vec<&str> = names.collect();
        return format!("no file that is known has it; known are {}", known.join(", "));
    };
    let last = steps.last().copied().unwrap_or_default();
    no_such(last, rules.iter().filter_map(|rule| rule.from.rsplit('.').next()))
}

fn no_such(key: &str, known: impl Iterator<Item = &'static str>) -> String {
    match nearest(key, known) {
        Some(near) => format!("no such key is known here; did you mean `{near}`?"),
        None => "no such key is known here".to_owned(),
    }
}

fn rule<'p>(steps: &[&'p str]) -> Option<(&'static Rule, Vec<&'p str>)> {
    let (first, rest) = steps.split_first()?;
    let section = SECTIONS.iter().find(|(name, _)| name == first);
    let (rules, steps) = section.map_or((LOOSE, steps), |(_, rules)| (*rules, rest));
    rules.iter().find_map(|rule| Some((rule, captured(rule.from, steps)?)))
}

/// What the stars of a pattern stand for; `None` where it does not match.
fn captured<'p>(pattern: &str, steps: &[&'p str]) -> Option<Vec<&'p str>> {
    let mut steps = steps.iter();
    let mut stars = Vec::new();
    for part in pattern.split('.') {
        if part == "**" {
            return Some(stars);
        }
        let step = steps.next()?;
        match part {
            "*" => stars.push(*step),
            part if part == *step => {}
            _ => return None,
        }
    }
    steps.next().is_none().then_some(stars)
}

fn apply(then: &Then, stars: &[&str], node: &Node) -> Verdict {
    let path = |target: &str| {
        let mut stars = stars.iter();
        let step = |part: &str| if part == "*" { stars.next().copied().unwrap_or_default() } else { part }.to_owned();
        target.split('.').map(step).collect()
    };
    let goes = |target: &str, value: Value| Verdict::Goes(path(target), value);
    match then {
        Then::To(target) => goes(target, node.value.clone()),
        Then::Item(target) => goes(target, Value::List(vec![node.clone()])),
        Then::Percent(target) => {
            let share = node.number().and_then(Number::as_f64).and_then(|percent| Number::from_f64(percent / 100.0));
            match share {
                Some(share) => goes(target, Value::Number(share)),
                None => Verdict::Nowhere("it is not a number of percent".to_owned()),
            }
        }
        Then::Grant(target, text) => match node.flag() {
            Some(true) => {
                let item = Node { at: node.at, value: Value::Text((*text).to_owned()) };
                goes(target, Value::List(vec![item]))
            }
            _ => Verdict::Holds("so without being said: nothing is permitted that is not granted"),
        },
        Then::Always(wanted, why) if node.flag() == Some(*wanted) => Verdict::Holds(why),
        Then::Always(_, why) | Then::No(why) => Verdict::Nowhere((*why).to_owned()),
    }
}
