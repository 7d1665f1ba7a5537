//! Archives of npm's registry of somebody who means harm: what of them is written, and what is not.

use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use tar::EntryType;

/// A header as it is given, whatever `tar` would say of it, and its content.
fn append(tar: &mut tar::Builder<impl Write>, name: &str, kind: EntryType, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o6755);
    header.set_size(content.len() as u64);
    header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
    if kind.is_symlink() || kind.is_hard_link() {
        header.as_gnu_mut().unwrap().linkname[..16].copy_from_slice(b"../../../canary\0");
    }
    header.set_cksum();
    tar.append(&header, content).unwrap();
}

fn archive(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, kind, content) in entries {
        append(&mut tar, name, *kind, content);
    }
    tar.into_inner().unwrap().finish().unwrap()
}

/// Unpacks into a tree of one MiB, beside which nobody may write, and says what is in it.
fn unpack(archive: &[u8]) -> Result<Vec<String>, ImageError> {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    fs::create_dir(&tree).unwrap();
    fs::write(folder.path().join("canary"), "alive").unwrap();
    let package = Wanted {
        name: "n".to_owned(),
        version: "1".to_owned(),
        digest: Sha512::digest(archive).to_vec(),
        folder: "node_modules/n".into(),
    };
    let of_image = |_: &Path| false;
    let mut target = Target::asked(&tree, &of_image, 1);
    let unpacked = package.unpack(archive, Path::new(""), &mut target);
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        2,
        "something is beside the tree"
    );
    assert_eq!(fs::read(folder.path().join("canary")).unwrap(), b"alive");
    let mut written = Vec::new();
    for entry in walkdir::WalkDir::new(&tree).sort_by_file_name() {
        let entry = entry.unwrap();
        let metadata = entry.path().symlink_metadata().unwrap();
        assert!(metadata.is_dir() || metadata.is_file(), "{entry:?}");
        assert_eq!(metadata.permissions().mode() & 0o7000, 0, "{entry:?}");
        if metadata.is_file() {
            written.push(
                entry
                    .path()
                    .strip_prefix(&tree)
                    .unwrap()
                    .display()
                    .to_string(),
            );
        }
    }
    unpacked.map(|_| written)
}

#[test]
fn nothing_is_written_but_in_the_packages_folder() {
    let file = EntryType::Regular;
    for (name, kind) in [
        ("package/../../../../canary", file),
        ("/tmp/out", EntryType::Symlink),
        ("package/..", file),
        ("lonely", file),
        ("package/link", EntryType::Symlink),
        ("package/hard", EntryType::Link),
        ("package/device", EntryType::Char),
        ("package/disk", EntryType::Block),
        ("package/fifo", EntryType::Fifo),
    ] {
        let content: &[u8] = if kind.is_file() { b"x" } else { b"" };
        let written = unpack(&archive(&[(name, kind, content)])).unwrap();
        assert_eq!(written, Vec::<String>::new(), "{name}");
    }
    // The first part, whatever it is, is the archive's own.
    let written = unpack(&archive(&[
        ("/tmp/out", file, b"x"),
        ("package/a/b", file, b"x"),
    ]))
    .unwrap();
    assert_eq!(written, ["node_modules/n/a/b", "node_modules/n/tmp/out"]);
}

#[test]
fn a_file_goes_through_no_link() {
    let archive = archive(&[
        ("package/d", EntryType::Symlink, b""),
        ("package/d/canary", EntryType::Regular, b"x"),
    ]);
    assert_eq!(unpack(&archive).unwrap(), ["node_modules/n/d/canary"]);
}

#[test]
fn bombs_end_at_the_bound() {
    let file = EntryType::Regular;
    let zeros = vec![0; 64 << 20];
    let large = vec![b'a'; 1 << 20];
    let names: Vec<String> = (0..500).map(|number| format!("package/{number}")).collect();
    let many: Vec<(&str, EntryType, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), file, &b""[..]))
        .collect();
    for (entries, why) in [
        (
            vec![
                ("package/zeros", EntryType::GNULongName, &large[..]),
                ("package/x", file, b"x"),
            ],
            "longer names",
        ),
        (
            vec![
                ("package/x", EntryType::XHeader, &large),
                ("package/x", file, b"x"),
            ],
            "longer names",
        ),
        (
            vec![("package/x", EntryType::XGlobalHeader, &large)],
            "longer names",
        ),
        (
            vec![
                ("package/x", EntryType::GNULongLink, &large),
                ("package/x", EntryType::Symlink, b""),
            ],
            "longer names",
        ),
        (many, "more bytes or files"),
    ] {
        let error = unpack(&archive(&entries)).unwrap_err();
        assert!(error.to_string().contains(why), "{why}: {error}");
    }
    // In a MiB with the headers' share, or beyond both.
    let little_too_much =
        unpack(&archive(&[("package/zeros", file, &zeros[..2 << 20])])).unwrap_err();
    assert!(
        little_too_much.to_string().contains("more bytes or files"),
        "{little_too_much}"
    );
    assert!(unpack(&archive(&[("package/zeros", file, &zeros)])).is_err());
}

#[test]
fn what_is_cut_or_none_is_refused() {
    let whole = archive(&[("package/x", EntryType::Regular, &[7; 5000])]);
    for length in [1, 10, whole.len() / 2] {
        assert!(unpack(&whole[..length]).is_err(), "{length}");
    }
    assert!(unpack(b"not an archive").is_err());
}

#[test]
fn packages_for_other_systems_are_left_out() {
    for (fields, wanted_here) in [
        (r#""os": ["!win32"]"#, true),
        (r#""os": ["!linux"]"#, false),
        (r#""os": ["linux", "darwin"]"#, true),
        (r#""cpu": "x64", "libc": ["musl"]"#, false),
        (r#""libc": ["glibc"]"#, true),
        (r#""cpu": ["any"]"#, true),
    ] {
        let lock = format!(
            r#"{{"packages": {{"node_modules/a": {{"version": "1", "integrity": "sha1-x sha512-AAAA", {fields}}}}}}}"#
        );
        assert_eq!(
            wanted(lock.as_bytes()).unwrap().len(),
            usize::from(wanted_here),
            "{fields}"
        );
    }
}

#[test]
fn no_link_of_the_image_below_is_read_for_a_licence() {
    let folder = tempfile::tempdir().unwrap();
    let (tree, outside) = (folder.path().join("tree"), folder.path().join("secret"));
    fs::write(&outside, r#"{"license": "of the host"}"#).unwrap();
    let own = tree.join("node_modules/n");
    fs::create_dir_all(&own).unwrap();
    std::os::unix::fs::symlink(&outside, own.join("package.json")).unwrap();
    let licence = |archive: &[u8]| {
        let package = Wanted {
            name: "n".to_owned(),
            version: "1".to_owned(),
            digest: Sha512::digest(archive).to_vec(),
            folder: "node_modules/n".into(),
        };
        let mut target = Target::own(&tree);
        let unpacked = package.unpack(archive, Path::new(""), &mut target);
        unpacked.unwrap().licence
    };
    let index = ("package/index.js", EntryType::Regular, &b"1"[..]);
    assert_eq!(licence(&archive(&[index])), "");
    let description = (
        "package/package.json",
        EntryType::Regular,
        &br#"{"license": "MIT"}"#[..],
    );
    assert_eq!(licence(&archive(&[index, description])), "MIT");
    assert_eq!(
        fs::read(&outside).unwrap(),
        br#"{"license": "of the host"}"#
    );
}
