//! What the author's cases give to those checks that have to call something.

use std::collections::HashSet;

use midplane_contract::manifest::cases::{Case, Expectation, Step};
use midplane_kernel::config;
use serde_json::{Map, Value};

use super::checks::Sample;
use super::plan::Plan;

impl Plan {
    /// A configuration for what the author did not write: that of the first case whose call can be made again, none where
    /// the operator's is enough, or else that of any case.
    pub(super) fn basis(&self) -> Map<String, Value> {
        let schema = self.manifest.config_schema.as_ref();
        let enough = |config: &Map<String, Value>| {
            config::effective(schema, &self.manifest.config, &self.stage.policy(config).config).is_ok()
        };
        let cases = || self.files.iter().flat_map(|cases| &cases.file.cases);
        let plain = cases().filter(|case| plain(case).is_some()).map(|case| case.config.clone());
        let loading = cases().filter(|case| case.skip.is_none() && case.expect.is_none());
        let configs = plain.chain([Map::new()]).chain(loading.map(|case| case.config.clone()));
        configs.into_iter().find(enough).unwrap_or_default()
    }

    /// A call that is known to be answered: that of the first case with this configuration that expects a reply and needs
    /// no setup.
    pub(super) fn sample(&self, config: &Map<String, Value>) -> Option<Sample> {
        self.sample_but(config, &HashSet::new())
    }

    /// The same without cases that failed, by the numbers of file and case.
    pub(super) fn sample_but(&self, config: &Map<String, Value>, failed: &HashSet<(usize, usize)>) -> Option<Sample> {
        let numbered = self.files.iter().enumerate().flat_map(|(file, read)| {
            read.file.cases.iter().enumerate().map(move |(number, case)| ((file, number), case))
        });
        let mut fits = numbered.filter(|(number, case)| !failed.contains(number) && &case.config == config);
        fits.find_map(|(_, case)| {
            let step = plain(case)?;
            let spec = self.manifest.actions.iter().find(|spec| spec.name == step.action);
            let repeatable = spec.is_some_and(|spec| spec.idempotent);
            let input = self.folder.bytes(&step.input).ok()?;
            Some(Sample { action: step.action.to_string(), input, expect: step.expect.clone().filter(|_| repeatable) })
        })
    }
}

/// The call of a case that can be made by itself and is answered.
fn plain(case: &Case) -> Option<&Step> {
    let by_itself = case.setup.is_empty() && case.skip.is_none();
    case.act.as_ref().filter(|step| by_itself && !matches!(step.expect, Some(Expectation::Error(_))))
}
