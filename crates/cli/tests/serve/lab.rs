//! The state folder of these tests, and what is there to run with.

use crate::place::{Place, agent, make_state};
use std::path::{Path, PathBuf};
use tokio::sync::{Mutex, MutexGuard};

/// What only these tests' VMs have.
pub const PLACE: Place = Place {
    uid_base: 42_000,
    uid_count: 200,
    cgroup: "llm-firecracker-serve",
};

/// One service at a time: they share the state folder, as a restarted service does.
pub async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("serve");
    std::fs::create_dir_all(&root).unwrap();
    root
}

/// The state folder; its `images` lead to the real ones, its snapshots stay.
pub fn state_dir() -> PathBuf {
    let state = root().join("state");
    make_state(&state);
    state
}

/// A configuration file of that name with more lines at its end (tables of their own).
pub fn config_file(name: &str, more: &str) -> PathBuf {
    let path = root().join(format!("{name}.toml"));
    std::fs::write(&path, PLACE.config_text(more)).unwrap();
    path
}

/// Whether a VM of this language can be started here; says so when not, or fails where it must.
pub fn can_run(language: &str) -> bool {
    let image = state_dir().join(format!("images/rootfs/{language}.json"));
    match (agent(), image.exists()) {
        (Some(_), true) => true,
        (None, _) => not_run("the guest agent is not built: make agent"),
        (_, false) => not_run(&format!(
            "there is no {language} image: llm-firecracker images build {language}"
        )),
    }
}

/// Says why a test did not run; fails where all of them must. Always `false`.
pub fn not_run(why: &str) -> bool {
    let required = std::env::var_os("LLM_FIRECRACKER_REQUIRE").is_some();
    assert!(!required, "not run: {why}");
    println!("not run: {why}");
    false
}

/// A program of the `PATH`; says so when it is missing.
pub fn program(name: &str, package: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|path| path.exists());
    if found.is_none() {
        not_run(&format!("{name} is missing: install {package}"));
    }
    found
}
