//! What happened lately, kept in memory for the dashboard: a sink of the sandbox's events.
//!
//! Bounded everywhere; the log that counts is the audit log. What leaves here has nothing of this
//! host's inside in it, as every answer of the service.

use crate::problem::public_sentence;
use protocol::error_code::ERROR_CODES;
use protocol::event::{Event, EventType};
use protocol::result::Failure;
use sandbox::events::EventSink;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;
use utoipa::ToSchema;

/// Jobs that are remembered.
const JOBS: usize = 200;
/// Times a path that percentiles are taken of.
const TIMES: usize = 256;
/// Events that a slow listener may lag behind before it misses some.
const LAG: usize = 256;

/// One job, now or lately.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct JobRow {
    /// Its name.
    pub trace_id: String,
    /// Its language.
    pub language: String,
    /// When it was given a VM, or ended without one (RFC 3339, UTC).
    pub started_at: String,
    /// `running`, or how it ended.
    pub status: String,
    /// `pool`, `clone` or `boot`, once it ended.
    pub path: Option<String>,
    /// Seconds from its request to its end.
    pub total_seconds: Option<f64>,
}

/// How long jobs took lately.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Latency {
    /// `pool`, `clone` or `boot`.
    pub path: String,
    /// Jobs that the figures are of.
    pub count: usize,
    /// Half of them took at most this, in seconds.
    pub p50_seconds: f64,
    /// All but a twentieth took at most this, in seconds.
    pub p95_seconds: f64,
}

#[derive(Debug, Default)]
struct Recent {
    events: VecDeque<Arc<Event>>,
    jobs: VecDeque<JobRow>,
    times: BTreeMap<String, VecDeque<f64>>,
}

/// The memory of the dashboard.
#[derive(Debug)]
pub struct Feed {
    // Held for a few pushes and copies, never over an await.
    recent: Mutex<Recent>,
    live: broadcast::Sender<Arc<Event>>,
    bound: usize,
}

impl Feed {
    /// A feed that remembers that many events.
    pub fn new(events: usize) -> Arc<Feed> {
        Arc::new(Feed {
            recent: Mutex::default(),
            live: broadcast::channel(LAG).0,
            bound: events.max(1),
        })
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest `count` events, oldest first.
    pub fn events(&self, count: usize) -> Vec<Arc<Event>> {
        let recent = self.recent();
        let skip = recent.events.len().saturating_sub(count);
        recent.events.iter().skip(skip).cloned().collect()
    }

    /// Events from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Event>> {
        self.live.subscribe()
    }

    /// Jobs now and lately, newest first.
    pub fn jobs(&self) -> Vec<JobRow> {
        self.recent().jobs.iter().rev().cloned().collect()
    }

    /// How long jobs took lately, by the way their VMs came.
    pub fn latency(&self) -> Vec<Latency> {
        let recent = self.recent();
        let row = |(path, times): (&String, &VecDeque<f64>)| {
            let mut sorted: Vec<f64> = times.iter().copied().collect();
            sorted.sort_by(f64::total_cmp);
            Latency {
                path: path.clone(),
                count: sorted.len(),
                p50_seconds: percentile(&sorted, 0.50),
                p95_seconds: percentile(&sorted, 0.95),
            }
        };
        recent.times.iter().map(row).collect()
    }
}

