//! Wheels of somebody who means harm: what of them is written, and what is not.

use super::*;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;

const SITE: &str = "usr/local/lib/python3.13/dist-packages";

/// An entry's name, permissions and content.
type Entry<'a> = (&'a str, u32, &'a [u8]);

fn wheel_of(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, mode, content) in entries {
        let options = SimpleFileOptions::default().unix_permissions(*mode);
        if mode & 0o170_000 == 0o120_000 {
            let target = std::str::from_utf8(content).unwrap();
            zip.add_symlink(*name, target, options).unwrap();
            continue;
        }
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

struct Fixture {
    /// The tree is in it, beside what nobody may touch.
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tree")).unwrap();
        fs::write(folder.path().join("canary"), "alive").unwrap();
        Fixture { folder }
    }

    fn tree(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    fn unpack(&self, bytes: Vec<u8>, max_mib: u64) -> Result<Vec<PathBuf>, ImageError> {
        let sha256 = crate::digest::sha256(&bytes);
        let package = Pinned {
            name: "n".to_owned(),
            version: "1".to_owned(),
            sha256: [sha256.clone()].into(),
        };
        let of_image = |path: &Path| {
            let taken = ["usr/bin/python3", "usr/bin/sh", "usr/share/zoneinfo/UTC"];
            taken.iter().any(|one| path == Path::new(one))
        };
        let tree = self.tree();
        let mut target = Target::asked(&tree, &of_image, max_mib);
        let unpacked = Wheel::of(bytes, &sha256)
            .unwrap()
            .unpack(&mut target, &package);
        let around = fs::read_dir(self.folder.path()).unwrap().count();
        assert_eq!(around, 2, "something is beside the tree");
        assert_eq!(
            fs::read(self.folder.path().join("canary")).unwrap(),
            b"alive"
        );
        unpacked.map(|unpacked| unpacked.files)
    }

    /// All files of the tree.
    fn written(&self) -> Vec<String> {
        let entries = walkdir::WalkDir::new(self.tree()).sort_by_file_name();
        let files = entries
            .into_iter()
            .map(Result::unwrap)
            .filter(|entry| !entry.file_type().is_dir());
        files
            .map(|entry| {
                entry
                    .path()
                    .strip_prefix(self.tree())
                    .unwrap()
                    .display()
                    .to_string()
            })
            .collect()
    }
}

#[test]
fn nothing_is_written_but_where_packages_belong() {
    let long = "a/".repeat(3000) + "x";
    for name in [
        "../canary",
        "../../../../../../../../tmp/out",
        "/tmp/out",
        "a/../../canary",
        "./../canary",
        "..\\canary",
        "n\n.py",
        "n-1.data/data/../../../canary",
        "n-1.data/scripts/../../../canary",
        "n-1.data/purelib/../../../../../../canary",
        "n-1.data/headers/n.h",
        "n-1.data/unknown/x",
        "n-1.data/data/x",
        "n-1.data/data/bin/sh",
        "n-1.data/data/sbin/init",
        "n-1.data/data/lib64/ld-linux-x86-64.so.2",
        "n-1.data/data/lib/python3/dist-packages/../../../../x",
        "n-1.data/data/lib/python3.13/os.py",
        "n-1.data/data/lib/x86_64-linux-gnu/libc.so.6",
        "n-1.data/data/share/zoneinfo/UTC",
        "n-1.data/scripts/python3",
        "n-1.data/scripts/sh",
        &long,
    ] {
        let fixture = Fixture::new();
        // Passed over or refused: either leaves nothing.
        let _ = fixture.unpack(wheel_of(&[(name, 0o644, b"x")]), 1);
        assert_eq!(fixture.written(), Vec::<String>::new(), "{name:.80}");
    }
}

#[test]
fn programs_of_the_image_stay_and_others_come() {
    let fixture = Fixture::new();
    let entry_points =
        b"[console_scripts]\npython3 = n:main\nsh = n:main\n../up = n:main\nn = n:main\n";
    let files = fixture.unpack(
        wheel_of(&[
            ("n-1.dist-info/entry_points.txt", 0o644, entry_points),
            (
                "n/data/entry_points.txt",
                0o644,
                b"[console_scripts]\nevil = n:main\n",
            ),
            (
                "n/x.dist-info/entry_points.txt",
                0o644,
                b"[console_scripts]\nevil = n:main\n",
            ),
            ("n-1.data/scripts/tool", 0o6755, b"#!python\nx"),
            ("n-1.data/scripts/short", 0o644, b"#!py"),
        ]),
        1,
    );
    assert_eq!(files.unwrap().len(), 6);
    let programs: Vec<String> = fixture
        .written()
        .into_iter()
        .filter(|file| file.starts_with("usr/bin"))
        .collect();
    assert_eq!(programs, ["usr/bin/n", "usr/bin/short", "usr/bin/tool"]);
    let tool = fixture.tree().join("usr/bin/tool");
    assert_eq!(fs::read(&tool).unwrap(), b"#!/usr/bin/python3\nx");
    assert_eq!(
        tool.metadata().unwrap().permissions().mode() & 0o7777,
        0o755,
        "no setuid"
    );
    assert_eq!(
        fs::read(fixture.tree().join("usr/bin/short")).unwrap(),
        b"#!py"
    );
}

#[test]
fn a_link_is_neither_made_nor_followed() {
    let fixture = Fixture::new();
    let files = fixture.unpack(
        wheel_of(&[
            ("n/link", 0o120_777, b"../../../../../canary"),
            ("n/link/x", 0o644, b"x"),
        ]),
        1,
    );
    assert_eq!(files.unwrap(), [Path::new(SITE).join("n/link/x")]);
    // As Debian's `usr/lib/ssl/certs` is one into `/etc`.
    let fixture = Fixture::new();
    fs::create_dir_all(fixture.tree().join("usr/lib")).unwrap();
    std::os::unix::fs::symlink(fixture.folder.path(), fixture.tree().join("usr/lib/ssl")).unwrap();
    let left = fixture.unpack(
        wheel_of(&[("n-1.data/data/lib/ssl/canary", 0o644, b"x")]),
        1,
    );
    assert!(
        left.is_ok_and(|files| files.is_empty()),
        "it is there, so it stays"
    );
    let error = fixture
        .unpack(wheel_of(&[("n-1.data/data/lib/ssl/new", 0o644, b"x")]), 1)
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("n 1 of PyPI: usr/lib/ssl leads through a link"),
        "{error}"
    );
}

