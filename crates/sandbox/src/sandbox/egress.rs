//! Jobs that may reach something: under which of the operator's policies, and what carries it.

use super::Sandbox;
use crate::error::{JobError, Why};
use crate::outside::Outside;
use egress::client::Egress;
use protocol::error_code::ErrorCode;
use protocol::job::Job;
use protocol::validate::Rejection;

impl Sandbox {
    /// The operator's policies, where there are any.
    pub fn egress(&self) -> Option<&Egress> {
        self.egress.as_ref()
    }

    /// Refuses a policy that there is not.
    pub(super) fn check_egress(&self, job: Job) -> Result<Job, Rejection> {
        let Some(policy) = &job.egress else {
            return Ok(job);
        };
        if self.egress().is_some_and(|egress| egress.has(policy)) {
            return Ok(job);
        }
        let known: Vec<&str> = self.egress().iter().flat_map(|it| it.policies()).collect();
        let known = match known.as_slice() {
            [] => "the operator wrote none".to_owned(),
            known => format!("there are {}", known.join(", ")),
        };
        Err(Rejection {
            code: ErrorCode::EgressUnknown,
            field: "egress",
            message: format!("there is no egress policy {policy:?}: {known}"),
            trace_id: Some(job.trace_id),
        })
    }

    /// A way out under this policy.
    pub(crate) async fn outside(&self, policy: &str, job: &Job) -> Result<Outside, JobError> {
        let egress = self.egress().ok_or(Why::Gone)?;
        let whose = (&job.trace_id, job.owner.clone());
        let begun = Outside::begin(egress, policy, whose, self.events()).await;
        begun.map_err(|error| Why::Egress(error).into())
    }
}
