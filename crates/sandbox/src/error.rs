//! Why a job has no report: one variant a cause, the causes of causes kept. The code that clients match on
//! and the sentence that they read are made here, and nowhere else.

use crate::saved::SavedError;
use crate::snapshots::error::SnapshotError;
use crate::talk::TalkError;
use egress::client::EgressError;
use images::ImageError;
use protocol::error_code::ErrorCode;
use protocol::result::Failure;
use protocol::wire::PROTOCOL_VERSION;
use std::sync::Arc;
use vmm::VmmError;

/// An error and its causes in one line each.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

/// Why there is no report, with what the VM's logs said last where that helps.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}{logs}", chain(.why.as_ref()))]
pub struct JobError {
    why: Arc<Why>,
    logs: String,
}

/// The cause.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    /// All places are taken, those in the line too.
    #[error("{running} jobs run and {waiting} wait")]
    QueueFull {
        /// Jobs with a place.
        running: usize,
        /// Jobs in the line.
        waiting: usize,
    },
    /// A front door's own line did not move in time.
    #[error("no turn came within {seconds} seconds")]
    NoTurn {
        /// How long it waited.
        seconds: u64,
    },
    /// Sessions have all the memory that they may have.
    #[error(
        "the session's VM would need {needed_mib} MiB; of the {of_mib} that sessions may have there are not so many now"
    )]
    SessionMemory {
        /// Of this session's VM.
        needed_mib: u64,
        /// Of all sessions' together.
        of_mib: u64,
    },
    /// The sandbox is being closed.
    #[error("the sandbox is closing")]
    Closing,
    /// The walls are weaker than the operator's minimum.
    #[error("isolation.minimum is hardware, but {engine} runs guests by {held_by} here")]
    IsolationTooWeak {
        /// The engine's name.
        engine: String,
        /// What holds its guests.
        held_by: &'static str,
    },
    /// There is no way out for a job that is to have one.
    #[error("the network is not there")]
    Egress(#[source] EgressError),
    /// An image is missing, old or damaged.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Packages that a program asks for could not be brought.
    #[error("packages cannot be brought")]
    Packages(#[source] ImageError),
    /// Others' packages were being brought all the time.
    #[error("packages of others were being brought for {seconds} seconds")]
    PackagesTurn {
        /// How long it waited.
        seconds: u64,
    },
    /// The thread that brought packages panicked, or what it brought is another's.
    #[error("bringing packages failed")]
    PackagesLost,
    /// The thread that verified the images panicked.
    #[error("verifying the images failed")]
    Verifying,
    /// This engine, or this host, has no snapshots.
    #[error("snapshots are not possible: {0}")]
    NoSnapshots(String),
    /// A snapshot could not be found, locked, made or removed.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A saved VM cannot go on, or could not be kept.
    #[error(transparent)]
    Saved(#[from] SavedError),
    /// The engine's VM cannot be saved.
    #[error("the engine's template cannot become a snapshot")]
    NoTemplate,
    /// The VMM did not start, or refused a step.
    #[error(transparent)]
    Vmm(#[from] VmmError),
    /// The host's generator failed.
    #[error("the host gave no randomness: {0}")]
    Entropy(getrandom::Error),
    /// The VM was lost before.
    #[error("the VM is gone")]
    Gone,
    /// The VMM ended meanwhile.
    #[error("{step}: the VMM ended ({exit})")]
    Ended {
        /// What was being done.
        step: Step,
        /// How it ended.
        exit: String,
    },
    /// The channel to the guest broke, or nothing came through it.
    #[error("{step}")]
    Channel {
        /// What was being done.
        step: Step,
        /// How it broke.
        #[source]
        source: TalkError,
    },
    /// The agent is of another build.
    #[error("the agent speaks protocol {protocol}, this host protocol {PROTOCOL_VERSION}")]
    Hello {
        /// What it said.
        protocol: u32,
    },
    /// Nothing came of the job that the guest was given.
    #[error("the guest did not start the job in time")]
    NotStarted,
    /// The agent said why it cannot go on; an honest one, for it kept to the protocol.
    #[error("{step}: the agent failed: {reason}")]
    Agent {
        /// What it was asked for.
        step: Step,
        /// Its words, shortened and escaped.
        reason: String,
    },
    /// The guest broke the protocol: nothing that it said counts. Its words in it are escaped.
    #[error("the guest broke the protocol: {0}")]
    Violation(String),
    /// The guest answered what was not asked.
    #[error("{0}: the guest answered out of place")]
    OutOfPlace(Step),
    /// The program that warms a VM up did not end as it must, or its interpreter did not load.
    #[error("the warm-up failed: {0}")]
    WarmUp(String),
    /// Nobody takes the output any more.
    #[error("nobody takes the output any more")]
    Abandoned,
}

/// What the host and the guest were at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// From the VM's start to the agent's first word.
    Boot,
    /// Making it warm, before its job is known.
    WarmUp,
    /// The first words to a VM that stays.
    Supervise,
    /// The job, from its way into the guest to its report.
    Run,
    /// Letting go of a VM that is to be saved.
    Hold,
    /// What the job left.
    Collect,
}

impl Step {
    fn words(self) -> &'static str {
        match self {
            Step::Boot => "waiting for the agent to come up",
            Step::WarmUp => "warming the VM up",
            Step::Supervise => "preparing the sandbox",
            Step::Run => "running the job",
            Step::Hold => "pausing the sandbox",
            Step::Collect => "collecting what the job left",
        }
    }

    /// Before the VM is ready for a job.
    fn is_start(self) -> bool {
        matches!(self, Step::Boot | Step::WarmUp)
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.words())
    }
}

