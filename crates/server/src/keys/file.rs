//! The key file: JSON, 0600, written to a temporary name and renamed into place.

use crate::config::KeyLimits;
use crate::error::ServerError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const PREFIX: &str = "llmfc_";
const ID_BYTES: usize = 6;
const SECRET_BYTES: usize = 32;
/// E2B's clients take keys of their own form alone: this and hexadecimal digits.
const E2B_PREFIX: &str = "e2b_";
/// Of 40 digits 12 are the id; 14 bytes are left, 112 bits, which nobody guesses either.
const E2B_SECRET_BYTES: usize = 14;
/// Permission bits of group and others to write.
const OTHERS_WRITE: u32 = 0o022;

/// What a key may do. Files of before version 0.3 say `execute` for `run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Run jobs, keep sessions and sandboxes, and see its own of them.
    #[serde(alias = "execute")]
    Run,
    /// Read numbers of the whole service: metrics, load, history. No job, no code, no output.
    Observe,
    /// See jobs, sandboxes, events and usage of all keys, and what `observe` sees.
    Admin,
}

/// Every scope, in the order of the documentation.
pub const SCOPES: &[Scope] = &[Scope::Run, Scope::Observe, Scope::Admin];

impl Scope {
    /// The word, as in the key file.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Run => "run",
            Scope::Observe => "observe",
            Scope::Admin => "admin",
        }
    }

    /// Whether a key of this scope may do what the other one is for.
    fn covers(self, other: Scope) -> bool {
        self == other || (self, other) == (Scope::Admin, Scope::Observe)
    }
}

/// How a key is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeyForm {
    /// `llmfc_<id>_<secret>`.
    #[default]
    Own,
    /// `e2b_` and 40 hexadecimal digits, for E2B's clients; the id is the first 12.
    E2b,
}

/// One key as it is kept: without its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRecord {
    /// Public part of the key.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// SHA-256 of the whole key, lower-case hex.
    pub sha256: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was made (RFC 3339, UTC).
    pub created_at: String,
    /// When it stopped to count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// Its own limits, when other than configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<KeyLimits>,
}

impl KeyRecord {
    /// Whether it may do this.
    pub fn may(&self, scope: Scope) -> bool {
        may(&self.scopes, scope)
    }
}

/// Whether a key of these scopes may do what this one is for.
pub fn may(scopes: &[Scope], wanted: Scope) -> bool {
    scopes.iter().any(|own| own.covers(wanted))
}

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    /// In the order in which they were made.
    pub keys: Vec<KeyRecord>,
}

/// A key that was just made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewKey {
    /// The key itself: shown once, kept nowhere.
    pub key: String,
    /// What is kept of it.
    pub record: KeyRecord,
}

/// Id and secret of a key's text; `None` when it is no key.
pub fn parts(key: &str) -> Option<(&str, &str)> {
    let (id, secret) = match key.strip_prefix(E2B_PREFIX) {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            digits.split_at_checked(2 * ID_BYTES)?
        }
        Some(_) => return None,
        None => key.strip_prefix(PREFIX)?.split_once('_')?,
    };
    let plain = id.len() == 2 * ID_BYTES && !secret.is_empty();
    plain.then_some((id, secret))
}

/// What is kept of a key.
pub fn secret_hash(key: &str) -> String {
    hex::encode(Sha256::digest(key.as_bytes()))
}

/// Reads a key file; one that is not there has no keys.
pub fn read(path: &Path) -> Result<KeyFile, ServerError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(KeyFile::default()),
        Err(error) => return Err(io("opening", path)(error)),
    };
    let mode = file.metadata().map_err(io("reading", path))?.mode() & 0o777;
    if mode & OTHERS_WRITE != 0 {
        return Err(ServerError::KeyFileOpen {
            path: path.into(),
            mode,
        });
    }
    let text = std::io::read_to_string(file).map_err(io("reading", path))?;
    serde_json::from_str(&text).map_err(|source| ServerError::KeyFile {
        path: path.into(),
        source,
    })
}

