//! Whether VMs start, as the last jobs found.

use super::Check;
use crate::app::App;
use protocol::error_code::ErrorCode;
use protocol::result::JobResult;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// VMs that did not start, in a row, before it is the engine's fault and not one job's.
const IN_A_ROW: u32 = 3;
/// How long that counts: then the next jobs are to show whether it is over.
const COUNTS_FOR: Duration = Duration::from_secs(60);

/// VMs that did not start, in a row.
#[derive(Debug, Default)]
pub struct EngineTrouble(Mutex<Option<(u32, Instant)>>);

impl EngineTrouble {
    /// A job ended; only whether it had a VM counts.
    pub fn ended(&self, result: &JobResult) {
        let failed = result.failure.as_ref().map(|failure| failure.code);
        let mut row = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match failed {
            Some(ErrorCode::VmStartFailed) => {
                let count = row.map_or(0, |(count, _)| count).saturating_add(1);
                *row = Some((count, Instant::now()));
            }
            None => *row = None,
            Some(_) => {}
        }
    }

    fn check(&self, now: Instant) -> Check {
        let row = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match row {
            Some((count, at))
                if count >= IN_A_ROW && now.saturating_duration_since(at) < COUNTS_FOR =>
            {
                Check::bad(
                    "engine",
                    format!("the last {count} VMs did not start"),
                    "see the service's log for the reason, and llm-firecracker doctor",
                )
            }
            _ => Check::good("engine", "VMs start"),
        }
    }
}

pub(super) fn check(app: &App) -> Check {
    app.engine_trouble.check(Instant::now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::result::{Failure, Status};
    use protocol::trace_id::TraceId;

    fn ended(code: Option<ErrorCode>) -> JobResult {
        let failure = Failure {
            code: code.unwrap_or(ErrorCode::Cancelled),
            message: String::new(),
            field: None,
        };
        let trace_id = TraceId::parse("t").unwrap();
        let result = JobResult::failed(trace_id, Status::Internal, failure);
        JobResult {
            failure: result.failure.filter(|_| code.is_some()),
            ..result
        }
    }

    #[test]
    fn vms_that_do_not_start_in_a_row_are_the_engines_fault_for_a_while() {
        let trouble = EngineTrouble::default();
        let failed = ended(Some(ErrorCode::VmStartFailed));
        let now = Instant::now();
        trouble.ended(&failed);
        trouble.ended(&failed);
        // A client that goes away says nothing of it.
        trouble.ended(&ended(Some(ErrorCode::Cancelled)));
        assert!(trouble.check(now).ok);
        trouble.ended(&failed);
        let check = trouble.check(Instant::now());
        assert!(!check.ok && check.fix.is_some());
        assert!(trouble.check(Instant::now() + COUNTS_FOR).ok);
        trouble.ended(&ended(None));
        assert!(trouble.check(now).ok);
    }
}
