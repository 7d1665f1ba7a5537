//! Files that are read back, or that users and operators write.

use audit::AuditConfig;
use images::{KernelManifest, RootfsManifest};
use protocol::job::JobRequest;
use sandbox::config::Config;
use sandbox::snapshots::Manifest;
use seccomp::{Error, Profile};
use server::ServerConfig;

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

/// A manifest of an image never names a file outside its folder.
pub fn image_manifest(bytes: &[u8]) {
    if let Ok(rootfs) = RootfsManifest::parse(bytes) {
        stays_inside(&rootfs.image.file);
    }
    if let Ok(kernel) = KernelManifest::parse(bytes) {
        stays_inside(&kernel.vmlinux.file);
        stays_inside(&kernel.modules.file);
    }
}

/// Nor does a snapshot's.
pub fn snapshot_manifest(bytes: &[u8]) {
    if let Ok(snapshot) = Manifest::parse(bytes) {
        snapshot.names().into_iter().for_each(stays_inside);
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