/// Makes a key and adds it to the file (made 0600 if it is not there).
pub fn add(
    path: &Path,
    name: &str,
    scopes: &[Scope],
    limits: Option<KeyLimits>,
) -> Result<NewKey, ServerError> {
    add_as(KeyForm::Own, path, name, (scopes, limits))
}

/// The same, written in this form.
pub fn add_as(
    form: KeyForm,
    path: &Path,
    name: &str,
    (scopes, limits): (&[Scope], Option<KeyLimits>),
) -> Result<NewKey, ServerError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@');
    if !(1..=64).contains(&name.len()) || !name.bytes().all(plain) {
        return Err(ServerError::KeyName { name: name.into() });
    }
    let key = generate(form)?;
    let record = KeyRecord {
        id: parts(&key).map(|(id, _)| id.to_owned()).unwrap_or_default(),
        name: name.into(),
        sha256: secret_hash(&key),
        scopes: scopes.to_vec(),
        created_at: jiff::Timestamp::now().to_string(),
        revoked_at: None,
        limits,
    };
    let added = record.clone();
    change(path, move |file| {
        file.keys.push(added);
        Ok(())
    })?;
    Ok(NewKey { key, record })
}

/// Has the key of this id, or else of this name, not count any more; its line stays, so that old events can be read.
pub fn revoke(path: &Path, id_or_name: &str) -> Result<KeyRecord, ServerError> {
    change(path, |file| {
        let is_meant = |record: &&mut KeyRecord| {
            record.revoked_at.is_none() && (record.id == id_or_name || record.name == id_or_name)
        };
        let mut meant: Vec<_> = file.keys.iter_mut().filter(is_meant).collect();
        // An id is one key's alone, whatever another is called.
        if let Some(at) = meant.iter().position(|record| record.id == id_or_name) {
            meant = vec![meant.swap_remove(at)];
        }
        match meant.as_mut_slice() {
            [] => Err(ServerError::NoSuchKey {
                id: id_or_name.into(),
            }),
            [record] => {
                record.revoked_at = Some(jiff::Timestamp::now().to_string());
                Ok(record.clone())
            }
            several => Err(ServerError::AmbiguousKey {
                name: id_or_name.into(),
                ids: several.iter().map(|record| record.id.clone()).collect(),
            }),
        }
    })
}

fn generate(form: KeyForm) -> Result<String, ServerError> {
    let mut random = [0; ID_BYTES + SECRET_BYTES];
    getrandom::fill(&mut random).map_err(ServerError::NoRandomness)?;
    let (id, secret) = random.split_at(ID_BYTES);
    let id = hex::encode(id);
    Ok(match form {
        KeyForm::Own => format!("{PREFIX}{id}_{}", URL_SAFE_NO_PAD.encode(secret)),
        KeyForm::E2b => {
            let secret = secret.get(..E2B_SECRET_BYTES).unwrap_or(secret);
            format!("{E2B_PREFIX}{id}{}", hex::encode(secret))
        }
    })
}

/// Reads, changes and writes the file; two at once wait for each other.
fn change<T>(
    path: &Path,
    change: impl FnOnce(&mut KeyFile) -> Result<T, ServerError>,
) -> Result<T, ServerError> {
    if let Some(folder) = path.parent() {
        // The state folder, as a rule, that a first key is made before; others may pass through it, and read nothing.
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(0o711).create(folder);
        made.map_err(io("making", folder))?;
    }
    let lock_path = beside(path, "lock");
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&lock_path)
        .map_err(io("opening", &lock_path))?;
    flock(&lock, FlockOperation::LockExclusive)
        .map_err(|errno| io("locking", &lock_path)(errno.into()))?;
    let mut file = read(path)?;
    let changed = change(&mut file)?;
    let mut text = serde_json::to_string_pretty(&file).unwrap_or_default();
    text.push('\n');
    let new = beside(path, "new");
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut out| {
            out.write_all(text.as_bytes())?;
            out.sync_all()
        });
    written.map_err(io("writing", &new))?;
    // The service may run as another user than who adds keys: the owner stays the file's.
    if let Ok(old) = std::fs::metadata(path) {
        let _ = std::os::unix::fs::chown(&new, Some(old.uid()), Some(old.gid()));
    }
    std::fs::rename(&new, path).map_err(io("replacing", path))?;
    Ok(changed)
}

fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

fn io<'a>(
    what: &'static str,
    path: &'a Path,
) -> impl FnOnce(std::io::Error) -> ServerError + use<'a> {
    move |source| ServerError::File {
        what,
        path: path.into(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_file_never_holds_a_secret_and_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state/keys.json");
        let new = add(&path, "app@prod", &[Scope::Run, Scope::Observe], None).unwrap();
        add(&path, "two", &[Scope::Observe], Some(KeyLimits::default())).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(parts(&new.key).unwrap().1));
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(read(&path).unwrap().keys.len(), 2);
        revoke(&path, &new.record.id).unwrap();
        assert!(matches!(
            revoke(&path, &new.record.id),
            Err(ServerError::NoSuchKey { .. })
        ));
        assert!(matches!(
            add(&path, "a\nb", &[], None),
            Err(ServerError::KeyName { .. })
        ));
    }

    #[test]
    fn a_key_is_revoked_by_name_unless_two_have_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        let add = |name: &str| add(&path, name, &[Scope::Run], None).unwrap().record.id;
        let (one, first, second) = (add("one"), add("two"), add("two"));
        // Another is called as this one is numbered: the number counts.
        let shadow = add(&one);
        assert_eq!(revoke(&path, &one).unwrap().id, one);
        assert_eq!(revoke(&path, &one).unwrap().id, shadow);
        let ambiguous = revoke(&path, "two").unwrap_err().to_string();
        assert!(ambiguous.contains(&first) && ambiguous.contains(&second));
        revoke(&path, &first).unwrap();
        assert_eq!(revoke(&path, "two").unwrap().id, second);
    }

    #[test]
    fn scopes_of_older_files_are_read_and_admin_covers_observe() {
        let scopes: Vec<Scope> = serde_json::from_str(r#"["execute","observe"]"#).unwrap();
        assert_eq!(scopes, [Scope::Run, Scope::Observe]);
        assert_eq!(
            serde_json::to_string(&scopes).unwrap(),
            r#"["run","observe"]"#
        );
        assert!(may(&[Scope::Admin], Scope::Observe));
        assert!(!may(&[Scope::Admin], Scope::Run));
        assert!(!may(&[Scope::Observe], Scope::Admin) && !may(&[Scope::Run], Scope::Observe));
    }

    #[test]
    fn a_key_for_e2bs_clients_has_their_form() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        let of_key = (&[Scope::Run][..], None);
        let new = add_as(KeyForm::E2b, &path, "app", of_key).unwrap();
        let digits = new.key.strip_prefix("e2b_").unwrap();
        assert_eq!(digits.len(), 40);
        assert!(digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(parts(&new.key).unwrap().0, new.record.id);
        for short in [
            "e2b_",
            "e2b_0123456789ab",
            "e2b_\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}",
        ] {
            assert_eq!(parts(short), None);
        }
    }

    #[test]
    fn a_file_that_others_may_write_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        add(&path, "app", &[Scope::Run], None).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).unwrap();
        assert!(matches!(
            read(&path),
            Err(ServerError::KeyFileOpen { mode: 0o666, .. })
        ));
    }

    #[test]
    fn keys_added_at_the_same_time_are_all_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        std::thread::scope(|scope| {
            for n in 0..8 {
                let path = &path;
                scope.spawn(move || add(path, &format!("k{n}"), &[Scope::Run], None).unwrap());
            }
        });
        assert_eq!(read(&path).unwrap().keys.len(), 8);
    }
}
