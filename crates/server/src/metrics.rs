//! `GET /metrics`: the sandbox's and our own, in Prometheus' text format.

use crate::app::App;
use crate::auth::Observer;
use crate::problem::{HttpCode, Problem};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

/// Labels of an answer: both are closed sets, for routes are ours.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabels {
    route: String,
    status: u16,
}

/// What only HTTP counts.
#[derive(Debug, Clone, Default)]
pub struct HttpMetrics {
    answers: Family<AnswerLabels, Counter>,
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

impl HttpMetrics {
    /// Puts each under its public name.
    pub fn register(&self, registry: &mut Registry) {
        let m = self.clone();
        registry.register("http_requests", "Requests answered", m.answers);
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

    /// Counts an answer.
    pub fn answered(&self, route: &str, status: StatusCode) {
        let labels = AnswerLabels {
            route: route.to_owned(),
            status: status.as_u16(),
        };
        self.answers.get_or_create(&labels).inc();
    }
}

/// All metrics in Prometheus' text format.
#[utoipa::path(
    get, path = "/metrics", tag = "operation",
    responses((status = 200, description = "Metrics", body = String, content_type = "text/plain")),
)]
pub async fn metrics(State(app): State<Arc<App>>, _: Observer) -> Result<Response, Problem> {
    crate::health::measure(&app);
    let state_dir = app.rooms.state_dir.clone();
    let held = tokio::task::spawn_blocking(move || memory_held_bytes(&state_dir)).await;
    let held = held.map_err(|_| Problem::new(HttpCode::InternalError))?;
    app.rooms.sandbox.metrics().memory_held_bytes.set(held);
    let mut text = String::new();
    encode(&mut text, &app.registry).map_err(|_| Problem::new(HttpCode::InternalError))?;
    let content_type = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    Ok((content_type, prometheus_text(&text)).into_response())
}

/// What the VMMs on this state folder hold: those at work, those that wait, those that stand by.
fn memory_held_bytes(state_dir: &Path) -> i64 {
    let vmms = vmm::running_vmms(state_dir);
    let held: u64 = vmms.iter().map(vmm::RunningVmm::pss_bytes).sum();
    i64::try_from(held).unwrap_or(i64::MAX)
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
