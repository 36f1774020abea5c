//! What the author's cases give to those checks that have to call something.

use std::collections::HashSet;

use midplane_contract::manifest::cases::Expectation;
use midplane_kernel::config;
use serde_json::{Map, Value};

use super::checks::Sample;
use super::plan::Plan;

impl Plan {
    /// A configuration for what the author did not write: none of its own where the operator's is enough, otherwise that
    /// of the first case whose configuration is.
    pub(super) fn basis(&self) -> Map<String, Value> {
        let schema = self.manifest.config_schema.as_ref();
        let enough = |config: &Map<String, Value>| {
            config::effective(schema, &self.manifest.config, &self.stage.policy(config).config).is_ok()
        };
        let cases = self.files.iter().flat_map(|cases| &cases.file.cases);
        let loading = cases.filter(|case| case.skip.is_none() && case.expect.is_none());
        let configs = std::iter::once(Map::new()).chain(loading.map(|case| case.config.clone()));
        configs.into_iter().find(enough).unwrap_or_default()
    }

    /// A call that is known to be answered: that of the first case that expects a reply and needs no setup.
    pub(super) fn sample(&self, config: &Map<String, Value>) -> Option<Sample> {
        self.sample_but(config, &HashSet::new())
    }

    pub(super) fn sample_but(&self, config: &Map<String, Value>, failed: &HashSet<(usize, usize)>) -> Option<Sample> {
        let numbered = self.files.iter().enumerate().flat_map(|(file, read)| {
            read.file.cases.iter().enumerate().map(move |(number, case)| ((file, number), case))
        });
        let fits = numbered.filter(|(number, case)| {
            let plain = case.setup.is_empty() && case.skip.is_none() && !failed.contains(number);
            plain && (case.config.is_empty() || &case.config == config)
        });
        let mut calls = fits.filter_map(|(_, case)| case.act.as_ref());
        calls.find_map(|step| {
            if matches!(step.expect, Some(Expectation::Error(_))) {
                return None;
            }
            let spec = self.manifest.actions.iter().find(|spec| spec.name == step.action);
            let repeatable = spec.is_some_and(|spec| spec.idempotent);
            let input = self.folder.bytes(&step.input).ok()?;
            Some(Sample { action: step.action.to_string(), input, expect: step.expect.clone().filter(|_| repeatable) })
        })
    }
}
