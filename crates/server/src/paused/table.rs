//! Which saved sandboxes and snapshots there are. Each has a lock of its own: whoever pauses one, has one go on or ends one
//! makes the others wait, and they see what became of it.

use super::about::{About, SavedKind};
use crate::keys::Principal;
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::slot::SandboxSlot;
use sandbox::error::chain;
use sandbox::saved::{
    FOLDER, Room, Rooms, SavedBounds, SavedError, SavedJob, SavedRecord, SavedStore,
};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};

/// One of them.
#[derive(Debug)]
pub struct Entry {
    /// Its name: a sandbox's, or a snapshot's.
    pub id: String,
    /// What it was made for.
    pub job: SavedJob,
    /// What is remembered of it.
    pub about: About,
    /// Where it is. Held for writing while that changes.
    pub at: Arc<RwLock<Place>>,
}

impl Entry {
    /// One that is locked: whoever asks for it waits for what becomes of it.
    pub(super) fn locked(id: String, slot: &SandboxSlot, about: About) -> Result<Locked, Problem> {
        let entry = Arc::new(Entry {
            id,
            job: SavedJob::of(&slot.job),
            about,
            at: Arc::default(),
        });
        // Nobody else knows of it.
        let place = entry.at.clone().try_write_owned();
        let place = place.map_err(|_| Problem::new(HttpCode::InternalError))?;
        Ok((entry, place))
    }
}

/// An entry, and the lock of where it is.
pub(super) type Locked = (Arc<Entry>, OwnedRwLockWriteGuard<Place>);

/// Where one is.
#[derive(Debug, Default)]
pub enum Place {
    /// Nowhere yet, or no longer: on its way, or it went on, or ended.
    #[default]
    Nowhere,
    /// On disk.
    Disk(Arc<SavedRecord>, Room),
}

/// All of them.
#[derive(Debug)]
pub struct PausedSandboxes {
    /// Where they are; or why there can be none.
    store: Result<SavedStore, String>,
    /// What they hold of the disk.
    pub rooms: Rooms,
    entries: Mutex<HashMap<String, Arc<Entry>>>,
}

impl PausedSandboxes {
    /// Those in this state folder. What cannot be read is told to the log and left where it is.
    pub fn open(state_dir: &Path, bounds: SavedBounds) -> PausedSandboxes {
        let store = SavedStore::open(&state_dir.join(FOLDER)).map_err(|error| chain(&error));
        let all = PausedSandboxes {
            store,
            rooms: Rooms::new(bounds),
            entries: Mutex::default(),
        };
        if let Err(reason) = all.load() {
            tracing::error!(%reason, "paused sandboxes cannot be read");
        }
        all
    }

    fn load(&self) -> Result<(), String> {
        let saved = self.store.as_ref()?.list().map_err(|error| chain(&error))?;
        for (id, record) in saved {
            match record.map(|record| self.entry_of(&id, record)) {
                // Nobody is left who would begin from it.
                Ok(Ok(entry)) if entry.about.kind == SavedKind::Forking => {
                    let removed = self.store.as_ref().map(|store| store.remove(&id));
                    tracing::info!(%id, is_removed = matches!(removed, Ok(Ok(()))), "left by a fork");
                }
                Ok(Ok(entry)) => _ = self.entries().insert(id, Arc::new(entry)),
                Ok(Err(reason)) => tracing::warn!(%id, %reason, "a paused sandbox is not known"),
                Err(error) => {
                    tracing::warn!(%id, reason = %chain(&error), "a paused sandbox cannot be read");
                }
            }
        }
        Ok(())
    }