impl Why {
    fn code(&self) -> ErrorCode {
        match self {
            Why::QueueFull { .. } | Why::NoTurn { .. } | Why::SessionMemory { .. } => {
                ErrorCode::QueueFull
            }
            Why::Egress(_) => ErrorCode::EgressUnavailable,
            Why::Closing => ErrorCode::ShuttingDown,
            Why::IsolationTooWeak { .. } => ErrorCode::IsolationTooWeak,
            Why::Image(
                ImageError::Missing { .. }
                | ImageError::Stale { .. }
                | ImageError::OtherFormat { .. },
            ) => ErrorCode::ImageMissing,
            Why::Image(ImageError::Damaged { .. }) => ErrorCode::ImageDamaged,
            Why::Packages(_) | Why::PackagesTurn { .. } | Why::PackagesLost => {
                ErrorCode::PackagesUnavailable
            }
            Why::Image(_)
            | Why::Verifying
            | Why::Snapshot(_)
            | Why::Saved(_)
            | Why::NoTemplate
            | Why::Entropy(_) => ErrorCode::HostFailed,
            Why::NoSnapshots(_) | Why::Vmm(_) | Why::WarmUp(_) | Why::Hello { .. } => {
                ErrorCode::VmStartFailed
            }
            Why::Gone | Why::Ended { .. } => ErrorCode::VmDied,
            Why::Channel { step, source } => channel_code(*step, source),
            Why::NotStarted => ErrorCode::GuestSilent,
            Why::Agent { step, .. } if step.is_start() => ErrorCode::VmStartFailed,
            Why::Agent { .. } => ErrorCode::AgentFailed,
            Why::OutOfPlace(step) if step.is_start() => ErrorCode::VmStartFailed,
            Why::Violation(_) | Why::OutOfPlace(_) => ErrorCode::GuestMisbehaved,
            Why::Abandoned => ErrorCode::Cancelled,
        }
    }
}

fn channel_code(step: Step, source: &TalkError) -> ErrorCode {
    match (step, source) {
        (_, TalkError::Link(_)) => ErrorCode::GuestMisbehaved,
        (step, _) if step.is_start() => ErrorCode::VmStartFailed,
        (_, TalkError::Silent) => ErrorCode::GuestSilent,
        // Its VMM lives, so the guest itself closed the channel under its job.
        (Step::Run, TalkError::Closed | TalkError::Io(_)) => ErrorCode::GuestMisbehaved,
        (_, TalkError::Closed | TalkError::Io(_)) => ErrorCode::GuestSilent,
    }
}

impl JobError {
    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        self.why.code()
    }

    /// What is wrong with what was saved of a VM, where that is why.
    pub fn saved(&self) -> Option<&SavedError> {
        match &*self.why {
            Why::Saved(error) => Some(error),
            _ => None,
        }
    }

    /// Whether it was the program that warms VMs up, or its interpreter, that did not do.
    pub fn is_warm_up(&self) -> bool {
        matches!(*self.why, Why::WarmUp(_))
    }

    /// The result's words for it: what happened, the logs' last lines, what to do.
    pub fn failure(&self) -> Failure {
        let code = self.code();
        Failure {
            message: format!("{self}; {}", code.advice()),
            code,
            field: None,
        }
    }

    /// The same, with the last lines of the VM's logs, escaped already.
    pub(crate) fn with_logs(self, logs: String) -> JobError {
        JobError { logs, ..self }
    }
}

impl<T: Into<Why>> From<T> for JobError {
    fn from(why: T) -> JobError {
        JobError {
            why: Arc::new(why.into()),
            logs: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::link::LinkError;

    fn channel(step: Step, source: TalkError) -> ErrorCode {
        JobError::from(Why::Channel { step, source }).code()
    }

    #[test]
    fn a_broken_channel_is_blamed_on_who_broke_it() {
        let frame = || TalkError::Link(LinkError::Kind { kind: 9 });
        for step in [Step::Boot, Step::Supervise, Step::Run, Step::Collect] {
            assert_eq!(channel(step, frame()), ErrorCode::GuestMisbehaved);
        }
        assert_eq!(
            channel(Step::WarmUp, TalkError::Silent),
            ErrorCode::VmStartFailed
        );
        assert_eq!(
            channel(Step::Run, TalkError::Silent),
            ErrorCode::GuestSilent
        );
        assert_eq!(
            channel(Step::Run, TalkError::Closed),
            ErrorCode::GuestMisbehaved
        );
        assert_eq!(
            channel(Step::Collect, TalkError::Closed),
            ErrorCode::GuestSilent
        );
    }

    #[test]
    fn causes_are_kept_and_told_in_order_before_the_logs() {
        let source = TalkError::Io(std::io::Error::other("reset"));
        let error = JobError::from(Why::Channel {
            step: Step::Run,
            source,
        });
        let cause = std::error::Error::source(error.why.as_ref()).unwrap();
        assert_eq!(cause.to_string(), "the channel to the guest broke");
        let told = error
            .with_logs("\n  console: oops".into())
            .failure()
            .message;
        assert!(
            told.starts_with(
                "running the job: the channel to the guest broke: reset\n  console: oops; "
            ),
            "{told}"
        );
    }
}
