//! Memory as a term of admission: what a VM may hold of the host, and whether the host has it.

use super::Sandbox;
use crate::admission::{NotAdmitted, SessionPermit};
use crate::error::{JobError, Why};
use protocol::error_code::ErrorCode;
use protocol::job::Job;
use protocol::validate::Rejection;

impl Sandbox {
    /// Refuses what this host could never give.
    pub(super) fn check_memory(&self, job: Job) -> Result<Job, Rejection> {
        let (needed, bound) = (self.memory_of(&job), self.bounds().memory_mib);
        if u64::from(needed) <= bound {
            return Ok(job);
        }
        Err(Rejection {
            code: ErrorCode::MemoryInvalid,
            field: "memory_mib",
            message: format!(
                "the VM would need {needed} MiB, {} of them for its VMM, and all VMs on this host may have {bound}",
                self.memory_overhead_mib
            ),
            trace_id: Some(job.trace_id),
        })
    }

    /// MiB that the VM of a job may hold of the host.
    pub(super) fn memory_of(&self, job: &Job) -> u32 {
        job.limits
            .memory_mib
            .saturating_add(self.memory_overhead_mib)
    }

    /// The memory of a session's VM, for as long as it lives.
    pub(crate) fn admit_session(&self, job: &Job) -> Result<SessionPermit, JobError> {
        let needed = self.memory_of(job);
        self.admission
            .admit_session(needed)
            .map_err(|refusal| match refusal {
                NotAdmitted::Closing => Why::Closing.into(),
                _ => Why::SessionMemory {
                    needed_mib: u64::from(needed),
                    of_mib: self.bounds().session_memory_mib(),
                }
                .into(),
            })
    }
}
