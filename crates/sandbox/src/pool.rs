//! VMs kept ready: cloned and warmed up in the background, at rest while they wait, one job each.
//!
//! ```text
//!  (refill) clone → warm up → rest ──> waiting ──take──> end of rest, given to one job, destroyed
//!                                         │ too old, died, pool closed
//!                                         └──> destroyed
//! ```
//!
//! Which language is refilled next is decided in `refill`.

mod refill;

use crate::config::{PoolSize, ReadyFor};
use crate::error::JobError;
use crate::lease::Leased;
use crate::metrics::{Metrics, language_label};
use crate::warm_up;
use protocol::language::Language;
use protocol::result::BootPath;
use refill::{Next, Want};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often ages are looked at when nothing else happens.
const LOOK_AT_AGES: Duration = Duration::from_secs(5);

/// One VM that waits.
struct Ready {
    leased: Leased,
    since: Instant,
}

/// What the pool holds and wants of one language.
struct Shelf {
    size: PoolSize,
    ready: VecDeque<Ready>,
    /// How many should wait: `min`, and up to `max` while jobs find the shelf empty.
    target: usize,
    /// It held its `min` at some time.
    was_full: bool,
    /// VMs that could not be made, in a row.
    failures: u32,
    /// None is made before this.
    rests_until: Option<Instant>,
}

/// How a language's shelf stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShelfState {
    /// VMs that wait.
    pub ready: usize,
    /// How many should.
    pub size: PoolSize,
    /// It held its `min` at some time since the start.
    pub was_full: bool,
    /// The last VM could not be made; jobs clone or boot their own meanwhile.
    pub is_failing: bool,
}

/// Whoever has a pool, and makes the VMs for it.
pub trait Refill: Send + Sync + 'static {
    /// Its pool.
    fn pool(&self) -> &Pool;

    /// A new VM of the pool's size, which nobody waits for.
    fn make_for_pool(
        &self,
        language: Language,
    ) -> impl Future<Output = Result<Leased, JobError>> + Send;
}

/// The pool. Empty and idle until [`Pool::start`].
pub struct Pool {
    shelves: Mutex<BTreeMap<Language, Shelf>>,
    wanted: Arc<Notify>,
    stop: CancellationToken,
    tasks: TaskTracker,
    metrics: Metrics,
}

impl Pool {
    /// A pool of these sizes.
    pub fn new(sizes: BTreeMap<Language, PoolSize>, metrics: Metrics) -> Pool {
        let shelves = sizes
            .into_iter()
            .map(|(language, size)| {
                let shelf = Shelf {
                    size,
                    ready: VecDeque::new(),
                    target: size.min,
                    was_full: size.min == 0,
                    failures: 0,
                    rests_until: None,
                };
                (language, shelf)
            })
            .collect();
        Pool {
            shelves: Mutex::new(shelves),
            wanted: Arc::new(Notify::new()),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            metrics,
        }
    }

    fn shelves(&self) -> MutexGuard<'_, BTreeMap<Language, Shelf>> {
        // A panic elsewhere leaves the map whole: every change to it is one statement.
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the one task that refills.
    pub fn start(&self, refill: &Arc<impl Refill>) {
        let refill = Arc::downgrade(refill);
        let (wanted, stop) = (self.wanted.clone(), self.stop.clone());
        self.tasks.spawn(keep_filled(refill, wanted, stop));
    }

    /// A VM that was waiting, running again; `None` when none is left.
    pub async fn take(&self, language: Language) -> Option<Leased> {
        loop {
            let ready = {
                let mut shelves = self.shelves();
                let shelf = shelves.get_mut(&language)?;
                let ready = shelf.ready.pop_front();
                if ready.is_none() {
                    shelf.target = (shelf.target + 1).min(shelf.size.max);
                }
                self.count(language, shelf);
                ready
            };
            self.wanted.notify_one();
            let label = language_label(language);
            let Some(Ready { mut leased, .. }) = ready else {
                self.metrics.pool_misses.get_or_create(&label).inc();
                return None;
            };
            match leased.vm.end_rest().await {
                Ok(()) => {
                    self.metrics.pool_hits.get_or_create(&label).inc();
                    leased.path = BootPath::Pool;
                    return Some(leased);
                }
                // It died while it waited; it never saw a job, so the next one takes its place.
                Err(error) => tracing::warn!(%language, %error, "a waiting VM was lost"),
            }
        }
    }

    /// VMs that wait, by language.
    pub fn sizes(&self) -> BTreeMap<Language, (usize, PoolSize)> {
        self.shelves()
            .iter()
            .map(|(language, shelf)| (*language, (shelf.ready.len(), shelf.size)))
            .collect()
    }

    /// Host memory that the waiting VMs hold, bytes each (PSS).
    pub fn memory_held(&self) -> Vec<(Language, u64)> {
        self.shelves()
            .iter()
            .flat_map(|(language, shelf)| {
                shelf
                    .ready
                    .iter()
                    .map(|ready| (*language, ready.leased.vm.usage().pss_bytes))
            })
            .collect()
    }

    /// Whether each of its VMs runs a program first, and what it is made ready for.
    fn wants(&self, language: Language) -> (bool, ReadyFor) {
        let shelves = self.shelves();
        let size = shelves.get(&language).map(|shelf| shelf.size);
        size.map_or((true, ReadyFor::Jobs), |size| (size.warmed, size.ready_for))
    }

