mod importing;
mod layering;
mod spellings;

use std::collections::BTreeMap;

use super::{Layer, Settled, settle};

fn variables() -> BTreeMap<String, String> {
    [("HOME", "/srv/u"), ("PORT", "7000"), ("TOKEN", "canary-7f3a")].map(|(n, v)| (n.to_owned(), v.to_owned())).into()
}

fn file(text: &str) -> Layer {
    Layer::file("midplane.yaml", text.as_bytes(), &variables())
}

fn read(text: &str) -> Settled {
    settle([file(text)])
}

/// `LINE:COLUMN code` of every fault that is an error.
fn errors(settled: &Settled) -> Vec<String> {
    let faults = settled.faults.iter().flat_map(|(_, faults)| faults);
    let errors = faults.filter(|fault| fault.is_error());
    errors.map(|fault| format!("{}:{} {}", fault.line, fault.column, fault.code)).collect()
}
