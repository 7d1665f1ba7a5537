//! One sandbox of the table: what it was made for, its VM, and its time.

use super::body::{SandboxBody, SandboxRow};
use super::clock::Clock;
use super::expiry::{ExpiringBody, Herald, Notices};
use super::follower::Followed;
use crate::e2b::facts::E2bFacts;
use crate::keys::Principal;
use crate::paused::about::{About, SavedKind};
use crate::problem::Problem;
use crate::staying::{VmSize, after};
use jiff::Timestamp;
use protocol::job::{Job, JobRequest, RequestedLimits};
use protocol::language::Language;
use sandbox::live::LiveSandbox;
use sandbox::live::contexts::Contexts;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Files of one sandbox that are on their way out at one time; one more waits. Each holds up to 1 MiB, which no other
/// request does.
const MAX_DOWNLOADS: usize = 8;

/// One sandbox.
pub struct SandboxSlot {
    /// Its name.
    pub id: String,
    pub(super) owner: String,
    /// What its VM was made for: its image, its limits, the environment of its processes.
    pub job: Job,
    metadata: BTreeMap<String, String>,
    created_at: Timestamp,
    times: Mutex<Times>,
    herald: Herald,
    /// Who follows its processes.
    pub followed: Followed,
    /// Places of files on their way out.
    pub downloads: Arc<Semaphore>,
    /// Set once its VM runs.
    pub(super) live: OnceLock<LiveSandbox>,
    /// Made at their first use.
    contexts: OnceLock<Contexts>,
    /// What it has besides where an E2B client made it.
    pub e2b: Option<E2bFacts>,
}

pub(super) struct Times {
    pub(super) clock: Clock,
    idle: Duration,
    expires_at: Timestamp,
}

impl SandboxSlot {
    /// A place for a sandbox of this key, whose VM is still to come.
    pub fn new(
        who: &Principal,
        job: Job,
        metadata: BTreeMap<String, String>,
        times: (Duration, Duration),
    ) -> SandboxSlot {
        SandboxSlot::owned(who.id.clone(), job, metadata, times)
    }

    fn owned(
        owner: String,
        job: Job,
        metadata: BTreeMap<String, String>,
        (total, idle): (Duration, Duration),
    ) -> SandboxSlot {
        let now = Timestamp::now();
        SandboxSlot {
            id: uuid::Uuid::now_v7().to_string(),
            owner,
            job,
            metadata,
            created_at: now,
            times: Mutex::new(Times {
                clock: Clock::new(total, idle, Instant::now()),
                idle,
                expires_at: after(now, total),
            }),
            herald: Herald::default(),
            followed: Followed::default(),
            downloads: Arc::new(Semaphore::new(MAX_DOWNLOADS)),
            live: OnceLock::new(),
            contexts: OnceLock::new(),
            e2b: None,
        }
    }

    /// The same of a saved VM that goes on under this name, for so long.
    pub fn of_saved(
        id: &str,
        job: Job,
        about: About,
        total: Duration,
    ) -> Result<SandboxSlot, Problem> {
        let times = (total, about.idle);
        let slot = SandboxSlot::owned(about.owner, job, about.metadata, times);
        let e2b = about.e2b.map(E2bFacts::of_held);
        Ok(SandboxSlot {
            id: id.to_owned(),
            created_at: about.created_at,
            e2b,
            ..slot
        })
    }

    /// What is remembered of it while it is saved.
    pub fn about(&self, kind: SavedKind) -> About {
        let times = self.times();
        About {
            owner: self.owner.clone(),
            kind,
            created_at: self.created_at,
            expires_at: times.expires_at,
            total: times.clock.total(),
            idle: times.idle,
            metadata: self.metadata.clone(),
            e2b: self.e2b.as_ref().map(E2bFacts::held),
        }
    }

    /// Its VM, once that runs.
    pub fn live_now(&self) -> Option<LiveSandbox> {
        self.live.get().cloned()
    }

    /// Its interpreters, where there were any.
    pub fn contexts_made(&self) -> Option<&Contexts> {
        self.contexts.get()
    }

    /// Gives it the interpreters that it had, before its VM is its own.
    pub fn set_contexts(&self, contexts: Contexts) {
        let _ = self.contexts.set(contexts);
    }

