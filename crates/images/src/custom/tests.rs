//! A store with a small image of the tool's, and what users make of it: the real tools pack and unpack.

use super::spec::ImageSpec;
use super::{Origin, Unused};
use crate::layout::{self, Image};
use crate::manifest::{self, RootfsManifest};
use crate::pack::Packing;
use crate::progress::{Rebuild, Silent};
use crate::recipe::ROOTFS_FORMAT;
use crate::store::{ImageStore, now};
use languages::RootImage;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// A store that holds bash's image, which has a shell and nothing else.
fn store_with_bash() -> (TempDir, ImageStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = ImageStore::open(&folder.path().join("images")).unwrap();
    let tree = folder.path().join("tree");
    fs::create_dir_all(tree.join("usr/bin")).unwrap();
    std::os::unix::fs::symlink("usr/bin", tree.join("bin")).unwrap();
    fs::write(tree.join("usr/bin/bash"), "a shell").unwrap();
    let packed = folder.path().join("packed");
    Packing::fast().pack(&tree, &packed).unwrap();
    let bash = RootImage::named("bash").unwrap();
    let manifest = RootfsManifest {
        format: ROOTFS_FORMAT,
        name: "bash".to_owned(),
        image: store
            .keep(&packed, Image::Rootfs(bash), layout::rootfs(bash))
            .unwrap(),
        packages: Vec::new(),
        runtime_version: "5".to_owned(),
        built_at: now(),
        inputs: String::new(),
        custom: None,
    };
    manifest::write(&store.rootfs_manifest(bash), &manifest).unwrap();
    (folder, store)
}

/// A user's file beside what it names.
fn spec(folder: &Path, name: &str, more: &str) -> ImageSpec {
    fs::write(folder.join("greeting.txt"), "hello").unwrap();
    let path = folder.join(format!("{name}.toml"));
    let text = format!(
        "from = \"bash\"\n{more}[files]\n\"/opt/greeting\" = \"greeting.txt\"\n[env]\nGREETING = \"hello\"\n"
    );
    fs::write(&path, text).unwrap();
    ImageSpec::read(&path).unwrap()
}

/// The tree of an image of the store.
fn taken_apart(store: &ImageStore, image: RootImage) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let phases = crate::progress::Phases::new(&Silent);
    let tree = super::base::image(store, image.name(), folder.path(), &phases).unwrap();
    (folder, tree.root)
}

#[test]
fn a_users_file_makes_an_image_once() {
    let (folder, store) = store_with_bash();
    let spec_one = spec(folder.path(), "made-once", "");
    let image = store
        .build_custom(&spec_one, Rebuild::IfNeeded, &Silent)
        .unwrap();
    assert_eq!(image.name(), "made-once");
    assert_eq!(image.defaults().unwrap().env["GREETING"], "hello");
    let languages: Vec<_> = image.languages().iter().map(|one| one.label()).collect();
    assert_eq!(languages, ["bash@made-once"]);
    let (_held, tree) = taken_apart(&store, image);
    assert_eq!(fs::read(tree.join("opt/greeting")).unwrap(), b"hello");
    assert_eq!(fs::read(tree.join("usr/bin/bash")).unwrap(), b"a shell");
    assert!(
        fs::read_to_string(tree.join("etc/passwd"))
            .unwrap()
            .contains("job:")
    );

    let first = store.rootfs(image).unwrap();
    let again = store
        .build_custom(&spec_one, Rebuild::IfNeeded, &Silent)
        .unwrap();
    assert_eq!(again, image);
    assert_eq!(store.rootfs(again).unwrap(), first, "nothing was done");
    let changed = spec(folder.path(), "made-once", "command = [\"true\"]\n");
    let changed = store
        .build_custom(&changed, Rebuild::IfNeeded, &Silent)
        .unwrap();
    assert_ne!(changed, image);
    assert_eq!(changed.defaults().unwrap().command, ["true"]);
}

#[test]
fn names_of_others_are_refused_before_anything_is_packed() {
    let (folder, store) = store_with_bash();
    for name in ["python", "uml", "Upper"] {
        let spec = spec(folder.path(), name, "");
        let error = store
            .build_custom(&spec, Rebuild::IfNeeded, &Silent)
            .unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    assert_eq!(store.list().unwrap().len(), 1);
    let missing = folder.path().join("of-missing.toml");
    fs::write(&missing, "from = \"node\"\n").unwrap();
    let missing = ImageSpec::read(&missing).unwrap();
    let error = store
        .build_custom(&missing, Rebuild::IfNeeded, &Silent)
        .unwrap_err();
    assert!(error.to_string().contains("images build node"), "{error}");
}

#[test]
fn another_process_and_another_host_find_it() {
    let (folder, store) = store_with_bash();
    let spec = spec(folder.path(), "carried", "");
    let image = store
        .build_custom(&spec, Rebuild::IfNeeded, &Silent)
        .unwrap();
    languages::custom::forget("carried");
    assert_eq!(RootImage::named("carried"), None);
    let same = ImageStore::open(&folder.path().join("images")).unwrap();
    let found = RootImage::named("carried").unwrap();
    assert_eq!(same.inspect(found).unwrap().languages, ["bash"]);
    assert!(matches!(
        same.inspect(found).unwrap().origin,
        Some(Origin::File { .. })
    ));

    let file = folder.path().join("images.tar");
    same.export(&file, &[found], &Silent).unwrap();
    languages::custom::forget("carried");
    let other = ImageStore::open(&folder.path().join("other")).unwrap();
    other.import(&file, &Silent).unwrap();
    let carried = RootImage::named("carried").unwrap();
    assert_eq!(
        other.rootfs(carried).unwrap().image.sha256,
        store.rootfs(image).unwrap().image.sha256
    );
}

#[test]
fn what_is_removed_or_pruned_is_known_no_more() {
    let (folder, store) = store_with_bash();
    let build = |name: &str| {
        let spec = spec(folder.path(), name, "");
        store
            .build_custom(&spec, Rebuild::IfNeeded, &Silent)
            .unwrap()
    };
    let (removed, pruned) = (build("removed"), build("pruned"));
    store.remove(removed).unwrap();
    assert_eq!(RootImage::named("removed"), None);
    let orphan = store.rootfs_file("nobodys-0123456789abcdef.erofs");
    fs::write(&orphan, "").unwrap();
    let none = Unused {
        for_at_least: Duration::from_secs(60),
        all: true,
    };
    let gone = store.prune(none).unwrap();
    assert_eq!(gone.len(), 1, "the file of no image: {gone:?}");
    assert!(!orphan.exists());
    let by_requests_only = Unused {
        for_at_least: Duration::ZERO,
        all: false,
    };
    assert_eq!(store.prune(by_requests_only).unwrap(), []);
    let all = Unused {
        for_at_least: Duration::ZERO,
        all: true,
    };
    let gone = store.prune(all).unwrap();
    let names: Vec<_> = gone.iter().map(|row| &*row.image).collect();
    assert_eq!(names, [pruned.name()]);
    assert_eq!(RootImage::named("pruned"), None);
    assert!(store.rootfs(RootImage::named("bash").unwrap()).is_ok());
}