fn percentile(sorted: &[f64], part: f64) -> f64 {
    let at = (part * sorted.len() as f64).ceil() as usize;
    sorted
        .get(at.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

impl EventSink for Feed {
    fn record(&self, event: &Event) {
        let event = Arc::new(redacted(event));
        let mut recent = self.recent();
        recent.note_job(&event);
        push(&mut recent.events, event.clone(), self.bound);
        drop(recent);
        // Nobody listens: nothing is lost.
        let _ = self.live.send(event);
    }
}

impl Recent {
    fn note_job(&mut self, event: &Event) {
        let Some(trace_id) = event.trace_id.as_ref().map(ToString::to_string) else {
            return;
        };
        let text = |name: &str| event.extra.get(name).and_then(Value::as_str);
        match event.event_type {
            EventType::VmStart => {
                let row = JobRow {
                    trace_id,
                    language: text("language").unwrap_or_default().to_owned(),
                    started_at: event.timestamp.clone(),
                    status: "running".into(),
                    path: None,
                    total_seconds: None,
                };
                push(&mut self.jobs, row, JOBS);
            }
            EventType::VmStop | EventType::VmTimeout | EventType::VmOom => {
                let seconds = event.extra.get("total_seconds").and_then(Value::as_f64);
                let path = text("path").map(str::to_owned);
                if let (Some(path), Some(seconds)) = (&path, seconds) {
                    push(self.times.entry(path.clone()).or_default(), seconds, TIMES);
                }
                let status = text("status").unwrap_or("ended").to_owned();
                let own = |row: &&mut JobRow| row.trace_id == trace_id && row.status == "running";
                if let Some(row) = self.jobs.iter_mut().rev().find(own) {
                    row.status = status;
                    row.path = path;
                    row.total_seconds = seconds;
                    return;
                }
                // It never had a VM.
                let row = JobRow {
                    trace_id,
                    language: text("language").unwrap_or_default().to_owned(),
                    started_at: event.timestamp.clone(),
                    status,
                    path,
                    total_seconds: seconds,
                };
                push(&mut self.jobs, row, JOBS);
            }
            EventType::SandboxExpiring
            | EventType::SandboxPort
            | EventType::ConfigReload
            | EventType::ValidationFail
            | EventType::DangerousPattern => {}
        }
    }
}

fn push<T>(queue: &mut VecDeque<T>, value: T, bound: usize) {
    if queue.len() >= bound {
        queue.pop_front();
    }
    queue.push_back(value);
}

/// The event without what its failure says of the inside.
fn redacted(event: &Event) -> Event {
    let mut event = event.clone();
    let code = event
        .extra
        .get("failure")
        .and_then(|failure| failure.get("code")?.as_str())
        .and_then(|text| ERROR_CODES.iter().find(|code| code.as_str() == text));
    if let Some(code) = code {
        let failure = Failure {
            code: *code,
            message: event.details.clone(),
            field: None,
        };
        event.details = public_sentence(&failure);
        let public = json!({ "code": code.as_str(), "message": event.details });
        event.extra.insert("failure".into(), public);
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::trace_id::TraceId;

    fn event(event_type: EventType, trace_id: &str, extra: Value) -> Event {
        Event {
            timestamp: "2026-01-01T00:00:00Z".into(),
            event_type,
            trace_id: TraceId::parse(trace_id).ok(),
            details: "boot failed: /var/lib/x: no".into(),
            extra: extra.as_object().cloned().unwrap_or_default(),
        }
    }

    #[test]
    fn a_job_is_running_and_then_over() {
        let feed = Feed::new(3);
        feed.record(&event(EventType::VmStart, "a", json!({"language": "go"})));
        assert_eq!(feed.jobs()[0].status, "running");
        let end = json!({"status": "timeout", "path": "clone", "total_seconds": 2.0});
        feed.record(&event(EventType::VmTimeout, "a", end));
        let row = feed.jobs().remove(0);
        assert_eq!(
            (row.status.as_str(), row.path.as_deref()),
            ("timeout", Some("clone"))
        );
        assert_eq!(feed.latency()[0].p95_seconds, 2.0);
    }

    #[test]
    fn a_job_that_never_had_a_vm_is_there_too() {
        let feed = Feed::new(3);
        feed.record(&event(
            EventType::VmStop,
            "a",
            json!({"status": "internal"}),
        ));
        assert_eq!(feed.jobs()[0].status, "internal");
    }

    #[test]
    fn it_is_bounded_and_shows_nothing_of_the_inside() {
        let feed = Feed::new(3);
        let failure = json!({"failure": {"code": "vm_start_failed", "message": "/var/lib/x"}});
        for n in 0..1000 {
            feed.record(&event(EventType::VmStart, &format!("j{n}"), json!({})));
            feed.record(&event(EventType::VmStop, &format!("j{n}"), failure.clone()));
        }
        assert_eq!(feed.events(100).len(), 3);
        assert_eq!(feed.jobs().len(), JOBS);
        let text = serde_json::to_string(&feed.events(1)).unwrap();
        assert!(!text.contains("/var"), "{text}");
    }

    #[test]
    fn percentiles_are_of_the_values_themselves() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&hundred, 0.5), 50.0);
        assert_eq!(percentile(&hundred, 0.95), 95.0);
        assert_eq!(percentile(&[7.0], 0.95), 7.0);
        assert_eq!(percentile(&[], 0.5), 0.0);
    }
}
