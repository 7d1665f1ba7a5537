//! `GET /metrics`: the sandbox's and our own, in Prometheus' text format.

mod keys;

use crate::app::App;
use crate::auth::Observer;
use crate::jobs::body::JobRow;
use crate::problem::{HttpCode, Problem};
use crate::refusals::Asker;
use crate::usage::row::UsageRow;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use keys::KeyMetrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use protocol::result::BootPath;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Labels of an answer: both are closed sets, for routes are ours.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabels {
    route: String,
    status: u16,
}

/// Label of answers by the first digit of their status.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClassLabel {
    class: &'static str,
}

/// Label of requests by their route.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: String,
}

/// Label of jobs by the way their VMs came.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PathLabel {
    path: &'static str,
}

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// From 5 ms to 164 s; a step is the double of the one before.
fn job_buckets() -> Histogram {
    Histogram::new((0..16).map(|n| 0.005 * f64::from(1 << n)))
}

/// From 1 ms to 66 s; a step is four times the one before: there is one of these a route.
fn request_buckets() -> Histogram {
    Histogram::new((0..9).map(|n| 0.001 * f64::from(1 << (2 * n))))
}

/// What only HTTP counts.
#[derive(Debug, Clone)]
pub struct HttpMetrics {
    answers: Family<AnswerLabels, Counter>,
    classes: Family<ClassLabel, Counter>,
    request_seconds: Family<RouteLabel, Histogram>,
    job_seconds: Family<PathLabel, Histogram>,
    keys: KeyMetrics,
    /// Connections that are open.
    pub connections: Gauge,
    /// Connections that had to go for a new one.
    pub connections_evicted: Counter,
    /// Sessions and sandboxes that hold a VM.
    pub sessions: Gauge,
    /// Free space where the state is, bytes.
    pub state_free_bytes: Gauge,
    /// Requests passed on to ports of sandboxes.
    pub port_requests: Counter,
    /// Bytes of their bodies, and of what was joined to them.
    pub port_bytes_in: Counter,
    /// Bytes of what came back.
    pub port_bytes_out: Counter,
    /// 1 once `/readyz` would say yes.
    pub ready: Gauge,
}

impl Default for HttpMetrics {
    fn default() -> Self {
        HttpMetrics {
            answers: Family::default(),
            classes: Family::default(),
            request_seconds: Family::new_with_constructor(request_buckets),
            job_seconds: Family::new_with_constructor(job_buckets),
            keys: KeyMetrics::default(),
            connections: Gauge::default(),
            connections_evicted: Counter::default(),
            sessions: Gauge::default(),
            state_free_bytes: Gauge::default(),
            port_requests: Counter::default(),
            port_bytes_in: Counter::default(),
            port_bytes_out: Counter::default(),
            ready: Gauge::default(),
        }
    }
}

impl HttpMetrics {
    /// Puts each under its public name.
    pub fn register(&self, registry: &mut Registry) {
        let m = self.clone();
        registry.register("http_requests", "Requests answered", m.answers);
        registry.register(
            "http_responses",
            "Requests answered, by the first digit of the status",
            m.classes,
        );
        registry.register(
            "http_request_seconds",
            "Time until an answer began",
            m.request_seconds,
        );
        registry.register(
            "job_seconds",
            "Time from a job's request to its end, waiting included",
            m.job_seconds,
        );
        m.keys.register(registry);
        registry.register("http_connections", "Connections open", m.connections);
        registry.register(
            "http_connections_evicted",
            "Idle connections closed to make room",
            m.connections_evicted,
        );
        registry.register(
            "port_requests",
            "Requests passed on to ports of sandboxes",
            m.port_requests,
        );
        registry.register(
            "port_received_bytes",
            "Bytes that clients sent to ports of sandboxes",
            m.port_bytes_in,
        );
        registry.register(
            "port_sent_bytes",
            "Bytes that ports of sandboxes sent to clients",
            m.port_bytes_out,
        );
        registry.register(
            "sessions",
            "Sessions and sandboxes that hold a VM",
            m.sessions,
        );
        registry.register(
            "state_free_bytes",
            "Free space where images and VMs are kept",
            m.state_free_bytes,
        );
        registry.register("ready", "1 when jobs are taken, as /readyz says", m.ready);
    }