    /// Whether it is to be paused where its time is up.
    pub fn pauses_at_its_end(&self) -> bool {
        let is_alive = self.live.get().is_some_and(|live| live.is_alive());
        is_alive
            && self
                .e2b
                .as_ref()
                .is_some_and(|facts| facts.lifecycle.auto_pause)
    }

    /// The same, made by an E2B client.
    pub fn of_e2b(self, facts: E2bFacts) -> SandboxSlot {
        SandboxSlot {
            e2b: Some(facts),
            ..self
        }
    }

    /// What its processes may write to, in MiB: a folder in memory, and the root file system where that can be written.
    pub fn disk_mib(&self) -> u32 {
        let limits = &self.job.limits;
        limits.tmpfs_mib.saturating_add(limits.writable_mib)
    }

    /// As it was sent.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// How much of its total time is left.
    pub fn time_left(&self) -> Duration {
        self.times().clock.total_left(Instant::now())
    }

    /// The id of the key whose it is.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// A job of its size, to be judged: what runs in it is held to what such a job would be.
    pub fn judged(&self, language: Language) -> JobRequest {
        let whole = &self.job.limits;
        let size = VmSize {
            memory_mib: whole.memory_mib,
            vcpus: whole.vcpus,
        };
        let judged = size.job(&language.label());
        JobRequest {
            owner: self.job.owner.clone(),
            limits: RequestedLimits {
                pids: Some(whole.pids),
                file_size_bytes: Some(whole.file_size_bytes),
                ..judged.limits
            },
            ..judged
        }
    }

    pub(super) fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has its total time begin anew.
    pub fn extend(&self, total: Duration) {
        let mut times = self.times();
        times.clock.extend(total, Instant::now());
        times.expires_at = after(Timestamp::now(), total);
    }

    /// Whether its time is up, or its VM gone.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        let is_gone = self.live.get().is_some_and(|live| !live.is_alive());
        is_gone || self.times().clock.is_over(now)
    }

    /// Tells, when its end is near, all who follow its processes; what it told.
    pub(super) fn tell_of_end(&self, now: Instant) -> Option<ExpiringBody> {
        // Under the lock: who begins to listen hears of an end either way, and once.
        let mut times = self.times();
        let end = times.clock.tell(now)?;
        self.herald.tell(end);
        Some(end.told(now))
    }

    /// What is told of its end from now on.
    pub fn notices(&self) -> Notices {
        let times = self.times();
        self.herald.listen(times.clock.told())
    }

    /// What an operator is told of it; `None` while its VM starts.
    pub(super) fn row(&self, now: Instant) -> Option<SandboxRow> {
        let isolation = self.live.get()?.isolation();
        let times = self.times();
        let ExpiringBody {
            limit,
            seconds_left,
        } = times.clock.next_end().told(now);
        Some(SandboxRow {
            id: self.id.clone(),
            key: self.owner.clone(),
            image: self.job.language.image().name(),
            language: self.job.language.name(),
            created_at: self.created_at.to_string(),
            limit,
            seconds_left,
            open_requests: times.clock.open(),
            memory_mib: self.job.limits.memory_mib,
            engine: isolation.engine.clone(),
        })
    }

    /// What its client is told of it; `None` while its VM starts.
    pub fn body(&self) -> Option<SandboxBody> {
        let isolation = self.live.get()?.isolation();
        let times = self.times();
        Some(SandboxBody {
            id: self.id.clone(),
            image: self.job.language.image().name(),
            language: self.job.language.name(),
            created_at: self.created_at.to_string(),
            timeout: times.clock.total().as_secs_f64(),
            idle_timeout: times.idle.as_secs_f64(),
            expires_at: times.expires_at.to_string(),
            metadata: self.metadata.clone(),
            memory_mib: self.job.limits.memory_mib,
            vcpus: self.job.limits.vcpus,
            writable_mib: self.job.limits.writable_mib,
            isolation: isolation.into(),
        })
    }

    /// Its interpreters.
    pub fn contexts_of(&self, live: &LiveSandbox) -> &Contexts {
        self.contexts.get_or_init(|| Contexts::new(live.clone()))
    }

    /// Destroys its VM and waits for it.
    pub async fn close(&self) {
        if let Some(live) = self.live.get() {
            live.close().await;
        }
    }
}
