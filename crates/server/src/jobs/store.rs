//! The jobs that are remembered, in memory only: those that run, and of those that ended so many, so many bytes of
//! results, and none for longer than so long.
//!
//! What is over goes from the key that has most of it, oldest first: a key with many jobs does not have another's forgotten.

use super::body::JobRow;
use crate::config::KeptJobs;
use protocol::event::Event;
use protocol::result::JobResult;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most jobs that one answer has.
pub const MAX_LISTED: usize = 1000;

const MIB: u64 = 1024 * 1024;

/// A job, and what is remembered of it.
#[derive(Debug, Clone)]
pub struct KeptJob {
    /// In short.
    pub row: JobRow,
    /// Once it ended, while there is room for it.
    pub result: Option<Arc<JobResult>>,
    /// What was told of it, oldest first.
    pub events: Vec<Arc<Event>>,
}

impl KeptJob {
    /// What its result holds, in bytes.
    pub fn bytes(&self) -> u64 {
        self.result.as_deref().map_or(0, bytes_of)
    }
}

fn bytes_of(result: &JobResult) -> u64 {
    let files = result.artifacts.iter().map(|file| file.data.0.len());
    let notes = result.notes.iter().map(String::len);
    let all: usize = files.chain(notes).sum();
    (all + result.stdout.len() + result.stderr.len()) as u64
}

#[derive(Debug, Default)]
struct Kept {
    running: BTreeMap<String, JobRow>,
    /// Oldest first, each with when it ended.
    ended: VecDeque<(Instant, KeptJob)>,
    bytes: u64,
}

/// The jobs that are remembered.
#[derive(Debug)]
pub struct JobStore {
    bounds: KeptJobs,
    // Held for a few pushes and copies, never over an await.
    kept: Mutex<Kept>,
}

