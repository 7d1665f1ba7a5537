//! What is kept of saved VMs, without a VM.

use super::*;
use crate::materials::Shape;
use serde_json::json;
use vmm::{EngineIdentity, EngineKind};

const ID: &str = "0193a5c2-7d1e-7c3a-9f00-0123456789ab";

fn key(version: &str, image: &str) -> SavedKey {
    let shape = Shape {
        memory_mib: 128,
        vcpus: 1,
    };
    let engine = EngineIdentity {
        kind: EngineKind::Qemu,
        version: version.into(),
        accelerator: None,
        cpu_model: "max".into(),
        jail: "none".into(),
        clones_refused: None,
    };
    SavedKey::new(shape, image, &engine)
}

fn facts() -> SavedFacts {
    let request = protocol::job::JobRequest {
        language: "python".into(),
        code: "pass".into(),
        ..Default::default()
    };
    let policy = crate::config::Config::default().policy().unwrap();
    SavedFacts {
        job: SavedJob::of(&policy.validate(request).unwrap()),
        key: key("10.0.2", "abc"),
        held: HeldGuest::default(),
        contexts: HeldContexts::default(),
        about: json!({"owner": "a"}),
    }
}

fn store() -> (tempfile::TempDir, SavedStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = SavedStore::open(&dir.path().join(FOLDER)).unwrap();
    (dir, store)
}

fn saved(store: &SavedStore, id: &str) -> SavedRecord {
    let making = store.begin(id).unwrap();
    std::fs::write(making.folder().join("stream"), b"a whole VM").unwrap();
    making.finish(facts()).unwrap()
}

#[test]
fn what_is_saved_is_there_as_it_was_and_only_the_tool_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let (_dir, store) = store();
    let record = saved(&store, ID);
    assert_eq!(record.bytes(), 10);
    let mut all = store.list().unwrap();
    let (id, read) = all.pop().unwrap();
    assert_eq!((id.as_str(), read.unwrap()), (ID, record.clone()));
    assert!(all.is_empty());
    store.check(ID, &record).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = store.place(ID);
    assert_eq!(
        (mode(&folder), mode(&SavedRecord::path(&folder))),
        (0o700, 0o600)
    );
    assert!(
        record
            .job
            .job()
            .is_some_and(|job| job.limits == record.job.limits)
    );
    store.remove(ID).unwrap();
    store.remove(ID).unwrap();
    assert!(store.list().unwrap().is_empty());
}

#[test]
fn half_a_one_is_none_and_a_sweep_removes_it() {
    let (_dir, store) = store();
    saved(&store, ID);
    drop(store.begin("dropped").unwrap());
    // As a crash leaves them: while one was made, and while one was removed.
    let root = store.place(ID).parent().unwrap().to_owned();
    for left in [".making-dead", "without-record"] {
        std::fs::create_dir(root.join(left)).unwrap();
        std::fs::write(root.join(left).join("stream"), "x").unwrap();
    }
    let making = store.begin("live").unwrap();
    assert_eq!(store.list().unwrap().len(), 1);
    assert_eq!(store.sweep().unwrap(), ["dead", "without-record"]);
    std::fs::write(making.folder().join("stream"), b"x").unwrap();
    making.finish(facts()).unwrap();
    assert!(store.sweep().unwrap().is_empty());
    assert_eq!(store.list().unwrap().len(), 2);
}

#[test]
fn damage_is_told_and_not_taken_for_what_was_saved() {
    let (_dir, store) = store();
    let record = saved(&store, ID);
    let file = store.place(ID).join("stream");
    for content in ["a whole vm", "short"] {
        std::fs::write(&file, content).unwrap();
        let checked = store.check(ID, &record);
        assert!(
            matches!(checked, Err(SavedError::Damaged(_))),
            "{checked:?}"
        );
    }
    std::fs::remove_file(&file).unwrap();
    assert!(store.check(ID, &record).is_err());
    let text = serde_json::to_value(&record).unwrap();
    let with = |field: &str, value: serde_json::Value| {
        let mut text = text.clone();
        text[field] = value;
        SavedRecord::parse(&serde_json::to_vec(&text).unwrap())
    };
    assert!(with("format", json!(1)).is_ok());
    assert!(with("format", json!(2)).is_err());
    assert!(with("more", json!(1)).is_err());
    let mut named = text["files"].clone();
    named[0]["name"] = json!("../key.pem");
    assert!(with("files", named).is_err());
    assert!(SavedRecord::parse(b"").is_err());
    std::fs::write(SavedRecord::path(&store.place(ID)), "{").unwrap();
    let all = store.list().unwrap();
    assert!(matches!(all[0].1, Err(SavedError::Damaged(_))));
}

#[test]
fn it_goes_on_only_on_what_it_was_saved_on() {
    let was = key("10.0.2", "abc");
    was.check(&key("10.0.2", "abc")).unwrap();
    for (now, what) in [
        (key("10.0.3", "abc"), "the engine's version"),
        (key("10.0.2", "abd"), "the image's digest"),
    ] {
        let refused = was.check(&now).unwrap_err().to_string();
        assert!(refused.contains(what), "{refused}");
    }
}

#[test]
fn room_is_taken_before_it_is_needed_and_given_back() {
    let (_dir, store) = store();
    let rooms = Rooms::new(SavedBounds {
        of_key: 1,
        disk_mib: 300,
    });
    let mut first = rooms.take(&store, 200).unwrap();
    let full = rooms.take(&store, 200).unwrap_err();
    assert!(full.is_no_room(), "{full}");
    first.shrink(50 << 20);
    let second = rooms.take(&store, 200).unwrap();
    drop((first, second));
    let third = rooms.occupied(250 << 20);
    assert!(rooms.take(&store, 100).is_err());
    drop(third);
    assert!(rooms.take(&store, 300).is_ok());
    // More than any disk has.
    let rooms = Rooms::new(SavedBounds {
        of_key: 1,
        disk_mib: u64::MAX,
    });
    let full = rooms.take(&store, u32::MAX).unwrap_err();
    assert!(full.to_string().contains("the disk has"), "{full}");
}
