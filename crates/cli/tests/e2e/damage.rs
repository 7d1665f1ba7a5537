//! A changed byte: of an image, which is refused, and of a snapshot, which is not used.

use crate::engines::KernelChecked;
use crate::tool::{Done, PATIENCE, Tool};
use crate::{lab, place};
use serde_json::Value;
use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// Copies what a VM of bash boots from; the store itself is never touched.
fn copy_images(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let (source, target) = (entry.path(), to.join(&name));
        if name.starts_with('.') {
            continue;
        } else if entry.file_type().unwrap().is_dir() {
            copy_images(&source, &target);
        } else if !from.ends_with("rootfs") || name.starts_with("bash") {
            std::fs::copy(source, target).unwrap();
        }
    }
}

/// A state folder with a copy of what a VM of bash boots from: whoever else runs VMs of the real images sees nothing of what
/// becomes of these.
pub fn copied_state() -> TempDir {
    let state = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let images = state.path().join("images");
    copy_images(&place::system_state().join("images"), &images);
    state
}

/// The lab's images as a copy of its own, for a test that writes to one: whoever else runs VMs of the real ones would be
/// told that they changed. Its test must hold the lab alone. The link to the real ones comes back when this is dropped.
pub struct OwnImages(PathBuf);

impl OwnImages {
    pub fn copied() -> OwnImages {
        let images = lab::lab().state.join("images");
        std::fs::remove_file(&images).unwrap();
        copy_images(&place::system_state().join("images"), &images);
        OwnImages(images)
    }
}

impl Drop for OwnImages {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
        place::make_state(&lab::lab().state);
    }
}

/// The files of at least a MiB below a folder whose names start so.
fn large_files(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(large_files(&path, prefix));
        } else if name.starts_with(prefix) && path.metadata().unwrap().len() >= 1 << 20 {
            found.push(path);
        }
    }
    found
}

/// Turns over one bit in the middle of a file.
fn flip(path: &Path) {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let middle = file.metadata().unwrap().len() / 2;
    let mut byte = [0];
    file.seek(SeekFrom::Start(middle)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(middle)).unwrap();
    file.write_all(&[byte[0] ^ 1]).unwrap();
}

fn hello(state: &Path, flags: &[&str]) -> (Done, Value) {
    let done = Tool::with(state, &lab::lab().config)
        .program("sh", "echo whole")
        .arg("--json")
        .args(flags)
        .finish(PATIENCE);
    let result = done.json();
    (done, result)
}

fn assert_job_is_refused(state: &Path, flags: &[&str]) {
    let (done, result) = hello(state, flags);
    assert_eq!(result["failure"]["code"], "image_damaged", "{result}");
    let ending = (done.code(), result["stdout"].as_str());
    assert_eq!(ending, (Some(125), Some("")), "{result}");
}

/// Asked for by name it is refused, and else another runs the job.
fn assert_engine_is_not_there(state: &Path, flags: &[&str]) {
    let name = lab::engine().name;
    let done = Tool::with(state, &lab::lab().config)
        .program("sh", "echo whole")
        .args(["--json", "--engine", name])
        .args(flags)
        .finish(PATIENCE);
    assert_eq!((done.code(), done.out().as_str()), (Some(125), ""));
    let says = format!("engine {name} does not work here");
    assert!(done.err().contains(&says), "{}", done.err());
    let (done, result) = hello(state, flags);
    assert_eq!(result["stdout"], "whole\n", "{result}");
    assert_ne!(result["isolation"]["engine"], name, "{}", done.err());
    assert!(done.err().contains("User-Mode Linux"), "{}", done.err());
}

#[test]
fn a_changed_byte_of_an_image_is_refused() {
    if !lab::lab().has("bash") {
        return;
    }
    let _slot = lab::slot();
    let state = copied_state();
    let flags = ["--no-snapshot"];
    assert_eq!(hello(state.path(), &flags).1["stdout"], "whole\n");
    let engine = lab::engine();
    let (kernel, name) = engine.kernel;
    for (folder, prefix, refused) in [
        ("images/rootfs", "bash", KernelChecked::ForEachJob),
        (kernel, name, engine.kernel_checked),
    ] {
        let files = large_files(&state.path().join(folder), prefix);
        assert!(!files.is_empty(), "no {prefix} in {folder}");
        files.iter().for_each(|path| flip(path));
        match refused {
            KernelChecked::ForEachJob => assert_job_is_refused(state.path(), &flags),
            KernelChecked::BeforeItsProbe => assert_engine_is_not_there(state.path(), &flags),
        }
        let verified = Tool::with(state.path(), &lab::lab().config)
            .args(["images", "verify", "bash"])
            .finish(Duration::from_secs(120));
        assert_ne!(verified.code(), Some(0), "{prefix}: {}", verified.out());
        files.iter().for_each(|path| flip(path));
        assert_eq!(
            hello(state.path(), &flags).1["status"],
            "ok",
            "{prefix} is whole again"
        );
    }
}