impl JobStore {
    /// One within these bounds.
    pub fn new(bounds: KeptJobs) -> JobStore {
        JobStore {
            bounds,
            kept: Mutex::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A job as it stands: it waits or runs.
    pub fn runs(&self, row: &JobRow) {
        self.kept().running.insert(row.id.clone(), row.clone());
    }

    /// A job ended. Its result is copied where there is room for it, its events are asked for.
    pub fn ended(&self, row: JobRow, result: &JobResult, events: impl FnOnce() -> Vec<Arc<Event>>) {
        let fits = self.bounds.count > 0 && bytes_of(result) <= self.most_bytes() / 4;
        // Copied and looked up before the lock is taken.
        let job = KeptJob {
            row: JobRow { kept: fits, ..row },
            result: fits.then(|| Arc::new(result.clone())),
            events: match self.bounds.count {
                0 => Vec::new(),
                _ => events(),
            },
        };
        let mut kept = self.kept();
        kept.running.remove(&job.row.id);
        if self.bounds.count == 0 {
            return;
        }
        kept.bytes += job.bytes();
        kept.ended.push_back((Instant::now(), job));
        kept.forget_old(self.longest());
        while kept.ended.len() > self.bounds.count {
            kept.forget_one();
        }
        while kept.bytes > self.most_bytes() && kept.forget_a_result() {}
    }

    /// Forgets what is remembered for too long.
    pub fn forget_old(&self) {
        self.kept().forget_old(self.longest());
    }

    fn longest(&self) -> Duration {
        Duration::from_secs(self.bounds.seconds)
    }

    fn most_bytes(&self) -> u64 {
        self.bounds.mib.saturating_mul(MIB)
    }

    /// So many jobs that are wanted, newest first.
    pub fn rows(&self, limit: usize, is_wanted: impl Fn(&JobRow) -> bool) -> Vec<JobRow> {
        let mut kept = self.kept();
        kept.forget_old(self.longest());
        let ended = kept.ended.iter().map(|(_, job)| &job.row);
        let all = kept.running.values().chain(ended);
        let mut wanted: Vec<JobRow> = all.filter(|row| is_wanted(row)).cloned().collect();
        drop(kept);
        // A name begins with the time (UUIDv7).
        wanted.sort_by(|a, b| b.id.cmp(&a.id));
        wanted.truncate(limit);
        wanted
    }

    /// The job of this id, or the newest of this trace id, among those that may be seen.
    pub fn find(&self, id: &str, may_be_seen: impl Fn(&JobRow) -> bool) -> Option<KeptJob> {
        let mut kept = self.kept();
        kept.forget_old(self.longest());
        let runs = |row: &JobRow| KeptJob {
            row: row.clone(),
            result: None,
            events: Vec::new(),
        };
        let running = kept.running.values().filter(|row| may_be_seen(row));
        let running = running.map(|row| (row, None));
        let ended = kept.ended.iter().map(|(_, job)| (&job.row, Some(job)));
        let ended = ended.filter(|(row, _)| may_be_seen(row));
        let named = running
            .chain(ended)
            .filter(|(row, _)| row.id == id || row.trace_id == id);
        let newest = named.max_by_key(|(row, _)| (row.id == id, row.id.clone()));
        newest.map(|(row, job)| job.cloned().unwrap_or_else(|| runs(row)))
    }
}

impl Kept {
    fn forget_old(&mut self, longest: Duration) {
        let now = Instant::now();
        while let Some((at, _)) = self.ended.front()
            && now.saturating_duration_since(*at) > longest
        {
            self.remove(0);
        }
    }

    fn remove(&mut self, at: usize) {
        if let Some((_, job)) = self.ended.remove(at) {
            self.bytes = self.bytes.saturating_sub(job.bytes());
        }
    }

    /// Forgets the oldest job of the key that has most of them.
    fn forget_one(&mut self) {
        let at = self.oldest_of_who_has_most(|_| 1);
        self.remove(at.unwrap_or(0));
    }

    /// Forgets the oldest result of the key that has most bytes of them; `false`: there is none.
    fn forget_a_result(&mut self) -> bool {
        let at = self.oldest_of_who_has_most(KeptJob::bytes);
        let job = at.and_then(|at| self.ended.get_mut(at));
        let Some((_, job)) = job.filter(|(_, job)| job.bytes() > 0) else {
            return false;
        };
        self.bytes = self.bytes.saturating_sub(job.bytes());
        job.result = None;
        job.row.kept = false;
        true
    }

    fn oldest_of_who_has_most(&self, weight: impl Fn(&KeptJob) -> u64) -> Option<usize> {
        let mut by_key: HashMap<&str, u64> = HashMap::new();
        for (_, job) in &self.ended {
            *by_key.entry(&job.row.key).or_default() += weight(job);
        }
        let (most, _) = by_key.into_iter().max_by_key(|(_, weight)| *weight)?;
        let mut all = self.ended.iter();
        all.position(|(_, job)| job.row.key == most && weight(job) > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::error_code::ErrorCode;
    use protocol::job::{JobRequest, Owner};
    use protocol::result::{Failure, Status};

    fn row(key: &str) -> JobRow {
        let request = JobRequest {
            language: "bash".into(),
            code: "echo".into(),
            owner: Some(Arc::new(Owner {
                id: key.into(),
                name: "app".into(),
            })),
            ..JobRequest::default()
        };
        let policy = sandbox::config::Config::default().policy().unwrap();
        JobRow::waiting(&policy.validate(request).unwrap(), None)
    }

    fn end(store: &JobStore, row: &JobRow, bytes: usize) {
        let failure = Failure {
            code: ErrorCode::Cancelled,
            message: String::new(),
            field: None,
        };
        let trace_id = protocol::trace_id::TraceId::parse(&row.trace_id).unwrap();
        let mut result = JobResult::failed(trace_id, Status::Killed, failure);
        result.stdout = vec![b'x'; bytes];
        store.ended(row.clone().ended(&result), &result, Vec::new);
    }

    fn of(key: &str) -> impl Fn(&JobRow) -> bool {
        move |row| row.key == key
    }

    #[test]
    fn one_keys_flood_has_no_others_job_forgotten_and_all_is_bounded() {
        let store = JobStore::new(KeptJobs {
            count: 10,
            mib: 1,
            seconds: 60,
        });
        let quiet = row("quiet");
        store.runs(&quiet);
        assert_eq!(store.rows(9, of("quiet"))[0].status, "waiting");
        end(&store, &quiet, 1000);
        for _ in 0..100 {
            let loud = row("loud");
            end(&store, &loud, 200_000);
            assert!(store.kept().bytes <= MIB);
        }
        assert_eq!(store.rows(100, |_| true).len(), 10);
        let found = store.find(&quiet.id, of("quiet")).unwrap();
        assert_eq!(found.bytes(), 1000);
        // Another's is not there, by neither of its names.
        assert!(store.find(&quiet.id, of("loud")).is_none());
        assert!(store.find(&quiet.trace_id, of("loud")).is_none());
        assert!(store.find(&quiet.trace_id, of("quiet")).is_some());
        // One that is too large has its row, and no result.
        let large = row("quiet");
        end(&store, &large, 300_000);
        let found = store.find(&large.id, |_| true).unwrap();
        assert!(found.result.is_none() && !found.row.kept);
    }

    #[test]
    fn nothing_is_kept_of_none_or_for_too_long() {
        for (count, seconds) in [(0, 60), (5, 0)] {
            let mib = 1;
            let store = JobStore::new(KeptJobs {
                count,
                mib,
                seconds,
            });
            let job = row("k");
            end(&store, &job, 10);
            std::thread::sleep(Duration::from_millis(2));
            assert!(store.rows(9, |_| true).is_empty());
            assert_eq!(store.kept().bytes, 0);
        }
    }

    proptest! {
        #[test]
        fn its_bytes_are_those_of_its_results(jobs in proptest::collection::vec((0u8..4, 0usize..300_000), 0..60)) {
            let store = JobStore::new(KeptJobs { count: 12, mib: 1, seconds: 60 });
            for (key, bytes) in jobs {
                end(&store, &row(&key.to_string()), bytes);
                let kept = store.kept();
                let held: u64 = kept.ended.iter().map(|(_, job)| job.bytes()).sum();
                prop_assert_eq!(held, kept.bytes);
                prop_assert!(kept.bytes <= MIB && kept.ended.len() <= 12);
            }
        }
    }
}