    fn entry_of(&self, id: &str, record: SavedRecord) -> Result<Entry, String> {
        let about = serde_json::from_value(record.about.clone());
        let room = self.rooms.occupied(record.bytes());
        Ok(Entry {
            id: id.to_owned(),
            job: record.job.clone(),
            about: about.map_err(|error| error.to_string())?,
            at: Arc::new(RwLock::new(Place::Disk(Arc::new(record), room))),
        })
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files.
    pub fn store(&self) -> Result<&SavedStore, Problem> {
        self.store.as_ref().map_err(|reason| {
            tracing::error!(%reason, "paused sandboxes have no folder");
            Problem::new(HttpCode::InternalError)
        })
    }

    /// Puts one in, unless its key has as many as it may have, or it is there.
    pub fn insert(&self, entry: Arc<Entry>) -> Result<(), Problem> {
        let most = self.rooms.bounds().of_key;
        let mut entries = self.entries();
        let owner = &entry.about.owner;
        let own = entries.values().filter(|one| one.about.owner == *owner);
        if own.count() >= most {
            let full = format!(
                "this key has {most} paused sandboxes and snapshots, as many as it may have"
            );
            return Err(super::of_saved(&SavedError::NoRoom(full)));
        }
        put(&mut entries, entry)
    }

    /// Puts one in that stands for a sandbox for a moment.
    pub(super) fn insert_beside(&self, entry: Arc<Entry>) -> Result<(), Problem> {
        put(&mut self.entries(), entry)
    }

    /// Takes one out, if it is this one.
    pub fn remove(&self, entry: &Arc<Entry>) {
        let mut entries = self.entries();
        if entries
            .get(&entry.id)
            .is_some_and(|one| Arc::ptr_eq(one, entry))
        {
            entries.remove(&entry.id);
        }
    }

    /// A sandbox that is paused, whoever's: for who shows its token, or is told nothing of it.
    pub fn named(&self, id: &str) -> Option<Arc<Entry>> {
        let entries = self.entries();
        let entry = entries.get(id)?;
        (entry.about.kind == SavedKind::Sandbox).then(|| entry.clone())
    }

    /// A key's own paused sandbox; another's is not there.
    pub fn of(&self, who: &Principal, id: &str) -> Option<Arc<Entry>> {
        self.named(id).filter(|entry| entry.about.owner == who.id)
    }

    /// A key's paused sandboxes, oldest first.
    pub fn all_of(&self, who: &Principal) -> Vec<Arc<Entry>> {
        self.sorted(|about| about.owner == who.id && about.kind == SavedKind::Sandbox)
    }

    /// A key's snapshots, oldest first.
    pub fn snapshots_of(&self, who: &Principal) -> Vec<Arc<Entry>> {
        let is_snapshot = |about: &About| matches!(about.kind, SavedKind::Snapshot { .. });
        self.sorted(|about| about.owner == who.id && is_snapshot(about))
    }

    /// A key's own snapshot, by its id or its name; of several with one name, the newest.
    pub fn snapshot(&self, who: &Principal, text: &str) -> Option<Arc<Entry>> {
        let is_it = |entry: &&Arc<Entry>| {
            let named = matches!(&entry.about.kind, SavedKind::Snapshot { name: Some(name), .. } if name == text);
            named || entry.id == text
        };
        self.snapshots_of(who).iter().rev().find(is_it).cloned()
    }

    fn sorted(&self, wanted: impl Fn(&About) -> bool) -> Vec<Arc<Entry>> {
        let entries = self.entries();
        let found = entries.values().filter(|entry| wanted(&entry.about));
        let mut found: Vec<Arc<Entry>> = found.cloned().collect();
        // A name begins with the time (UUIDv7).
        found.sort_by(|a, b| a.id.cmp(&b.id));
        found
    }

    /// Ends one, once nobody is at it; whether it was there.
    pub async fn end(&self, entry: &Arc<Entry>) -> Result<bool, Problem> {
        let mut place = entry.at.write().await;
        let was_there = matches!(*place, Place::Disk(..));
        if was_there {
            self.forget(entry, &mut place).await?;
        }
        Ok(was_there)
    }

    /// Removes one from the disk and the table.
    pub async fn forget(&self, entry: &Arc<Entry>, place: &mut Place) -> Result<(), Problem> {
        let (store, id) = (self.store()?.clone(), entry.id.clone());
        let removed = tokio::task::spawn_blocking(move || store.remove(&id)).await;
        if let Ok(Err(error)) = removed {
            return Err(super::of_saved(&error));
        }
        *place = Place::Nowhere;
        self.remove(entry);
        Ok(())
    }
}

/// Two at one time would save it twice.
fn put(entries: &mut HashMap<String, Arc<Entry>>, entry: Arc<Entry>) -> Result<(), Problem> {
    if entries.contains_key(&entry.id) {
        return Err(super::busy(&entry.id));
    }
    entries.insert(entry.id.clone(), entry);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::file::Scope;
    use crate::paused::about::SavedKind;
    use jiff::Timestamp;
    use std::time::Duration;

    fn who(id: &str) -> Principal {
        Principal {
            id: id.into(),
            name: id.into(),
            scopes: vec![Scope::Run],
            limits: Default::default(),
        }
    }

    fn entry(id: &str, owner: &str, kind: SavedKind) -> Arc<Entry> {
        let about = About {
            owner: owner.into(),
            kind,
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: Timestamp::UNIX_EPOCH,
            total: Duration::from_secs(1),
            idle: Duration::from_secs(1),
            metadata: Default::default(),
            e2b: None,
        };
        let text = serde_json::to_string(&about).unwrap();
        assert_eq!(serde_json::from_str::<About>(&text).unwrap(), about);
        let job = serde_json::json!({
            "trace_id": "t", "language": "python", "env": [], "seccomp_program": [],
            "limits": {
                "timeout": {"secs": 1, "nanos": 0}, "compile_timeout": {"secs": 1, "nanos": 0},
                "cpu": {"secs": 1, "nanos": 0}, "memory_mib": 128, "vcpus": 1, "pids": 1, "output_bytes": 1,
                "file_size_bytes": 1, "tmpfs_mib": 1, "writable_mib": 0, "open_files": 1, "artifact_bytes": 0,
            },
        });
        Arc::new(Entry {
            id: id.into(),
            job: serde_json::from_value(job).unwrap(),
            about,
            at: Arc::default(),
        })
    }

    fn snapshot_of(of: &str, name: Option<&str>) -> SavedKind {
        SavedKind::Snapshot {
            of: of.into(),
            name: name.map(str::to_owned),
        }
    }

    fn table(of_key: usize) -> (tempfile::TempDir, PausedSandboxes) {
        let dir = tempfile::tempdir().unwrap();
        let bounds = SavedBounds {
            of_key,
            ..SavedBounds::default()
        };
        let table = PausedSandboxes::open(dir.path(), bounds);
        (dir, table)
    }

    #[test]
    fn a_key_has_so_many_and_a_name_is_saved_once() {
        let (_dir, table) = table(2);
        let first = entry("1", "a", SavedKind::Sandbox);
        table.insert(first.clone()).unwrap();
        let again = table.insert(entry("1", "a", SavedKind::Sandbox));
        assert_eq!(again.unwrap_err().status, 409);
        table
            .insert(entry("2", "a", snapshot_of("1", None)))
            .unwrap();
        let full = table.insert(entry("3", "a", SavedKind::Sandbox));
        assert_eq!(full.unwrap_err().status, 429);
        table.insert(entry("3", "b", SavedKind::Sandbox)).unwrap();
        // Another one of this name stays.
        table.remove(&entry("1", "a", SavedKind::Sandbox));
        assert!(table.named("1").is_some());
        table.remove(&first);
        assert!(table.named("1").is_none());
    }

    #[test]
    fn a_key_finds_its_own_paused_sandboxes_and_snapshots_only() {
        let (_dir, table) = table(10);
        for (id, owner, kind) in [
            ("1", "a", SavedKind::Sandbox),
            ("2", "a", snapshot_of("1", Some("ready"))),
            ("3", "a", snapshot_of("1", Some("ready"))),
            ("4", "b", SavedKind::Sandbox),
            ("5", "b", snapshot_of("4", Some("theirs"))),
            ("6", "a", SavedKind::Forking),
        ] {
            table.insert(entry(id, owner, kind)).unwrap();
        }
        let (a, b) = (who("a"), who("b"));
        assert!(table.of(&a, "1").is_some() && table.of(&b, "1").is_none());
        assert!(table.of(&a, "2").is_none(), "a snapshot is no sandbox");
        let id =
            |who: &Principal, text: &str| table.snapshot(who, text).map(|entry| entry.id.clone());
        assert_eq!(id(&a, "ready").as_deref(), Some("3"), "the newest");
        assert_eq!(id(&a, "2").as_deref(), Some("2"));
        for nobodys in ["theirs", "5", "1", "6"] {
            assert_eq!(id(&a, nobodys), None);
        }
        let ids = |entries: Vec<Arc<Entry>>| -> Vec<String> {
            entries.iter().map(|entry| entry.id.clone()).collect()
        };
        assert_eq!(ids(table.all_of(&a)), ["1"]);
        assert_eq!(ids(table.snapshots_of(&a)), ["2", "3"]);
        assert_eq!(ids(table.snapshots_of(&b)), ["5"]);
    }

    #[tokio::test]
    async fn one_that_is_nowhere_is_not_ended() {
        let (_dir, table) = table(1);
        let entry = entry("1", "a", SavedKind::Sandbox);
        table.insert(entry.clone()).unwrap();
        assert!(!table.end(&entry).await.unwrap());
    }
}
