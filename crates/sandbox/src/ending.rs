//! What is told of one job, whatever way it ends: its start, once there is a VM for it, its end, and one
//! more in the count of jobs. A job that is dropped before its end was cancelled, and that is told too.

use crate::error::JobError;
use crate::events::{EventBus, Notice};
use crate::metrics::Metrics;
use crate::outcome;
use protocol::error_code::ErrorCode;
use protocol::event::EventType;
use protocol::job::{Job, Owner};
use protocol::language::Language;
use protocol::result::{Failure, Isolation, JobResult, Status};
use protocol::trace_id::TraceId;
use serde_json::{Value, json};
use std::sync::Arc;

/// Where it is told.
#[derive(Clone, Copy)]
pub(crate) struct Ledger<'a> {
    pub(crate) events: &'a EventBus,
    pub(crate) metrics: &'a Metrics,
}

/// One job that has not ended yet.
pub(crate) struct JobEnding<'a> {
    ledger: Ledger<'a>,
    trace_id: TraceId,
    owner: Option<Arc<Owner>>,
    language: Language,
    /// Of a session's program: the session.
    session: Option<TraceId>,
    has_vm: bool,
    told: bool,
}

impl<'a> JobEnding<'a> {
    /// A job that waits for its VM.
    pub(crate) fn of(ledger: Ledger<'a>, job: &Job) -> JobEnding<'a> {
        JobEnding {
            ledger,
            trace_id: job.trace_id.clone(),
            owner: job.owner.clone(),
            language: job.language,
            session: None,
            has_vm: false,
            told: false,
        }
    }

    /// A program of this session, whose VM is counted as the session's.
    pub(crate) fn in_session(mut self, session: &TraceId) -> JobEnding<'a> {
        self.session = Some(session.clone());
        self
    }

    /// There is a VM, and it takes the job. Told once, though a second VM may have to take it.
    pub(crate) fn has_vm(&mut self, job: &Job, isolation: &Isolation) {
        if std::mem::replace(&mut self.has_vm, true) {
            return;
        }
        if self.session.is_none() {
            self.ledger.metrics.vms_alive.inc();
        }
        let details = format!("a VM took a {} job", self.language);
        let extra = json!({
            "language": self.language,
            "memory_mib": job.limits.memory_mib,
            "vcpus": job.limits.vcpus,
            "isolation": isolation,
        });
        self.tell(EventType::VmStart, details, extra);
    }

    /// It ended.
    pub(crate) fn end(mut self, result: &JobResult) {
        self.told = true;
        self.ledger.metrics.ended(Some(self.language), result);
        let extra = json!({
            "language": self.language,
            "status": result.status,
            "exit_code": result.exit_code,
            "signal": result.signal,
            "limit": result.limit,
            "failure": result.failure,
            "path": result.timings.path,
            "total_seconds": result.timings.total,
        });
        self.tell(
            outcome::event_type(result),
            outcome::sentence(result),
            extra,
        );
    }

    /// It was turned away before it had a VM.
    pub(crate) fn refused(mut self, error: JobError) -> JobResult {
        self.told = true;
        let failure = error.failure();
        let extra = json!({ "code": failure.code });
        self.tell(EventType::ValidationFail, failure.message.clone(), extra);
        let result = JobResult::failed(self.trace_id.clone(), Status::Rejected, failure);
        self.ledger.metrics.ended(None, &result);
        result
    }

    fn tell(&self, event_type: EventType, details: String, mut extra: Value) {
        if let (Some(session), Some(extra)) = (&self.session, extra.as_object_mut()) {
            extra.insert("session_trace_id".into(), session.as_str().into());
        }
        let events = self.ledger.events;
        events.emit(
            Some(&self.trace_id),
            Notice::new(event_type, details, extra).of(self.owner.as_deref()),
        );
    }
}

