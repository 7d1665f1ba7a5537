//! What is read of a manifest, and what is refused.

use super::*;

fn uml() -> UmlManifest {
    UmlManifest {
        format: KERNEL_FORMAT,
        kernel: FileRecord {
            file: "linux-0123456789abcdef".to_owned(),
            sha256: "0123456789abcdef".repeat(4),
            size: 7,
        },
        package: Package {
            licence: String::new(),
            name: "linux-source-7.3".to_owned(),
            version: "7.3.4-1~bpo13+1".to_owned(),
            sha256: "ab".repeat(32),
            source: PackageSource::Debian,
        },
        inputs: "ab".repeat(32),
        compiler: "gcc (Debian 12.2.0-14+deb12u1) 12.2.0".to_owned(),
        built_at: "2026-11-28T15:00:00Z".to_owned(),
    }
}

fn parsed(manifest: &UmlManifest) -> Result<UmlManifest, String> {
    UmlManifest::parse(&serde_json::to_vec(manifest).unwrap())
}

#[test]
fn a_manifest_is_read_as_it_was_written() {
    assert_eq!(parsed(&uml()).unwrap(), uml());
    let unknown = serde_json::to_string(&uml()).unwrap();
    let unknown = unknown.replacen('{', "{\"more\":1,", 1);
    let error = UmlManifest::parse(unknown.as_bytes()).unwrap_err();
    assert!(error.contains("unknown field `more`"), "{error}");
}

#[test]
fn a_manifest_of_another_version_is_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.json");
    let read = |text: &str| {
        fs::write(&path, text).unwrap();
        super::read::<UmlManifest>(&path, "uml", folder.path()).unwrap_err()
    };
    let old = read("{\"format\": 1, \"what_is_gone\": true}");
    assert!(matches!(old, ImageError::OtherFormat { .. }), "{old}");
    assert!(old.to_string().contains("images build --outdated"));
    for text in ["{\"what_is_gone\": true}", "{", "[]"] {
        assert!(matches!(read(text), ImageError::Damaged { .. }), "{text}");
    }
}

#[test]
fn names_that_lead_elsewhere_and_texts_that_move_a_cursor_are_refused() {
    let mut outside = uml();
    outside.kernel.file = "../linux".to_owned();
    assert_eq!(parsed(&outside).unwrap_err(), "a record of '../linux'");
    let mut moving = uml();
    moving.compiler = "gcc \u{1b}[2J".to_owned();
    let error = parsed(&moving).unwrap_err();
    assert_eq!(error, "the text 'gcc ?[2J'");
    let mut long = uml();
    long.package.version = "1".repeat(MAX_TEXT_BYTES + 1);
    assert!(parsed(&long).is_err());
}
