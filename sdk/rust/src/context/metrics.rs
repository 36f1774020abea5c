//! Numbers for the operator's charts.

use serde_json::{Map, Value};

use super::{Context, arguments};
use crate::Result;

/// Measurements. Labels are names and values: `&[("shop", "north")]`.
impl Context<'_> {
    /// Adds to a counter; `value` is not below 0.
    ///
    /// # Errors
    /// What the host answers.
    pub fn count(&self, name: &str, value: f64, labels: &[(&str, &str)]) -> Result<()> {
        self.measure("metrics.count", name, value, labels)
    }

    /// Sets a gauge.
    ///
    /// # Errors
    /// What the host answers.
    pub fn gauge(&self, name: &str, value: f64, labels: &[(&str, &str)]) -> Result<()> {
        self.measure("metrics.gauge", name, value, labels)
    }

    /// Adds to a histogram.
    ///
    /// # Errors
    /// What the host answers.
    pub fn observe(&self, name: &str, value: f64, labels: &[(&str, &str)]) -> Result<()> {
        self.measure("metrics.observe", name, value, labels)
    }

    fn measure(&self, function: &str, name: &str, value: f64, labels: &[(&str, &str)]) -> Result<()> {
        let labels: Map<_, _> = labels.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        let labels = Some(Value::from(labels)).filter(|labels| labels != &Value::from(Map::new()));
        let args = arguments([("name", Some(name.into())), ("value", Some(value.into())), ("labels", labels)]);
        self.host(function, &args, &[]).map(drop)
    }
}
