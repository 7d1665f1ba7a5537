//! What happened lately, kept in memory for the dashboard: a sink of the sandbox's events.
//!
//! Bounded everywhere; the log that counts is the audit log. What leaves here has nothing of this
//! host's inside in it, as every answer of the service.

use crate::problem::public_sentence;
use protocol::error_code::ERROR_CODES;
use protocol::event::{Event, EventType};
use protocol::result::Failure;
use protocol::trace_id::TraceId;
use sandbox::events::{EventSink, Recorded};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;
use utoipa::ToSchema;

/// Times a path that percentiles are taken of.
const TIMES: usize = 256;
/// Events that a slow listener may lag behind before it misses some.
const LAG: usize = 256;

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

    /// What is remembered of a job of this key, oldest first.
    pub fn events_of(&self, trace_id: &TraceId, key: &str) -> Vec<Arc<Event>> {
        let recent = self.recent();
        let is_of = |event: &&Arc<Event>| {
            let own = event.extra.get("key").and_then(Value::as_str);
            event.trace_id.as_ref() == Some(trace_id) && own == Some(key)
        };
        recent.events.iter().filter(is_of).cloned().collect()
    }

    /// How long jobs took lately, by the way their VMs came.
    pub fn latency(&self) -> Vec<Latency> {
        let recent = self.recent();
        let row =
            |(path, times): (&String, &VecDeque<f64>)| latency_of(path, times.iter().copied());
        recent.times.iter().map(row).collect()
    }
}

/// How long jobs took whose VMs came this way.
pub fn latency_of(path: &str, times: impl Iterator<Item = f64>) -> Latency {
    let mut sorted: Vec<f64> = times.collect();
    sorted.sort_by(f64::total_cmp);
    Latency {
        path: path.to_owned(),
        count: sorted.len(),
        p50_seconds: percentile(&sorted, 0.50),
        p95_seconds: percentile(&sorted, 0.95),
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
    fn record(&self, event: &Event) -> Recorded {
        let event = Arc::new(redacted(event));
        let mut recent = self.recent();
        recent.note_time(&event);
        push(&mut recent.events, event.clone(), self.bound);
        drop(recent);
        // Nobody listens: nothing is lost.
        let _ = self.live.send(event);
        Recorded::Everywhere
    }
}

impl Recent {
    fn note_time(&mut self, event: &Event) {
        let ends = [EventType::VmStop, EventType::VmTimeout, EventType::VmOom];
        let path = event.extra.get("path").and_then(Value::as_str);
        let seconds = event.extra.get("total_seconds").and_then(Value::as_f64);
        if let (true, Some(path), Some(seconds)) = (ends.contains(&event.event_type), path, seconds)
        {
            push(
                self.times.entry(path.to_owned()).or_default(),
                seconds,
                TIMES,
            );
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
    fn it_knows_how_long_jobs_took_and_whose_events_are_whose() {
        let feed = Feed::new(3);
        let end = json!({"status": "timeout", "path": "clone", "total_seconds": 2.0, "key": "k"});
        feed.record(&event(EventType::VmStart, "a", json!({"key": "k"})));
        feed.record(&event(EventType::VmTimeout, "a", end));
        feed.record(&event(EventType::VmStart, "a", json!({"key": "other"})));
        assert_eq!(feed.latency()[0].p95_seconds, 2.0);
        let a = TraceId::parse("a").unwrap();
        assert_eq!(feed.events_of(&a, "k").len(), 2);
        assert_eq!(feed.events_of(&a, "other").len(), 1);
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
