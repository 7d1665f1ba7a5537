//! Which sandboxes there are, whose they are, and when they end.
//!
//! ```text
//!  reserved ──its VM runs──> there ──DELETE, its time is up, its VM is gone──> removed
//!     │ no VM, client gone                                                       ↑
//!     └──────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Any number of requests use one at a time. Whoever removes one destroys its VM, whatever they are at: they find
//! it gone.

use super::body::{SandboxBody, SandboxRow};
use super::clock::Clock;
use super::expiry::{ExpiringBody, Herald, Notices};
use super::failure;
use super::follower::Followed;
use crate::app::App;
use crate::keys::Principal;
use crate::places::VmPlace;
use crate::problem::{HttpCode, Problem};
use crate::staying::VmSize;
use jiff::{SignedDuration, Timestamp};
use protocol::job::{Job, JobRequest, RequestedLimits};
use protocol::language::Language;
use sandbox::live::contexts::Contexts;
use sandbox::live::{LiveError, LiveSandbox};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

/// Files of one sandbox that are on their way out at one time; one more waits. Each holds up to 1 MiB, which no other
/// request does.
const MAX_DOWNLOADS: usize = 8;

/// One sandbox.
pub struct SandboxSlot {
    /// Its name.
    pub id: String,
    owner: String,
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
    live: OnceLock<LiveSandbox>,
    /// Made at their first use.
    contexts: OnceLock<Contexts>,
}

struct Times {
    clock: Clock,
    idle: Duration,
    expires_at: Timestamp,
}

impl SandboxSlot {
    /// A place for a sandbox of this key, whose VM is still to come.
    pub fn new(
        who: &Principal,
        job: Job,
        metadata: BTreeMap<String, String>,
        (total, idle): (Duration, Duration),
    ) -> SandboxSlot {
        let now = Timestamp::now();
        SandboxSlot {
            id: uuid::Uuid::now_v7().to_string(),
            owner: who.id.clone(),
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
        }
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
            limits: RequestedLimits {
                pids: Some(whole.pids),
                file_size_bytes: Some(whole.file_size_bytes),
                ..judged.limits
            },
            ..judged
        }
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has its total time begin anew.
    pub fn extend(&self, total: Duration) {
        let mut times = self.times();
        times.clock.extend(total, Instant::now());
        times.expires_at = after(Timestamp::now(), total);
    }

    fn is_over(&self, now: Instant) -> bool {
        let is_gone = self.live.get().is_some_and(|live| !live.is_alive());
        is_gone || self.times().clock.is_over(now)
    }

