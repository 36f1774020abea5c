//! Small random sets, resolved by trying everything as well.

use std::collections::{BTreeMap, BTreeSet};

use midplane_contract::Code;
use midplane_contract::manifest::DependencyKind;

use super::*;

/// A seeded generator (Marsaglia's xorshift): the same sets on every machine and every day.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

fn range(dice: &mut Dice) -> String {
    let version = |dice: &mut Dice| format!("{}.{}.0", 1 + dice.roll(3), dice.roll(2));
    match dice.roll(7) {
        0 => "*".to_owned(),
        1 => format!("^{}", version(dice)),
        2 => format!("<{}", version(dice)),
        3 => format!(">={}", version(dice)),
        4 => format!("={} || ={}", version(dice), version(dice)),
        5 => format!("~{}", version(dice)),
        _ => format!(">={} <3", version(dice)),
    }
}

fn set(dice: &mut Dice) -> Vec<String> {
    let mut lines = Vec::new();
    for plugin in 0..2 + dice.roll(5) {
        for version in ["1.0.0", "1.1.0", "2.0.0", "2.1.0", "3.0.0-rc.1"] {
            if dice.roll(2) == 0 {
                continue;
            }
            let mark = ["", "", "", "@", "!", "~"][dice.roll(6) as usize];
            let need = |dice: &mut Dice| {
                let how = ["", "", "", "?", "+"][dice.roll(5) as usize];
                format!("p{}{how} {}", dice.roll(7), range(dice))
            };
            let needs: Vec<String> = (0..dice.roll(4)).map(|_| need(dice)).collect();
            lines.push(format!("p{plugin} {version}{mark}: {}", needs.join(", ")));
        }
    }
    lines
}

type Picked<'a> = BTreeMap<&'a PluginId, &'a Release>;

fn takes(range: &VersionRange, release: &Release) -> bool {
    let exactly = range.as_str() == format!("={}", release.version);
    range.matches(&release.version) && (release.stable || exactly)
}

/// Whether everything that is needed is picked in a version that fits, peers of what is asked for included.
fn holds(picked: &Picked<'_>, asked: &[Requirement]) -> bool {
    let met = |id: &PluginId, range: &VersionRange| picked.get(id).is_some_and(|release| takes(range, release));
    let needs = |release: &Release| {
        release.dependencies.iter().all(|need| need.optional || need.id == name("self") || met(&need.id, &need.version))
    };
    asked.iter().all(|root| met(&root.id, &root.range)) && picked.values().all(|release| needs(release))
}

/// Whether everything picked is wanted by somebody, and nothing that is not installed by peers alone.
fn is_wanted(picked: &Picked<'_>, asked: &[Requirement], optional_counts: bool) -> bool {
    let mut wanted: BTreeSet<&PluginId> = asked.iter().map(|root| &root.id).collect();
    let mut left: Vec<&PluginId> = wanted.iter().copied().collect();
    while let Some(id) = left.pop() {
        for need in picked.get(id).iter().flat_map(|release| &release.dependencies) {
            let counts = need.kind == DependencyKind::Run && (!need.optional || optional_counts);
            let there = picked.get(&need.id).is_some_and(|release| release.standing > Standing::Offered);
            if (counts || there) && wanted.insert(&need.id) {
                left.push(&need.id);
            }
        }
    }
    picked.keys().all(|id| wanted.contains(id))
}

/// The same without anything optional.
fn required(all: &Available) -> Available {
    let mut required = Available::new();
    for id in all.ids() {
        for release in all.releases(id) {
            let mut release = release.clone();
            release.dependencies.retain(|need| !need.optional);
            required.add(id.clone(), release);
        }
    }
    required
}

/// Every way to pick at most one version of each plugin.
fn any_way(available: &Available, asked: &[Requirement]) -> bool {
    let ids: Vec<&PluginId> = available.ids().collect();
    fn go<'a>(rest: &[&'a PluginId], all: &'a Available, picked: &mut Picked<'a>, asked: &[Requirement]) -> bool {
        let Some((id, rest)) = rest.split_first() else {
            return holds(picked, asked) && is_wanted(picked, asked, false);
        };
        if go(rest, all, picked, asked) {
            return true;
        }
        for release in all.releases(id) {
            picked.insert(id, release);
            let found = go(rest, all, picked, asked);
            picked.remove(id);
            if found {
                return true;
            }
        }
        false
    }
    go(&ids, available, &mut Picked::new(), asked)
}

#[test]
fn small_random_sets_are_resolved_exactly_when_there_is_a_way() {
    let mut dice = Dice(0x5eed_5eed_5eed_5eed);
    let (mut plans, mut refusals, mut circles) = (0, 0, 0);
    for round in 0..1500 {
        let lines = set(&mut dice);
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let all = available(&lines);
        let asked = roots(&["p0", "p1"][..1 + dice.roll(2) as usize]);
        match resolve(&all, &Request::new(asked.clone())) {
            Ok(plan) => {
                let find = |step: &Step| all.releases(&step.id).iter().find(|it| it.version == step.version).unwrap();
                let picked: Picked<'_> = plan.steps.iter().map(|step| (&step.id, find(step))).collect();
                assert!(holds(&picked, &asked), "round {round}: {lines:#?} {plan:#?}");
                assert!(is_wanted(&picked, &asked, true), "round {round}: {lines:#?} {plan:#?}");
                in_order(&plan);
                plans += 1;
            }
            Err(refusal) if refusal.code == Code::DependencyCycle => {
                // What is optional is no reason to fail.
                let without = resolve(&required(&all), &Request::new(asked)).unwrap_err();
                assert_eq!(without.code, Code::DependencyCycle, "round {round}: {lines:#?} {refusal}");
                circles += 1;
            }
            Err(refusal) => {
                assert!(!any_way(&all, &asked), "round {round}: {lines:#?} {refusal}");
                assert!(!refusal.causes.is_empty() && !refusal.help.is_empty(), "round {round}: {refusal}");
                refusals += 1;
            }
        }
    }
    assert!(plans > 200 && refusals > 200 && circles > 20, "{plans} plans, {refusals} refusals, {circles} circles");
}

fn in_order(plan: &Plan) {
    let wave = |id: &PluginId| plan.step(id).unwrap().wave;
    for step in &plan.steps {
        assert!(step.needs.iter().all(|needed| wave(needed) < step.wave), "{plan:#?}");
    }
}

#[test]
fn a_hundred_shuffles_give_one_plan() {
    let mut dice = Dice(77);
    for _ in 0..20 {
        let mut lines = set(&mut dice);
        let mut asked = vec!["p0", "p1", "p1 *"];
        let shuffled = |dice: &mut Dice, lines: &mut Vec<String>, asked: &mut Vec<&str>| {
            (1..lines.len()).rev().for_each(|at| lines.swap(at, dice.roll(at as u64 + 1) as usize));
            (1..asked.len()).rev().for_each(|at| asked.swap(at, dice.roll(at as u64 + 1) as usize));
            let mut all = Available::new();
            for line in lines.iter() {
                let (id, mut release) = release(line);
                let turn = dice.roll(3) as usize % release.dependencies.len().max(1);
                release.dependencies.rotate_left(turn);
                all.add(id, release);
            }
            resolve(&all, &Request::new(roots(asked))).map_err(|refusal| refusal.to_string())
        };
        let first = shuffled(&mut dice, &mut lines, &mut asked);
        for _ in 0..100 {
            assert_eq!(shuffled(&mut dice, &mut lines, &mut asked), first);
        }
    }
}
