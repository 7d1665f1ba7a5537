//! What runs left that had a VM of their own: it is kept for a while, for its key alone, so that `read_file` finds it.
//! Bounded in bytes, number and time; the oldest go first.

use axum::body::Bytes;
use protocol::environment::OUT_DIR;
use protocol::result::ArtifactFile;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a run's files are kept.
pub const KEPT_FOR: Duration = Duration::from_secs(15 * 60);

/// Bytes that are kept of one key's runs, and of all keys'.
const MAX_KEY_BYTES: usize = 16 * 1024 * 1024;
const MAX_ALL_BYTES: usize = 64 * 1024 * 1024;

/// Runs of one key whose files are kept.
const MAX_KEY_RUNS: usize = 64;

/// The files of one run.
#[derive(Debug)]
pub struct KeptRun {
    owner: String,
    id: String,
    since: Instant,
    /// Absolute path and content, in order of their paths.
    pub files: Vec<(String, Bytes)>,
}

impl KeptRun {
    fn bytes(&self) -> usize {
        let files = self.files.iter();
        files.map(|(path, data)| path.len() + data.len()).sum()
    }

    /// The content of a file.
    pub fn file(&self, path: &str) -> Option<&Bytes> {
        let found = self.files.iter().find(|(own, _)| own == path);
        found.map(|(_, data)| data)
    }
}

/// A run that is over, and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct RunId<'a> {
    /// The key's id.
    pub owner: &'a str,
    /// The run's own.
    pub id: &'a str,
}

/// The files of all runs, oldest first.
#[derive(Debug, Default)]
pub struct Kept(Mutex<VecDeque<Arc<KeptRun>>>);

impl Kept {
    /// Keeps what a run left.
    pub fn keep(&self, run: RunId<'_>, files: Vec<ArtifactFile>, now: Instant) -> Arc<KeptRun> {
        let path = |file: &ArtifactFile| format!("{OUT_DIR}/{}", file.path);
        let files = files
            .into_iter()
            .map(|file| (path(&file), Bytes::from(file.data.0)));
        let mut files: Vec<_> = files.collect();
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        let kept = Arc::new(KeptRun {
            owner: run.owner.to_owned(),
            id: run.id.to_owned(),
            since: now,
            files,
        });
        if !kept.files.is_empty() {
            let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            runs.push_back(kept.clone());
            trim(&mut runs, now);
        }
        kept
    }

    /// A key's own run; another's is not there.
    pub fn find(&self, run: RunId<'_>, now: Instant) -> Option<Arc<KeptRun>> {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        trim(&mut runs, now);
        let found = runs
            .iter()
            .find(|kept| kept.owner == run.owner && kept.id == run.id);
        found.cloned()
    }
}

/// Lets go what is too old or too much: walks from the newest to the oldest.
fn trim(runs: &mut VecDeque<Arc<KeptRun>>, now: Instant) {
    let mut all = 0;
    let mut kept: VecDeque<Arc<KeptRun>> = VecDeque::with_capacity(runs.len());
    while let Some(run) = runs.pop_back() {
        let own = || kept.iter().filter(|other| other.owner == run.owner);
        let of_key: usize = own().map(|other| other.bytes()).sum();
        let bytes = run.bytes();
        let fits = now.saturating_duration_since(run.since) < KEPT_FOR
            && own().count() < MAX_KEY_RUNS
            && of_key + bytes <= MAX_KEY_BYTES
            && all + bytes <= MAX_ALL_BYTES;
        if fits {
            all += bytes;
            kept.push_front(run);
        }
    }
    *runs = kept;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(bytes: usize) -> Vec<ArtifactFile> {
        vec![ArtifactFile {
            path: "a.bin".into(),
            size: bytes as u64,
            data: vec![7; bytes].into(),
        }]
    }

    fn run<'a>(owner: &'a str, id: &'a str) -> RunId<'a> {
        RunId { owner, id }
    }

    #[test]
    fn a_runs_files_are_its_keys_alone_and_go_with_time() {
        let (kept, now) = (Kept::default(), Instant::now());
        kept.keep(run("mine", "1"), files(3), now);
        let found = kept.find(run("mine", "1"), now).unwrap();
        assert_eq!(found.file("/work/out/a.bin").unwrap().len(), 3);
        assert!(found.file("/work/out/b.bin").is_none());
        assert!(kept.find(run("other", "1"), now).is_none());
        assert!(kept.find(run("mine", "2"), now).is_none());
        assert!(kept.find(run("mine", "1"), now + KEPT_FOR).is_none());
    }

    #[test]
    fn what_is_too_much_goes_oldest_first_and_one_key_does_not_push_out_another() {
        let (kept, now) = (Kept::default(), Instant::now());
        kept.keep(run("other", "0"), files(100), now);
        for id in 0..40 {
            kept.keep(run("mine", &id.to_string()), files(1024 * 1024), now);
        }
        let is_there = |id: usize| kept.find(run("mine", &id.to_string()), now).is_some();
        let there: Vec<usize> = (0..40).filter(|id| is_there(*id)).collect();
        assert_eq!(there, (25..40).collect::<Vec<_>>());
        assert!(kept.find(run("other", "0"), now).is_some());
        for id in 0..200 {
            kept.keep(run("small", &id.to_string()), files(1), now);
        }
        let small = (0..200).filter(|id| kept.find(run("small", &id.to_string()), now).is_some());
        assert_eq!(small.count(), MAX_KEY_RUNS);
        // A run without files holds nothing.
        kept.keep(run("none", "1"), Vec::new(), now);
        assert!(kept.find(run("none", "1"), now).is_none());
    }
}