impl Drop for JobEnding<'_> {
    fn drop(&mut self) {
        if self.has_vm && self.session.is_none() {
            self.ledger.metrics.vms_alive.dec();
        }
        if self.told {
            return;
        }
        let details = match self.has_vm {
            true => "the caller went away; the VM was destroyed",
            false => "the caller went away before the job had a VM",
        };
        let failure = Failure {
            code: ErrorCode::Cancelled,
            message: details.into(),
            field: None,
        };
        let result = JobResult::failed(self.trace_id.clone(), Status::Killed, failure);
        self.ledger.metrics.ended(Some(self.language), &result);
        let extra =
            json!({ "status": Status::Killed, "failure": { "code": ErrorCode::Cancelled } });
        self.tell(EventType::VmStop, details.into(), extra);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Why;
    use crate::events::{EventSink, Recorded};
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;
    use protocol::event::Event;
    use protocol::job::JobRequest;
    use std::sync::{Arc, Mutex};

    #[derive(Default)]
    struct Told(Mutex<Vec<Event>>);

    impl EventSink for Told {
        fn record(&self, event: &Event) -> Recorded {
            self.0.lock().unwrap().push(event.clone());
            Recorded::Everywhere
        }
    }

    fn job() -> Job {
        let request = JobRequest {
            language: "bash".into(),
            code: "echo".into(),
            ..JobRequest::default()
        };
        let policy = crate::config::Config::default().policy().unwrap();
        policy.validate(request).unwrap()
    }

    fn isolation() -> Isolation {
        Isolation {
            engine: "qemu".into(),
            accelerator: "tcg".into(),
            jail: "none".into(),
            guest: protocol::result::GuestWall::Confined,
        }
    }

    /// What is told of a job that goes this way, and the lines of `jobs_total` that are not 0.
    fn told(way: impl FnOnce(JobEnding<'_>, &Job)) -> (Vec<Event>, Vec<String>) {
        let sink = Arc::new(Told::default());
        let (events, metrics) = (EventBus::new(vec![sink.clone()]), Metrics::default());
        let job = job();
        let ledger = Ledger {
            events: &events,
            metrics: &metrics,
        };
        way(JobEnding::of(ledger, &job), &job);
        assert_eq!(metrics.vms_alive.get(), 0);
        let (mut registry, mut text) = (Registry::default(), String::new());
        metrics.register(&mut registry);
        encode(&mut text, &registry).unwrap();
        let counted = text.lines().filter(|line| line.starts_with("jobs_total{"));
        let all = std::mem::take(&mut *sink.0.lock().unwrap());
        (all, counted.map(str::to_owned).collect())
    }

    #[test]
    fn each_event_of_a_job_names_its_key() {
        let sink = Arc::new(Told::default());
        let (events, metrics) = (EventBus::new(vec![sink.clone()]), Metrics::default());
        let ledger = Ledger {
            events: &events,
            metrics: &metrics,
        };
        let owner = Owner {
            id: "0123456789ab".into(),
            name: "app".into(),
        };
        let of_key = Job {
            owner: Some(Arc::new(owner)),
            ..job()
        };
        let mut ending = JobEnding::of(ledger, &of_key);
        ending.has_vm(&of_key, &isolation());
        drop(ending);
        JobEnding::of(ledger, &of_key).refused(Why::Closing.into());
        JobEnding::of(ledger, &job()).refused(Why::Closing.into());
        let told = sink.0.lock().unwrap();
        let (own, without) = told.split_at(3);
        for event in own {
            assert_eq!(event.extra["key"], "0123456789ab");
            assert_eq!(event.extra["key_name"], "app");
        }
        assert!(!without[0].extra.contains_key("key"));
    }

    #[test]
    fn a_start_is_told_only_once_there_is_a_vm() {
        let (events, counted) = told(|mut ending, job| {
            ending.has_vm(job, &isolation());
            ending.has_vm(job, &isolation());
            ending.end(&JobResult::failed(
                job.trace_id.clone(),
                Status::Timeout,
                Failure {
                    code: ErrorCode::VmDied,
                    message: "x".into(),
                    field: None,
                },
            ));
        });
        let types: Vec<EventType> = events.iter().map(|event| event.event_type).collect();
        assert_eq!(types, [EventType::VmStart, EventType::VmTimeout]);
        assert_eq!(counted, ["jobs_total{status=\"timeout\"} 1"]);
    }

    #[test]
    fn a_cancelled_job_is_counted_with_a_vm_and_without() {
        for has_vm in [false, true] {
            let (events, counted) = told(|mut ending, job| {
                if has_vm {
                    ending.has_vm(job, &isolation());
                }
            });
            assert_eq!(events.len(), 1 + usize::from(has_vm));
            assert_eq!(events.last().unwrap().extra["failure"]["code"], "cancelled");
            assert_eq!(counted, ["jobs_total{status=\"killed\"} 1"]);
        }
    }

    #[test]
    fn a_sessions_program_names_its_session_and_is_no_vm_more() {
        let session = TraceId::parse("the-session").unwrap();
        let (events, _) = told(|ending, job| {
            let mut ending = ending.in_session(&session);
            ending.has_vm(job, &isolation());
            assert_eq!(ending.ledger.metrics.vms_alive.get(), 0);
        });
        for event in &events {
            assert_eq!(event.extra["session_trace_id"], "the-session");
        }
    }

    #[test]
    fn a_job_that_is_turned_away_is_no_start() {
        let (events, counted) = told(|ending, _| {
            ending.refused(Why::Closing.into());
        });
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].event_type, EventType::ValidationFail);
        assert_eq!(counted, ["jobs_total{status=\"rejected\"} 1"]);
    }
}
