//! What requests of VMs that stay have in common, a session's and a sandbox's: how long such a VM may stay, and that
//! what runs in one is judged as a job of its size would be.

use crate::config::SessionBounds;
use crate::problem::{HttpCode, Problem};
use jiff::{SignedDuration, Timestamp};
use protocol::job::{JobRequest, RequestedLimits};
use std::time::Duration;

/// Seconds that were asked for, within their bound; all of it where nothing was asked.
pub fn within(field: &str, asked: Option<f64>, max: u64) -> Result<Duration, Problem> {
    let seconds = asked.unwrap_or(max as f64);
    if seconds > 0.0 && seconds <= max as f64 {
        return Ok(Duration::from_secs_f64(seconds));
    }
    let sentence = format!("{field} is {seconds}, allowed is above 0 and at most {max} seconds");
    Err(Problem::with(HttpCode::FieldInvalid, sentence).field(field))
}

/// How long a VM may stay that was asked for with these fields.
#[derive(Debug, Clone, Copy)]
pub struct AskedTimes {
    /// `timeout`.
    pub total: Option<f64>,
    /// `idle_timeout`.
    pub idle: Option<f64>,
}

impl AskedTimes {
    /// Total and idle time.
    pub fn within(self, bounds: &SessionBounds) -> Result<(Duration, Duration), Problem> {
        let total = within("timeout", self.total, bounds.total_seconds)?;
        let idle = within("idle_timeout", self.idle, bounds.idle_seconds)?;
        Ok((total, idle))
    }
}

/// The moment so long after another; the last that there is where it would come later.
pub fn after(now: Timestamp, time: Duration) -> Timestamp {
    let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
    now.checked_add(time).unwrap_or(Timestamp::MAX)
}

/// The size of a VM that is there.
#[derive(Debug, Clone, Copy)]
pub struct VmSize {
    /// Its memory.
    pub memory_mib: u32,
    /// Its virtual CPUs.
    pub vcpus: u32,
}

impl VmSize {
    /// A job of this size, to be judged; it gets no VM of its own.
    pub fn job(self, language: &str) -> JobRequest {
        JobRequest {
            language: language.into(),
            limits: RequestedLimits {
                memory_mib: Some(self.memory_mib.into()),
                vcpus: Some(self.vcpus.into()),
                ..RequestedLimits::default()
            },
            ..JobRequest::default()
        }
    }
}