    /// Makes the series that alerts on an increase are to see the first one of.
    pub fn announce(&self, keys: Vec<String>) {
        for class in CLASSES {
            drop(self.classes.get_or_create(&ClassLabel { class }));
        }
        for path in [BootPath::Pool, BootPath::Clone, BootPath::Boot] {
            let path = path.as_str();
            drop(self.job_seconds.get_or_create(&PathLabel { path }));
        }
        self.keys.announce(keys);
    }

    /// Counts an answer that began after so long.
    pub fn answered(&self, route: &str, status: StatusCode, took: Duration) {
        let labels = AnswerLabels {
            route: route.to_owned(),
            status: status.as_u16(),
        };
        self.answers.get_or_create(&labels).inc();
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(class) = CLASSES.get(class) {
            self.classes.get_or_create(&ClassLabel { class }).inc();
        }
        let route = RouteLabel {
            route: route.to_owned(),
        };
        let seconds = self.request_seconds.get_or_create(&route);
        seconds.observe(took.as_secs_f64());
    }

    /// Counts a job.
    pub fn ended(&self, row: &JobRow) {
        self.keys.ended(row);
        if let (Some(path), Some(seconds)) = (row.path, row.total_seconds) {
            let of_path = self.job_seconds.get_or_create(&PathLabel { path });
            of_path.observe(seconds);
        }
    }
}

impl App {
    /// Counts a refusal, for its key where it has one.
    pub fn count_refusal(&self, code: &'static str, asker: &Asker) {
        self.history.refused(code);
        if let Some(owner) = asker.owner() {
            self.http.keys.refused(&owner.name);
            self.usage
                .add(&owner.id, &owner.name, &UsageRow::refusal(code));
        }
    }
}

/// All metrics in Prometheus' text format.
#[utoipa::path(
    get, path = "/metrics", tag = "operation",
    responses((status = 200, description = "Metrics", body = String, content_type = "text/plain")),
)]
pub async fn metrics(State(app): State<Arc<App>>, _: Observer) -> Result<Response, Problem> {
    crate::health::measure(&app).await;
    memory_held(&app).await;
    let mut text = String::new();
    encode(&mut text, &app.registry).map_err(|_| Problem::new(HttpCode::InternalError))?;
    let content_type = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    Ok((content_type, prometheus_text(&text)).into_response())
}

/// What the VMMs on this state folder hold, in bytes: those at work, those that wait, those that stand by.
pub async fn memory_held(app: &App) -> u64 {
    let state_dir = app.rooms.state_dir.clone();
    let held = tokio::task::spawn_blocking(move || memory_held_bytes(&state_dir)).await;
    let held = held.unwrap_or_default();
    let gauge = &app.rooms.sandbox.metrics().memory_held_bytes;
    gauge.set(i64::try_from(held).unwrap_or(i64::MAX));
    held
}

fn memory_held_bytes(state_dir: &Path) -> u64 {
    let vmms = vmm::running_vmms(state_dir);
    vmms.iter().map(vmm::RunningVmm::pss_bytes).sum()
}

/// The older text format that every scraper and `promtool` reads: there, a counter's family is named
/// as its samples are, with `_total`, and nothing marks the end.
fn prometheus_text(open_metrics: &str) -> String {
    let counters: HashSet<&str> = open_metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut out = String::with_capacity(open_metrics.len());
    for line in open_metrics.lines() {
        let mut words = line.splitn(4, ' ');
        let (hash, keyword, name) = (words.next(), words.next(), words.next());
        match (hash, keyword, name) {
            (Some("#"), Some("EOF"), _) | (Some("#"), Some("UNIT"), _) => continue,
            (Some("#"), Some(keyword), Some(name)) if counters.contains(name) => {
                let rest = words.next().unwrap_or_default();
                out.push_str(&format!("# {keyword} {name}_total {rest}\n"));
            }
            _ => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_named_as_their_samples() {
        let open = "# HELP a Help.\n# TYPE a counter\na_total 1\n# HELP b B.\n# TYPE b gauge\nb{x=\"# EOF\"} 2\n# EOF\n";
        let text = "# HELP a_total Help.\n# TYPE a_total counter\na_total 1\n# HELP b B.\n# TYPE b gauge\nb{x=\"# EOF\"} 2\n";
        assert_eq!(prometheus_text(open), text);
    }
}
