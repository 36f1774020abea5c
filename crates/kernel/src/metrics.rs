//! What plugins measure, kept in memory until the plugin is unregistered.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use midplane_contract::{Code, Error, PluginId, Result, defaults};
use serde::Serialize;

/// Upper ends of a histogram's buckets; what is greater is counted by `count` alone.
pub const BUCKETS: [f64; 19] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0,
    1000.0,
];
/// Longest name, in bytes.
const NAME: usize = 128;
/// Labels of one series, and the bytes of a label's value.
const LABELS: (usize, usize) = (16, 256);

/// One series of measurements at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// What tells it from others of the same name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What was measured.
    #[serde(flatten)]
    pub measured: Measured,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Measured {
    /// A sum that only grows.
    Counter {
        /// The sum.
        value: f64,
    },
    /// The latest value.
    Gauge {
        /// It.
        value: f64,
    },
    /// Values and how they are spread.
    Histogram {
        /// How many.
        count: u64,
        /// Their sum.
        sum: f64,
        /// The least.
        min: f64,
        /// The greatest.
        max: f64,
        /// How many are not greater than each of [`BUCKETS`].
        buckets: [u64; BUCKETS.len()],
    },
}

/// One report of a plugin.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Report {
    Count(f64),
    Gauge(f64),
    Observe(f64),
}

type Labelled = BTreeMap<(String, BTreeMap<String, String>), Measured>;

/// The series of all plugins.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    plugins: Mutex<BTreeMap<PluginId, Labelled>>,
}

impl Metrics {
    /// Takes a report.
    ///
    /// # Errors
    /// `invalid_input` for a name, a label or a value that cannot be, or a name that is of another kind;
    /// `limit_exceeded` for one series too many.
    pub(crate) fn add(
        &self,
        plugin: &PluginId,
        name: &str,
        labels: BTreeMap<String, String>,
        report: Report,
    ) -> Result<()> {
        check(name, &labels, report)?;
        let mut plugins = self.plugins.lock().unwrap_or_else(PoisonError::into_inner);
        let series = plugins.entry(plugin.clone()).or_default();
        let of_name = series.range((name.to_owned(), BTreeMap::new())..).next().filter(|((other, _), _)| other == name);
        if let Some((_, measured)) = of_name
            && !measured.takes(report)
        {
            return Err(invalid(format!("`{name}` is measured as a {} already", measured.kind())));
        }
        let full = series.len() >= defaults::METRIC_SERIES;
        match series.get_mut(&(name.to_owned(), labels.clone())) {
            Some(measured) => measured.add(report),
            None if full => return Err(too_many()),
            None => {
                series.insert((name.to_owned(), labels), Measured::begun(report));
            }
        }
        Ok(())
    }

    /// The series of a plugin, by name and labels.
    pub(crate) fn of(&self, plugin: &PluginId) -> Vec<Series> {
        let plugins = self.plugins.lock().unwrap_or_else(PoisonError::into_inner);
        let series = plugins.get(plugin).into_iter().flatten();
        let shown = |((name, labels), measured): (&(String, _), &Measured)| Series {
            name: name.clone(),
            labels: BTreeMap::clone(labels),
            measured: measured.clone(),
        };
        series.map(shown).collect()
    }

    pub(crate) fn forget(&self, plugin: &PluginId) {
        self.plugins.lock().unwrap_or_else(PoisonError::into_inner).remove(plugin);
    }
}

impl Measured {
    fn begun(report: Report) -> Self {
        let mut measured = match report {
            Report::Count(_) => Self::Counter { value: 0.0 },
            Report::Gauge(value) => Self::Gauge { value },
            Report::Observe(value) => {
                Self::Histogram { count: 0, sum: 0.0, min: value, max: value, buckets: [0; BUCKETS.len()] }
            }
        };
        measured.add(report);
        measured
    }

