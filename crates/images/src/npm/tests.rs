use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;

const LOCK: &str = r#"{"lockfileVersion": 3, "packages": {
    "": {"dependencies": {"a": "1.0.0"}},
    "node_modules/a": {"version": "1.0.0", "integrity": "sha512-AAAA"},
    "node_modules/a/node_modules/@b/c": {"version": "2.0.0", "integrity": "sha512-AAAA", "os": "linux", "cpu": ["x64"]},
    "node_modules/other": {"version": "2.0.0", "integrity": "sha512-AAAA", "cpu": "arm64"},
    "node_modules/a/node_modules/bundled": {"version": "2.0.0", "inBundle": true},
    "node_modules/tests": {"version": "2.0.0", "integrity": "sha512-AAAA", "dev": true},
    "node_modules/alias": {"name": "d", "version": "3.0.0", "integrity": "sha512-AAAA"}
}}"#;

#[test]
fn what_guests_can_use_is_wanted_where_npm_would_put_it() {
    let all = wanted(LOCK.as_bytes()).unwrap();
    let urls: Vec<String> = all.iter().map(|one| one.url("http://registry/")).collect();
    let expected = [
        "http://registry/a/-/a-1.0.0.tgz",
        "http://registry/@b/c/-/c-2.0.0.tgz",
        "http://registry/d/-/d-3.0.0.tgz",
    ];
    assert_eq!(urls, expected);
    assert_eq!(all[1].folder, Path::new("node_modules/a/node_modules/@b/c"));
}

#[test]
fn a_lock_file_that_leads_elsewhere_is_refused() {
    for (entry, why) in [
        (
            r#""node_modules/../../etc": {"version": "1", "integrity": "sha512-AAAA"}"#,
            "none can have",
        ),
        (
            r#""/etc": {"version": "1", "integrity": "sha512-AAAA"}"#,
            "none can have",
        ),
        (
            r#""elsewhere/a": {"version": "1", "integrity": "sha512-AAAA"}"#,
            "node_modules",
        ),
        (
            r#""node_modules/a": {"name": "../x", "version": "1", "integrity": "sha512-AAAA"}"#,
            "none can have",
        ),
        (
            r#""node_modules/a": {"version": "1?x=", "integrity": "sha512-AAAA"}"#,
            "none can have",
        ),
        (
            r#""node_modules/a": {"version": "1", "integrity": "sha1-AAAA"}"#,
            "SHA-512",
        ),
        (r#""node_modules/a": {"version": "1"}"#, "SHA-512"),
        (r#""node_modules/a": 7"#, "invalid type"),
    ] {
        let lock = format!("{{\"packages\": {{{entry}}}}}");
        let error = wanted(lock.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(why), "{entry}: {error}");
    }
}

/// An archive with these files; links and devices by their kind.
fn archive(files: &[(&str, tar::EntryType)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, kind) in files {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(0o4755);
        header.set_size(if kind.is_file() { 2 } else { 0 });
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        if !kind.is_file() {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        let content: &[u8] = if kind.is_file() { b"ab" } else { b"" };
        tar.append(&header, content).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

#[test]
fn plain_files_of_the_right_digest_are_unpacked_and_nothing_else() {
    let file = tar::EntryType::Regular;
    let archive = archive(&[
        ("package/bin/node", file),
        ("package/../../../../out", file),
        ("package/link", tar::EntryType::Symlink),
        ("package/device", tar::EntryType::Char),
        ("lonely", file),
    ]);
    let package = Wanted {
        name: "node".to_owned(),
        version: "24".to_owned(),
        digest: Sha512::digest(&archive).to_vec(),
        folder: "node_modules/node".into(),
    };
    let tree = tempfile::tempdir().unwrap();
    let unpacked = package
        .unpack(&archive, Path::new(FOLDER), &mut Target::own(tree.path()))
        .unwrap();
    let path = Path::new("usr/lib/node_modules/node/bin/node");
    assert_eq!(unpacked.files, [path]);
    assert_eq!(std::fs::read(tree.path().join(path)).unwrap(), b"ab");
    let wrong = Wanted {
        digest: vec![0; 64],
        ..package
    };
    let error = wrong
        .unpack(&archive, Path::new(FOLDER), &mut Target::own(tree.path()))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("node 24 of npm's registry: what came"),
        "{error}"
    );
}
