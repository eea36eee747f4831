//! The recorder behind the `metrics` macros, in the text form of Prometheus.

pub use metrics_exporter_prometheus::{BuildError, PrometheusHandle};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};

/// A histogram and its buckets.
#[derive(Debug, Clone, Copy)]
pub struct Histogram {
    /// Name of the metric.
    pub name: &'static str,
    /// Upper bounds of its buckets, ascending; at least one.
    pub bounds: &'static [f64],
}

/// Makes the process record what `metrics::counter!` and its like are told; once in a process. Histograms
/// that are not named here are shown as summaries.
pub fn install(histograms: &[Histogram]) -> Result<PrometheusHandle, BuildError> {
    let mut builder = PrometheusBuilder::new();
    for histogram in histograms {
        let name = Matcher::Full(histogram.name.to_owned());
        builder = builder.set_buckets_for_metric(name, histogram.bounds)?;
    }
    builder.install_recorder()
}
