//! API keys: the file that holds their hashes, and the question whether a key counts.
//!
//! A key is `llmfc_<id>_<secret>`: the id is public and finds the line, the secret is 32 random bytes.
//! With 256 bits of entropy there is nothing to guess from a SHA-256 (docs/decisions/050).

pub mod file;

use crate::config::KeyLimits;
use crate::error::ServerError;
use file::{KeyRecord, Scope, read, secret_hash};
use protocol::job::Owner;
use sandbox::current::Current;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};
use subtle::ConstantTimeEq;

/// How soon a changed key file counts.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Who asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Principal {
    /// The key's id; `local` without keys.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// How much of it.
    pub limits: KeyLimits,
}

impl Principal {
    /// Everybody on this machine, when there are no keys.
    pub fn local(limits: KeyLimits) -> Principal {
        Principal {
            id: "local".into(),
            name: "local".into(),
            scopes: file::SCOPES.to_vec(),
            limits,
        }
    }

    fn of(record: &KeyRecord, defaults: KeyLimits) -> Principal {
        Principal {
            id: record.id.clone(),
            name: record.name.clone(),
            scopes: record.scopes.clone(),
            limits: record.limits.unwrap_or(defaults),
        }
    }

    /// Whether it may do this.
    pub fn may(&self, scope: Scope) -> bool {
        file::may(&self.scopes, scope)
    }

    /// How events, logs and accounts name it.
    pub fn owner(&self) -> Arc<Owner> {
        Arc::new(Owner {
            id: self.id.clone(),
            name: self.name.clone(),
        })
    }

    /// Whether it may see what this key did: its own, or as `admin` everybody's.
    pub fn sees(&self, key_id: &str) -> bool {
        self.may(Scope::Admin) || (self.may(Scope::Run) && self.id == key_id)
    }
}

/// What tells one state of a file from another.
type Identity = Option<(SystemTime, u64)>;

#[derive(Debug, Default)]
struct Loaded {
    by_id: HashMap<String, (String, Arc<Principal>)>,
    /// Keys were made, revoked ones included: whoever makes keys wants them asked for.
    has_keys: bool,
}

/// The keys in force; a change of the file counts within a second.
#[derive(Debug)]
pub struct Keys {
    path: Option<PathBuf>,
    defaults: Current<KeyLimits>,
    loaded: RwLock<Loaded>,
    looked: Mutex<(Instant, Identity)>,
    local: Current<Principal>,
}

impl Keys {
    /// Reads the key file. A file that is not there is one without keys.
    pub fn open(path: Option<&Path>, defaults: KeyLimits) -> Result<Keys, ServerError> {
        let keys = Keys {
            path: path.map(Path::to_owned),
            defaults: Current::new(defaults),
            loaded: RwLock::default(),
            looked: Mutex::new((Instant::now(), identity(path))),
            local: Current::new(Principal::local(defaults)),
        };
        keys.load()?;
        Ok(keys)
    }

    /// There are no keys: everybody who can connect may do everything.
    pub fn is_open(&self) -> bool {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        !loaded.has_keys
    }

    /// How many keys in force may run jobs; one while there are no keys.
    pub fn executors(&self) -> usize {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let principals = loaded.by_id.values().map(|(_, principal)| principal);
        let may = principals.filter(|principal| principal.may(Scope::Run));
        may.count().max(1)
    }