    fn takes(&self, report: Report) -> bool {
        matches!(
            (self, report),
            (Self::Counter { .. }, Report::Count(_))
                | (Self::Gauge { .. }, Report::Gauge(_))
                | (Self::Histogram { .. }, Report::Observe(_))
        )
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Counter { .. } => "counter",
            Self::Gauge { .. } => "gauge",
            Self::Histogram { .. } => "histogram",
        }
    }

    fn add(&mut self, report: Report) {
        match (self, report) {
            (Self::Counter { value }, Report::Count(more)) => *value += more,
            (Self::Gauge { value }, Report::Gauge(now)) => *value = now,
            (Self::Histogram { count, sum, min, max, buckets }, Report::Observe(seen)) => {
                *count += 1;
                *sum += seen;
                *min = min.min(seen);
                *max = max.max(seen);
                let within = buckets.iter_mut().zip(BUCKETS).filter(|(_, end)| seen <= *end);
                within.for_each(|(bucket, _)| *bucket += 1);
            }
            // Refused before.
            _ => {}
        }
    }
}

fn check(name: &str, labels: &BTreeMap<String, String>, report: Report) -> Result<()> {
    if !is_name(name) {
        return Err(invalid(format!("`{}` is no name of a measurement", name.chars().take(NAME).collect::<String>()))
            .remedy("begin with a letter or `_`, go on with letters, digits and `_ . : -`, 128 bytes at most"));
    }
    let (most, length) = LABELS;
    if labels.len() > most || labels.iter().any(|(name, value)| !is_name(name) || value.len() > length) {
        return Err(invalid(format!("the labels of `{name}` cannot be")).remedy(format!(
            "use at most {most} labels with names like that of a measurement and {length} bytes each"
        )));
    }
    let (Report::Count(value) | Report::Gauge(value) | Report::Observe(value)) = report;
    if !value.is_finite() || (matches!(report, Report::Count(_)) && value < 0.0) {
        return Err(invalid(format!("`{name}` cannot take the value {value}")).remedy("a counter only grows"));
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.len() <= NAME
        && name.starts_with(first)
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.:-".contains(c))
}

fn invalid(message: String) -> Error {
    Error::new(Code::InvalidInput, message)
}

fn too_many() -> Error {
    Error::new(Code::LimitExceeded, format!("the plugin has {} series of measurements", defaults::METRIC_SERIES))
        .remedy("use labels with few values")
        .with("which", "metric_series")
        .with("limit", defaults::METRIC_SERIES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> PluginId {
        PluginId::new("p").unwrap()
    }

    fn plain(metrics: &Metrics, name: &str, report: Report) -> Result<()> {
        metrics.add(&id(), name, BTreeMap::new(), report)
    }

    #[test]
    fn counters_add_gauges_replace_histograms_collect() {
        let metrics = Metrics::default();
        for value in [2.0, 0.5] {
            plain(&metrics, "c", Report::Count(value)).unwrap();
            plain(&metrics, "g", Report::Gauge(-value)).unwrap();
            plain(&metrics, "h", Report::Observe(value)).unwrap();
        }
        let shown = metrics.of(&id());
        assert_eq!(shown[0].measured, Measured::Counter { value: 2.5 });
        assert_eq!(shown[1].measured, Measured::Gauge { value: -0.5 });
        let Measured::Histogram { count, sum, min, max, buckets } = shown[2].measured else { panic!("{shown:?}") };
        assert_eq!((count, sum, min, max), (2, 2.5, 0.5, 2.0));
        assert_eq!((buckets[7], buckets[8], buckets[10]), (0, 1, 2));
        metrics.forget(&id());
        assert!(metrics.of(&id()).is_empty());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let metrics = Metrics::default();
        plain(&metrics, "requests", Report::Count(1.0)).unwrap();
        let refused = [
            plain(&metrics, "requests", Report::Gauge(1.0)),
            plain(&metrics, "1st", Report::Count(1.0)),
            plain(&metrics, "", Report::Count(1.0)),
            plain(&metrics, "a b", Report::Count(1.0)),
            plain(&metrics, "down", Report::Count(-1.0)),
            plain(&metrics, "far", Report::Observe(f64::INFINITY)),
        ];
        for refused in refused {
            assert_eq!(refused.unwrap_err().code(), Code::InvalidInput);
        }
    }

    #[test]
    fn series_have_a_limit_and_those_that_are_there_go_on() {
        let metrics = Metrics::default();
        let labelled = |n: usize| {
            let labels = BTreeMap::from([("n".to_owned(), n.to_string())]);
            metrics.add(&id(), "m", labels, Report::Count(1.0))
        };
        (0..defaults::METRIC_SERIES).for_each(|n| labelled(n).unwrap());
        assert_eq!(labelled(defaults::METRIC_SERIES).unwrap_err().code(), Code::LimitExceeded);
        labelled(0).unwrap();
    }
}