    /// Tells, when its end is near, all who follow its processes; what it told.
    fn tell_of_end(&self, now: Instant) -> Option<ExpiringBody> {
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
    fn row(&self, now: Instant) -> Option<SandboxRow> {
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

fn after(now: Timestamp, time: Duration) -> Timestamp {
    let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
    now.checked_add(time).unwrap_or(Timestamp::MAX)
}

/// A sandbox that counts.
pub(super) struct ListedSandbox {
    pub(super) slot: Arc<SandboxSlot>,
    _place: VmPlace,
}

/// All sandboxes.
#[derive(Default)]
pub struct Sandboxes {
    slots: Mutex<HashMap<String, ListedSandbox>>,
    /// What goes on after the request that set it going.
    pub tasks: TaskTracker,
}

impl Sandboxes {
    /// Those of one key, oldest first.
    pub fn of(&self, who: &Principal) -> Vec<SandboxBody> {
        let slots = self.slots();
        let own = slots.values().filter(|kept| kept.slot.owner == who.id);
        let mut bodies: Vec<SandboxBody> = own.filter_map(|kept| kept.slot.body()).collect();
        // A name begins with the time (UUIDv7).
        bodies.sort_by(|a, b| a.id.cmp(&b.id));
        bodies
    }

    /// Those of all keys, oldest first.
    pub fn rows(&self) -> Vec<SandboxRow> {
        let now = Instant::now();
        let slots = self.slots();
        let mut rows: Vec<SandboxRow> = slots.values().filter_map(|k| k.slot.row(now)).collect();
        rows.sort_by(|a, b| a.id.cmp(&b.id));
        rows
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<String, ListedSandbox>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a sandbox's place in, or says that there is none.
    /// It is given back unless [`ReservedSandbox::keep`] is told that its VM runs.
    pub fn reserve(
        app: &Arc<App>,
        who: &Principal,
        slot: Arc<SandboxSlot>,
    ) -> Result<ReservedSandbox, Problem> {
        let kept = ListedSandbox {
            slot: slot.clone(),
            _place: app.place(who)?,
        };
        app.sandboxes.slots().insert(slot.id.clone(), kept);
        Ok(ReservedSandbox(Some((app.clone(), slot))))
    }

    /// A key's own sandbox; another's is not there.
    fn find(&self, who: &Principal, id: &str) -> Option<Arc<SandboxSlot>> {
        let slots = self.slots();
        let kept = slots.get(id).filter(|kept| kept.slot.owner == who.id);
        kept.map(|kept| kept.slot.clone())
    }

    /// Takes a sandbox out; `None`: it is out already. Its VM is still to be destroyed.
    pub fn remove(&self, id: &str) -> Option<Arc<SandboxSlot>> {
        let removed = self.slots().remove(id);
        removed.map(|kept| kept.slot)
    }

    /// The same for its own key's wish.
    pub fn take_out(&self, who: &Principal, id: &str) -> Option<Arc<SandboxSlot>> {
        let own = self.find(who, id)?;
        self.remove(&own.id)
    }

    /// Ends all sandboxes, when the service stops.
    pub async fn close(&self) {
        let slots = std::mem::take(&mut *self.slots());
        let mut closing = JoinSet::new();
        for kept in slots.into_values() {
            closing.spawn(async move { kept.slot.close().await });
        }
        closing.join_all().await;
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Those whose end is near and was not told of yet, and what is told.
    pub(super) fn tell_of_ends(&self) -> Vec<(Arc<SandboxSlot>, ExpiringBody)> {
        let now = Instant::now();
        let slots = self.slots();
        let told = slots.values().filter(|kept| kept.slot.live.get().is_some());
        let told = told.filter_map(|kept| {
            let told = kept.slot.tell_of_end(now)?;
            Some((kept.slot.clone(), told))
        });
        told.collect()
    }

    pub(super) fn take_those_over(&self) -> Vec<ListedSandbox> {
        let now = Instant::now();
        let mut slots = self.slots();
        let over = slots.extract_if(|_, kept| kept.slot.is_over(now));
        over.map(|(_, kept)| kept).collect()
    }
}

/// A place that is given back unless the VM came about: none did, or its client went meanwhile.
pub struct ReservedSandbox(Option<(Arc<App>, Arc<SandboxSlot>)>);

impl ReservedSandbox {
    /// The VM runs.
    pub fn keep(mut self, live: LiveSandbox) {
        if let Some((_, slot)) = self.0.take() {
            // It is set once, here.
            let _ = slot.live.set(live);
        }
    }
}

impl Drop for ReservedSandbox {
    fn drop(&mut self) {
        if let Some((app, slot)) = self.0.take() {
            drop(app.sandboxes.remove(&slot.id));
        }
    }
}

/// A sandbox that a request uses; while one does, it is not idle.
pub struct UsedSandbox {
    /// What requests share.
    pub app: Arc<App>,
    /// Its row.
    pub slot: Arc<SandboxSlot>,
    /// Its VM.
    pub live: LiveSandbox,
}

impl UsedSandbox {
    /// Takes it for one request.
    pub fn take(app: &Arc<App>, who: &Principal, id: &str) -> Result<UsedSandbox, Problem> {
        let none = || Problem::new(HttpCode::SandboxNotFound);
        let slot = app.sandboxes.find(who, id).ok_or_else(none)?;
        let live = slot.live.get().cloned().ok_or_else(none)?;
        let begins = slot.times().clock.begins();
        begins.ok_or_else(|| Problem::new(HttpCode::TooManyRequestsOpen).retry_after(1))?;
        Ok(UsedSandbox {
            app: app.clone(),
            slot,
            live,
        })
    }

    /// Its interpreters.
    pub fn contexts(&self) -> &Contexts {
        self.slot.contexts_of(&self.live)
    }

    /// What its client is told of a failure; a sandbox whose VM is gone is not there any more.
    pub fn problem(&self, error: LiveError) -> Problem {
        if matches!(error, LiveError::Gone(_)) {
            drop(self.app.sandboxes.remove(&self.slot.id));
        }
        failure::problem(error)
    }
}

impl Drop for UsedSandbox {
    fn drop(&mut self) {
        self.slot.times().clock.ends(Instant::now());
    }
}
