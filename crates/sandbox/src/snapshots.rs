//! Snapshots on disk: what each is of, whether it may be used, how it is made.
//!
//! A folder a snapshot, named by language and key, 0700; in it the two files of the engine (0600) and
//! `manifest.json`. A snapshot appears by one rename after everything in it is on disk, so there is
//! never half a one. The key is everything that a clone depends on: change any, and it is another
//! snapshot; the old one is simply never asked for again.

pub(crate) mod error;
mod key;
pub(crate) mod manifest;
mod sets;
mod sweep;

pub use error::SnapshotError;
pub use key::SnapshotKey;
pub use manifest::Manifest;

use error::{damaged, io};
use manifest::{Known, Read};

use crate::error::{JobError, Why, chain};
use crate::lease::{self, Leased};
use crate::waiting::NAMES;
use crate::warm_up;
use protocol::language::Language;
use serde::Serialize;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use vmm::{SnapshotFiles, Snapshots, VmId, VmSpec};

const OTHER_MANIFEST: &str = "its manifest is of another snapshot";
/// What the folder of a snapshot is called, before its id, while it is being made.
const MAKING: &str = ".making-";

/// A row of `snapshots list` and `verify`.
#[derive(Debug, Clone, Serialize)]
pub struct SnapshotRow {
    /// Its folder's name.
    pub id: String,
    /// What it is of; `None` when its manifest cannot be read.
    pub key: Option<SnapshotKey>,
    /// When it was made.
    pub created_at: Option<String>,
    /// Both files together, in bytes.
    pub size_bytes: u64,
    /// Blocks that they take on disk, in bytes: RAM that was never touched takes none.
    pub disk_bytes: u64,
    /// What is wrong with it.
    pub error: Option<String>,
}

/// All snapshots of a state folder.
#[derive(Debug, Clone)]
pub struct SnapshotStore {
    root: PathBuf,
    known: Known,
}

/// What of each snapshot is read and compared with its manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// What was touched since its manifest was written.
    Changed,
    /// Each byte.
    All,
}

impl SnapshotStore {
    /// Opens the folder, creates it 0700.
    pub fn open(root: &Path) -> Result<SnapshotStore, SnapshotError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(root)
            .map_err(io("creating", root))?;
        Ok(SnapshotStore {
            root: root.into(),
            known: Known::default(),
        })
    }

    fn folder(&self, key: &SnapshotKey) -> PathBuf {
        self.root.join(key.id())
    }

    /// The files of this key's snapshot when it is there and whole.
    pub async fn find(&self, key: &SnapshotKey) -> Result<Option<SnapshotFiles>, SnapshotError> {
        let (folder, key, known) = (self.folder(key), key.clone(), self.known.clone());
        blocking(move || find_in(&folder, &key, &known)).await
    }

    /// Makes this key's snapshot unless it is there. `spec` makes a VM of the template's kind.
    pub async fn create(
        &self,
        key: &SnapshotKey,
        engine: &dyn Snapshots,
        spec: impl Fn(VmId) -> VmSpec,
    ) -> Result<SnapshotFiles, JobError> {
        // Another process may be making it: wait for it, then use what it made.
        let _lock = self.lock(key).await?;
        match self.find(key).await {
            Ok(Some(files)) => return Ok(files),
            Ok(None) => {}
            // What is damaged makes room for a new one.
            Err(SnapshotError::Damaged { .. }) => {
                remove_folder(&self.folder(key))?;
            }
            Err(error) => return Err(error.into()),
        }
        let making = Making::begin(&self.root, key)?;
        let files = template(key.language, engine, spec, &making.folder).await?;
        let (folder, key, store) = (self.folder(key), key.clone(), self.clone());
        let finish = move || {
            let is_set = key.language.image().is_package_set();
            if is_set {
                sets::mark(&making.folder)?;
            }
            let files = making.finish(&key, &files, &folder)?;
            if is_set {
                store.evict_sets()?;
            }
            Ok(files)
        };
        Ok(blocking(finish).await?)
    }

    async fn lock(&self, key: &SnapshotKey) -> Result<File, SnapshotError> {
        let (store, id) = (self.clone(), key.id());
        blocking(move || {
            let (path, file) = store.lock_file(&id)?;
            rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)
                .map_err(|errno| io("locking", &path)(errno.into()))?;
            Ok(file)
        })
        .await
    }

    fn lock_file(&self, id: &str) -> Result<(PathBuf, File), SnapshotError> {
        let path = self.root.join(format!("{id}.lock"));
        let file = vmm::state::lock_file(&path).map_err(io("opening", &path))?;
        Ok((path, file))
    }

    /// Every snapshot.
    pub fn list(&self, check: Comparison) -> Result<Vec<SnapshotRow>, SnapshotError> {
        let mut rows = Vec::new();
        let entries = std::fs::read_dir(&self.root).map_err(io("listing", &self.root))?;
        for entry in entries {
            let path = entry.map_err(io("listing", &self.root))?.path();
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            if let Some(id) = name.filter(|name| path.is_dir() && !name.starts_with('.')) {
                let read = match check {
                    Comparison::Changed => Read::Changed(&self.known),
                    Comparison::All => Read::All,
                };
                rows.push(row(id, &path, read));
            }
        }
        rows.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(rows)
    }

    /// Removes the snapshots of these languages, all when none is named. Clones that run keep what
    /// they mapped. Returns the ids.
    pub fn remove(&self, languages: &[Language]) -> Result<Vec<String>, SnapshotError> {
        let mut removed = Vec::new();
        for row in self.list(Comparison::Changed)? {
            let named = languages.is_empty()
                || languages
                    .iter()
                    .any(|language| row.id.starts_with(&format!("{language}-")));
            if named {
                remove_folder(&self.root.join(&row.id))?;
                removed.push(row.id);
            }
        }
        Ok(removed)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SnapshotError> + Send + 'static,
) -> Result<T, SnapshotError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn remove_folder(folder: &Path) -> Result<(), SnapshotError> {
    std::fs::remove_dir_all(folder).map_err(io("removing", folder))
}