/// The one snapshot of a state folder: its folder and its manifest.
fn snapshot_of(state: &Path) -> (PathBuf, Value) {
    let folders: Vec<PathBuf> = std::fs::read_dir(state.join("snapshots"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("manifest.json").exists())
        .collect();
    assert_eq!(folders.len(), 1, "{folders:?}");
    let manifest = std::fs::read(folders[0].join("manifest.json")).unwrap();
    (
        folders[0].clone(),
        serde_json::from_slice(&manifest).unwrap(),
    )
}

#[test]
fn a_damaged_snapshot_is_not_used_and_the_job_runs_all_the_same() {
    if !lab::has_snapshots() {
        return;
    }
    let _slot = lab::slot();
    let state = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    place::make_state(state.path());
    assert_eq!(
        hello(state.path(), &[]).1["timings"]["path"],
        "clone",
        "made on first use"
    );
    let (folder, manifest) = snapshot_of(state.path());
    let file = |which: &str| folder.join(manifest[which]["name"].as_str().unwrap());
    let other_image = |path: &Path| {
        let mut manifest = manifest.clone();
        manifest["key"]["image_sha256"] = "0".repeat(64).into();
        std::fs::write(path, manifest.to_string()).unwrap();
    };
    let cut = |path: &Path| {
        let half = path.metadata().unwrap().len() / 2;
        OpenOptions::new()
            .write(true)
            .open(path)
            .unwrap()
            .set_len(half)
            .unwrap();
    };
    type Damage<'a> = (&'a str, PathBuf, &'a dyn Fn(&Path));
    let damages: [Damage<'_>; 4] = [
        ("a bit of the RAM", file("memory"), &flip),
        ("a bit of the devices' state", file("state"), &flip),
        ("half a state", file("state"), &cut),
        (
            "another image's manifest",
            folder.join("manifest.json"),
            &other_image,
        ),
    ];
    for (name, path, damage) in damages {
        let whole = std::fs::read(&path).unwrap();
        damage(&path);
        let (done, result) = hello(state.path(), &[]);
        assert_eq!(result["stdout"], "whole\n", "{name}: {result}");
        assert_eq!(result["timings"]["path"], "boot", "{name}");
        assert!(
            done.err().contains("booting instead"),
            "{name}: no warning: {}",
            done.err()
        );
        let verified = Tool::with(state.path(), &lab::lab().config)
            .args(["snapshots", "verify"])
            .finish(Duration::from_secs(120));
        assert_ne!(verified.code(), Some(0), "{name}: {}", verified.out());
        std::fs::write(&path, whole).unwrap();
    }
    let removed = Tool::with(state.path(), &lab::lab().config)
        .args(["snapshots", "rm", "bash"])
        .finish(Duration::from_secs(60));
    assert_eq!(removed.code(), Some(0), "{}", removed.err());
    assert!(!folder.exists());
}

#[test]
fn a_snapshot_of_another_size_is_not_used() {
    if !lab::has_snapshots() {
        return;
    }
    let _slot = lab::slot();
    let state = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    place::make_state(state.path());
    let path = |flags: &[&str]| hello(state.path(), flags).1["timings"]["path"].clone();
    let small = ["--memory", "256"];
    assert_eq!(
        path(&small),
        "boot",
        "other sizes have no snapshot by themselves"
    );
    let created = Tool::with(state.path(), &lab::lab().config)
        .args(["snapshots", "create", "bash", "--memory", "256"])
        .finish(PATIENCE);
    assert_eq!(created.code(), Some(0), "{}", created.err());
    assert_eq!(path(&small), "clone");
    assert_eq!(path(&["--no-snapshot"]), "boot");
    assert_eq!(path(&["--memory", "384"]), "boot");
}