    /// Each shelf as it stands.
    pub fn states(&self) -> BTreeMap<Language, ShelfState> {
        let state = |shelf: &Shelf| ShelfState {
            ready: shelf.ready.len(),
            size: shelf.size,
            was_full: shelf.was_full,
            is_failing: shelf.failures > 0,
        };
        let shelves = self.shelves();
        shelves
            .iter()
            .map(|(language, shelf)| (*language, state(shelf)))
            .collect()
    }

    /// Every shelf holds its `min`.
    pub fn is_warm(&self) -> bool {
        self.shelves()
            .values()
            .all(|shelf| shelf.ready.len() >= shelf.size.min)
    }

    fn count(&self, language: Language, shelf: &Shelf) {
        let ready = shelf.ready.len() as i64;
        let label = language_label(language);
        let before = self.metrics.pool_size.get_or_create(&label).set(ready);
        self.metrics.vms_alive.inc_by(ready - before);
    }

    fn next(&self) -> Next {
        let want = |(language, shelf): (&Language, &Shelf)| Want {
            language: *language,
            ready: shelf.ready.len(),
            target: shelf.target,
            rests_until: shelf.rests_until,
        };
        let wants: Vec<Want> = self.shelves().iter().map(want).collect();
        refill::next(&wants, Instant::now())
    }

    fn failed(&self, language: Language) {
        if let Some(shelf) = self.shelves().get_mut(&language) {
            shelf.failures = shelf.failures.saturating_add(1);
            shelf.rests_until = Some(Instant::now() + refill::rest_after(shelf.failures));
        }
    }

    fn put(&self, language: Language, leased: Leased) {
        let mut shelves = self.shelves();
        if let Some(shelf) = shelves.get_mut(&language) {
            shelf.ready.push_back(Ready {
                leased,
                since: Instant::now(),
            });
            shelf.was_full |= shelf.ready.len() >= shelf.size.min;
            (shelf.failures, shelf.rests_until) = (0, None);
            self.count(language, shelf);
        }
    }

    /// Takes out what is too old; the shelf then asks for no more than its `min` again.
    fn take_expired(&self) -> Vec<Leased> {
        let mut expired = Vec::new();
        for (language, shelf) in self.shelves().iter_mut() {
            let max_age = Duration::from_secs(shelf.size.max_age_seconds);
            while let Some(front) = shelf.ready.front()
                && front.since.elapsed() > max_age
            {
                expired.extend(shelf.ready.pop_front().map(|ready| ready.leased));
                shelf.target = shelf.size.min;
            }
            self.count(*language, shelf);
        }
        expired
    }

    /// Stops refilling and destroys what waits.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        let waiting: Vec<Leased> = self
            .shelves()
            .values_mut()
            .flat_map(|shelf| std::mem::take(&mut shelf.ready))
            .map(|ready| ready.leased)
            .collect();
        destroy(waiting).await;
    }
}

async fn destroy(leased: Vec<Leased>) {
    for Leased { vm, .. } in leased {
        if let Err(error) = vm.close().await {
            tracing::error!(%error, "a pooled VM was not destroyed cleanly");
        }
    }
}

/// Fills shelves until `stop`, one VM at a time: making one takes a whole core. A VM that is being made
/// is finished first, for half of one cannot be given back in the time that an exit leaves.
async fn keep_filled(refill: Weak<impl Refill>, wanted: Arc<Notify>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let Some(refill) = refill.upgrade() else {
            return;
        };
        let pool = refill.pool();
        destroy(pool.take_expired()).await;
        let rest = match pool.next() {
            Next::Make(language) => {
                make_one(&*refill, language).await;
                continue;
            }
            Next::Rest(until) => LOOK_AT_AGES.min(until.saturating_duration_since(Instant::now())),
            Next::Idle => LOOK_AT_AGES,
        };
        drop(refill);
        let wait = tokio::time::timeout(rest, wanted.notified());
        let _ = stop.run_until_cancelled(wait).await;
    }
}

async fn make_one(refill: &impl Refill, language: Language) {
    let pool = refill.pool();
    match make_ready(refill, language).await {
        Ok(leased) => pool.put(language, leased),
        Err(no) => {
            tracing::warn!(%language, reason = %no, "the pool could not be refilled");
            pool.failed(language);
        }
    }
}

/// A VM of a user's image whose program cannot be warmed up waits as it is.
async fn make_ready(refill: &impl Refill, language: Language) -> Result<Leased, JobError> {
    match make_warm(refill, language).await {
        Err(error) if error.is_warm_up() && language.image().is_custom() => {
            tracing::info!(%language, reason = %error, "a VM of a user's image waits without a warm-up");
            let mut leased = refill.make_for_pool(language).await?;
            leased.vm.rest().await?;
            Ok(leased)
        }
        made => made,
    }
}

async fn make_warm(refill: &impl Refill, language: Language) -> Result<Leased, JobError> {
    let mut leased = refill.make_for_pool(language).await?;
    // A clone has two interpreters loaded, one to warm up with; a booted VM has none yet.
    let booted = leased.path == BootPath::Boot;
    let (is_warmed, ready_for) = refill.pool().wants(language);
    if booted || is_warmed {
        warm_up::run_program(language, &mut leased).await?;
    }
    match ready_for {
        ReadyFor::Sandboxes => warm_up::load_context(language, &mut leased).await?,
        ReadyFor::Jobs if booted => warm_up::load(language, 1, &mut leased).await?,
        ReadyFor::Jobs => {}
    }
    leased.vm.rest().await?;
    Ok(leased)
}