#[test]
fn bombs_end_at_the_bound() {
    let zeros = vec![0; 64 << 20];
    let fixture = Fixture::new();
    let error = fixture
        .unpack(wheel_of(&[("n/zeros", 0o644, &zeros)]), 1)
        .unwrap_err();
    assert!(error.to_string().contains("more bytes or files"), "{error}");
    let written = fixture
        .tree()
        .join(SITE)
        .join("n/zeros")
        .metadata()
        .unwrap()
        .len();
    assert_eq!(written, (1 << 20) + 1);
    let names: Vec<String> = (0..500).map(|number| format!("n/{number}")).collect();
    let many: Vec<Entry<'_>> = names
        .iter()
        .map(|name| (name.as_str(), 0o644, &b""[..]))
        .collect();
    let error = Fixture::new().unpack(wheel_of(&many), 1).unwrap_err();
    assert!(error.to_string().contains("more bytes or files"), "{error}");
    let error = Fixture::new()
        .unpack(
            wheel_of(&[("n-1.dist-info/entry_points.txt", 0o644, &zeros)]),
            1,
        )
        .unwrap_err();
    assert!(error.to_string().contains("entry points"), "{error}");
}

#[test]
fn what_a_wheel_says_of_itself_counts_for_nothing() {
    let fixture = Fixture::new();
    let record = b"../../../../../canary,sha256=x,1\n/etc/passwd,,\nn.py,sha256=wrong,999\n";
    let files = fixture.unpack(
        wheel_of(&[
            ("n-1.dist-info/RECORD", 0o644, record),
            (
                "n-1.dist-info/METADATA",
                0o644,
                b"Name: other\nVersion: 9\n",
            ),
            ("n.py", 0o644, b"x"),
        ]),
        1,
    );
    assert_eq!(files.unwrap().len(), 3);
    // Sizes that headers claim are not believed, nor is a cut file.
    let mut lying = wheel_of(&[("n.py", 0o644, &[7; 5000])]);
    let found = lying
        .windows(4)
        .rposition(|four| four == 5000u32.to_le_bytes());
    lying[found.unwrap()..][..4].copy_from_slice(&1u32.to_le_bytes());
    let _ = Fixture::new().unpack(lying, 1);
    let whole = wheel_of(&[("n.py", 0o644, &[7; 5000])]);
    for length in [0, 1, 30, whole.len() / 2, whole.len() - 1] {
        assert!(
            Fixture::new().unpack(whole[..length].to_vec(), 1).is_err(),
            "{length}"
        );
    }
}

#[test]
fn one_of_two_files_of_a_name_is_written() {
    // A folder and a file of one name.
    let fixture = Fixture::new();
    let result = fixture.unpack(wheel_of(&[("n", 0o644, b"x"), ("n/x", 0o644, b"x")]), 1);
    assert!(result.unwrap_err().to_string().contains("no folder"));
    let fixture = Fixture::new();
    let result = fixture.unpack(wheel_of(&[("n/x", 0o644, b"x"), ("n", 0o644, b"x")]), 1);
    assert!(result.is_err());
}