/// Boots a VM, has it warm up, and leaves its snapshot in `into`.
async fn template(
    language: Language,
    engine: &dyn Snapshots,
    spec: impl Fn(VmId) -> VmSpec,
    into: &Path,
) -> Result<SnapshotFiles, JobError> {
    let mut leased = lease::boot_template(engine, spec(lease::new_vm_id()?)).await?;
    warm_up::run_program(language, &mut leased).await?;
    warm_up::load(language, NAMES.len(), &mut leased).await?;
    let Leased {
        mut vm,
        sender,
        receiver,
        ..
    } = leased;
    vm.pause().await?;
    let template = vm.into_template().ok_or(Why::NoTemplate)?;
    let saved = template.snapshot(into).await;
    // Held until now: a guest that sees its host go spends a clone's first moments on learning that
    // another has come. Nothing is in flight: it is quiet.
    drop((sender, receiver));
    Ok(saved?)
}

/// A snapshot that is being made; dropped before it is finished, it leaves nothing.
struct Making {
    folder: PathBuf,
}

impl Making {
    fn begin(root: &Path, key: &SnapshotKey) -> Result<Making, SnapshotError> {
        let folder = root.join(format!("{MAKING}{}", key.id()));
        if folder.exists() {
            // We hold the lock, so whoever made this is gone.
            remove_folder(&folder)?;
        }
        DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .map_err(io("creating", &folder))?;
        Ok(Making { folder })
    }

    fn finish(
        self,
        key: &SnapshotKey,
        files: &SnapshotFiles,
        folder: &Path,
    ) -> Result<SnapshotFiles, SnapshotError> {
        let manifest = Manifest::of(key, files)?;
        manifest.write(&self.folder)?;
        sync_folder(&self.folder)?;
        std::fs::rename(&self.folder, folder).map_err(io("renaming", &self.folder))?;
        if let Some(root) = folder.parent() {
            sync_folder(root)?;
        }
        Ok(manifest.files(folder))
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        // After a finish the folder has its new name and this finds nothing.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn sync_folder(folder: &Path) -> Result<(), SnapshotError> {
    File::open(folder)
        .and_then(|open| open.sync_all())
        .map_err(io("syncing", folder))
}

fn find_in(
    folder: &Path,
    key: &SnapshotKey,
    known: &Known,
) -> Result<Option<SnapshotFiles>, SnapshotError> {
    let Some(manifest) = Manifest::read(folder)? else {
        return Ok(None);
    };
    if manifest.key != *key {
        return Err(damaged(folder, OTHER_MANIFEST));
    }
    for record in manifest.records() {
        record.check(folder, Read::Changed(known))?;
    }
    sets::note_use(folder);
    Ok(Some(manifest.files(folder)))
}

fn row(id: String, folder: &Path, read: Read<'_>) -> SnapshotRow {
    use std::os::unix::fs::MetadataExt;
    let manifest = match Manifest::read(folder) {
        Ok(Some(manifest)) => Ok(manifest),
        Ok(None) => Err("it has no manifest".to_owned()),
        Err(error) => Err(chain(&error)),
    };
    let (mut size_bytes, mut disk_bytes) = (0, 0);
    let mut error = manifest.as_ref().err().cloned();
    if let Ok(manifest) = &manifest {
        for record in manifest.records() {
            if let Ok(metadata) = std::fs::metadata(folder.join(&record.name)) {
                size_bytes += metadata.len();
                // st_blocks counts 512-byte units (stat(2)).
                disk_bytes += metadata.blocks() * 512;
            }
            if let Err(wrong) = record.check(folder, read) {
                error = Some(chain(&wrong));
            }
        }
        if manifest.key.id() != id {
            error = Some(OTHER_MANIFEST.into());
        }
    }
    let manifest = manifest.ok();
    SnapshotRow {
        id,
        created_at: manifest
            .as_ref()
            .map(|manifest| manifest.created_at.clone()),
        key: manifest.map(|manifest| manifest.key),
        size_bytes,
        disk_bytes,
        error,
    }
}