    /// Names of the keys in force, `local` while there are none.
    pub fn names(&self) -> Vec<String> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        if !loaded.has_keys {
            return vec![self.local.get().name.clone()];
        }
        let principals = loaded.by_id.values();
        let names: BTreeSet<String> = principals.map(|(_, own)| own.name.clone()).collect();
        names.into_iter().collect()
    }

    /// Who everybody is while there are no keys.
    pub fn local(&self) -> Arc<Principal> {
        self.local.get()
    }

    /// The principal with this id, while its key counts.
    pub fn named(&self, id: &str) -> Option<Arc<Principal>> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let local = self.local();
        if !loaded.has_keys && id == local.id {
            return Some(local);
        }
        let (_, principal) = loaded.by_id.get(id)?;
        Some(principal.clone())
    }

    /// The principal of a key, `None` when it does not count.
    pub fn check(&self, presented: &str) -> Option<Arc<Principal>> {
        self.refresh();
        let (id, _) = file::parts(presented)?;
        let hash = secret_hash(presented);
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let (stored, principal) = loaded.by_id.get(id)?;
        // Both are 64 hex digits; the comparison takes the same time wherever they differ.
        let same: bool = stored.as_bytes().ct_eq(hash.as_bytes()).into();
        same.then(|| principal.clone())
    }

    /// Takes in a changed file, looking at most once a second.
    pub fn refresh(&self) {
        let Ok(mut looked) = self.looked.try_lock() else {
            return;
        };
        if looked.0.elapsed() < LOOK_AGAIN {
            return;
        }
        looked.0 = Instant::now();
        let now = identity(self.path.as_deref());
        if now == looked.1 {
            return;
        }
        match self.load() {
            Ok(()) => {
                if now.is_none() {
                    tracing::error!("the key file is gone: no key counts until it is back");
                }
                looked.1 = now;
            }
            // The keys of before stay in force: a typo must not open or shut the service.
            Err(error) => tracing::error!(%error, "the changed key file is not used"),
        }
    }

    /// Reads the file again, whether it changed or not, with other limits for keys that have none; on an error nothing
    /// changes.
    pub fn reload(&self, defaults: KeyLimits) -> Result<(), ServerError> {
        if let Some(path) = &self.path {
            read(path)?;
        }
        self.defaults.set(defaults);
        self.local.set(Principal::local(defaults));
        self.load()
    }

    fn load(&self) -> Result<(), ServerError> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let records = read(path)?.keys;
        let defaults = *self.defaults.get();
        let by_id = records
            .iter()
            .filter(|record| record.revoked_at.is_none())
            .map(|record| {
                let principal = Arc::new(Principal::of(record, defaults));
                (record.id.clone(), (record.sha256.clone(), principal))
            })
            .collect();
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        *loaded = Loaded {
            by_id,
            has_keys: !records.is_empty(),
        };
        Ok(())
    }
}

fn identity(path: Option<&Path>) -> Identity {
    let metadata = std::fs::metadata(path?).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys_with_one() -> (tempfile::TempDir, PathBuf, String) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        let new = file::add(&path, "app", &[Scope::Run], None).unwrap();
        (dir, path, new.key)
    }

    #[test]
    fn a_key_counts_until_it_is_revoked() {
        let (_dir, path, key) = keys_with_one();
        let keys = Keys::open(Some(&path), KeyLimits::default()).unwrap();
        let principal = keys.check(&key).unwrap();
        assert_eq!(principal.name, "app");
        assert!(principal.may(Scope::Run) && !principal.may(Scope::Observe));
        file::revoke(&path, &principal.id).unwrap();
        // Looked at as if a second had gone by.
        keys.looked.lock().unwrap().0 -= LOOK_AGAIN;
        assert_eq!(keys.check(&key), None);
    }

    #[test]
    fn the_last_key_revoked_does_not_open_the_service() {
        let (_dir, path, key) = keys_with_one();
        let id = file::parts(&key).unwrap().0.to_owned();
        file::revoke(&path, &id).unwrap();
        let keys = Keys::open(Some(&path), KeyLimits::default()).unwrap();
        assert!(!keys.is_open());
        assert_eq!(keys.check(&key), None);
    }

    #[test]
    fn a_broken_file_leaves_the_keys_in_force() {
        let (_dir, path, key) = keys_with_one();
        let keys = Keys::open(Some(&path), KeyLimits::default()).unwrap();
        std::fs::write(&path, "{").unwrap();
        keys.looked.lock().unwrap().0 -= LOOK_AGAIN;
        assert!(keys.check(&key).is_some());
    }

    proptest! {
        #[test]
        fn no_other_text_counts(text in "\\PC{0,80}", at in any::<prop::sample::Index>(), c in "[A-Za-z0-9_-]") {
            let (_dir, path, key) = keys_with_one();
            let keys = Keys::open(Some(&path), KeyLimits::default()).unwrap();
            prop_assert!(keys.check(&text).is_none());
            let mut changed: Vec<char> = key.chars().collect();
            let at = at.index(changed.len());
            changed[at] = c.chars().next().unwrap();
            let changed: String = changed.into_iter().collect();
            prop_assert_eq!(keys.check(&changed).is_some(), changed == key);
        }
    }
}
