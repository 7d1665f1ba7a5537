//! Files that are read back, or that users and operators write.

use audit::AuditConfig;
use images::{KernelManifest, RootfsManifest, UmlManifest};
use protocol::job::JobRequest;
use sandbox::config::Config;
use sandbox::saved::SavedRecord;
use sandbox::snapshots::Manifest;
use seccomp::{Error, Profile};
use server::ServerConfig;
use std::collections::BTreeSet;

/// The kernel takes no longer program (`BPF_MAXINSNS`).
const MAX_INSTRUCTIONS: usize = 4096;

/// A profile is refused with its name and a line that exists, or compiles for every architecture.
pub fn seccomp_profile(bytes: &[u8]) {
    let Ok(json) = std::str::from_utf8(bytes) else {
        return;
    };
    let profile = match Profile::parse(json, "users.json") {
        Ok(profile) => profile,
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains("users.json"), "{text}");
            if let Error::Refused { line, .. } = error {
                let lines = 1 + json.bytes().filter(|byte| *byte == b'\n').count();
                assert!(
                    (1..=lines).contains(&line),
                    "line {line} of {lines}: {text}"
                );
            }
            return;
        }
    };
    for arch in seccomp::arch::ARCHES {
        match profile.compile_for(arch) {
            Ok(program) => {
                let count = program.len();
                assert!((1..=MAX_INSTRUCTIONS).contains(&count), "{count}");
            }
            Err(Error::TooLarge { instructions, .. }) => assert!(instructions > MAX_INSTRUCTIONS),
            Err(other) => panic!("a parsed profile does not compile: {other}"),
        }
    }
}

/// Layers of an image that are taken leave names that stay inside their tree, each once, each in a folder of the tree.
pub fn oci_layer(bytes: &[u8]) {
    let paths = match images::oci::inspect(&[bytes, bytes]) {
        Ok(paths) => paths,
        Err(error) => {
            let text = error.to_string();
            let printable = text.chars().all(|letter| !letter.is_control());
            assert!(printable && text.len() < 1024, "{text:?}");
            return;
        }
    };
    let names: BTreeSet<_> = paths.iter().collect();
    assert_eq!(names.len(), paths.len());
    for path in &paths {
        let plain =
            |part: &[u8]| !part.is_empty() && part != b"." && part != b".." && !part.contains(&0);
        assert!(path.split(|byte| *byte == b'/').all(plain), "{path:?}");
        if let Some(slash) = path.iter().rposition(|byte| *byte == b'/') {
            assert!(names.contains(&path[..slash].to_vec()), "{path:?}");
        }
    }
}

/// A manifest of an image never names a file outside its folder.
pub fn image_manifest(bytes: &[u8]) {
    if let Ok(rootfs) = RootfsManifest::parse(bytes) {
        stays_inside(&rootfs.image.file);
    }
    if let Ok(kernel) = KernelManifest::parse(bytes) {
        stays_inside(&kernel.vmlinux.file);
        stays_inside(&kernel.modules.file);
    }
    if let Ok(uml) = UmlManifest::parse(bytes) {
        stays_inside(&uml.kernel.file);
        assert!(uml.compiler.bytes().all(|byte| matches!(byte, b' '..=b'~')));
    }
}

/// A file of images that is taken holds each image once, names no file outside the store's folders, and
/// says the sizes that it has.
pub fn image_bundle(bytes: &[u8]) {
    let rows = match images::bundle::inspect(bytes) {
        Ok(rows) => rows,
        Err(error) => {
            let text = error.to_string();
            let printable = text.chars().all(|letter| !letter.is_control());
            assert!(printable && text.len() < 4096, "{text:?}");
            return;
        }
    };
    let names: BTreeSet<_> = rows.iter().map(|row| &row.name).collect();
    assert_eq!((names.len(), names.is_empty()), (rows.len(), false));
    for file in rows.iter().flat_map(|row| &row.files) {
        let parts = file.split_once('/');
        let Some(("kernel" | "uml" | "rootfs", name)) = parts else {
            panic!("{file}");
        };
        stays_inside(name);
    }
    let announced: u64 = rows.iter().map(|row| row.size_bytes).sum();
    assert!(announced < bytes.len() as u64 && bytes.len().is_multiple_of(512));
}

/// Nor does a snapshot's.
pub fn snapshot_manifest(bytes: &[u8]) {
    if let Ok(snapshot) = Manifest::parse(bytes) {
        snapshot.names().into_iter().for_each(stays_inside);
    }
}

/// A saved sandbox's record that is taken names only files in its own folder.
pub fn saved_record(bytes: &[u8]) {
    if let Ok(record) = SavedRecord::parse(bytes) {
        record.names().for_each(stays_inside);
        // Its image may be one that is not known any more.
        let _ = record.job.job();
    }
}

fn stays_inside(name: &str) {
    let plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0']);
    assert!(plain, "{name:?}");
}

/// A configuration that is taken is written down as it was read, and never lets a job run for longer
/// than any configuration may.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let _ = (
        toml::from_str::<ServerConfig>(text),
        toml::from_str::<AuditConfig>(text),
    );
    let Ok(config) = Config::parse(text) else {
        return;
    };
    let Ok(policy) = config.policy() else {
        return;
    };
    if let Ok(written) = toml::to_string(&config) {
        assert_eq!(Config::parse(&written).as_ref(), Ok(&config), "{written}");
    }
    crate::requests::stays_in_bounds(
        &policy,
        JobRequest {
            language: "python".into(),
            code: "x".into(),
            ..JobRequest::default()
        },
    );
}
