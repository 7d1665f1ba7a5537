//! Root's images, for users who are not root: what their own store lacks is read from root's, where root lets them.

use super::SYSTEM_STATE;
use anyhow::Context as _;
use images::{ImageStore, SHARED_FOLDERS};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Opens this user's store.
pub fn open(state_dir: &Path, images: &Path) -> anyhow::Result<ImageStore> {
    let me = rustix::process::geteuid();
    let owner = state_dir.metadata().ok().map(|folder| folder.uid());
    let is_anothers = owner.is_some_and(|owner| owner != me.as_raw());
    if is_anothers && !me.is_root() {
        anyhow::bail!(
            "the state folder {} belongs to another user: leave --state-dir out. {}",
            state_dir.display(),
            how()
        );
    }
    let store = ImageStore::open(images)?;
    if let Some(shared) = shared().filter(|shared| !me.is_root() && shared != images) {
        store
            .link_shared(&shared)
            .with_context(|| format!("sharing the images of {}", shared.display()))?;
    }
    Ok(store)
}

/// How a user who lacks an image may have root's, to follow a sentence; nothing where that is so already, or the user is
/// root.
pub fn hint() -> String {
    unshared().map_or(String::new(), |how| format!(". {how}"))
}

/// That root's images are there and may not be read, and what to do.
pub fn unshared() -> Option<String> {
    let is_root = rustix::process::geteuid().is_root();
    let is_shared = is_root || shared().is_some() || !Path::new(SYSTEM_STATE).exists();
    (!is_shared).then(how)
}

fn how() -> String {
    format!("Root's images are shared, read-only, once root runs: chmod 711 {SYSTEM_STATE}")
}

/// The folder of root's images, where this user can read it and nobody else could have written there.
fn shared() -> Option<PathBuf> {
    let images = Path::new(SYSTEM_STATE).join("images");
    let folders = SHARED_FOLDERS.map(|name| images.join(name));
    let there = folders.iter().filter(|folder| folder.exists());
    let mut checked = there.map(|folder| trust::check("the folder of shared images", folder));
    let is_there = images.exists();
    (is_there && checked.all(|judged| judged.is_ok())).then_some(images)
}
