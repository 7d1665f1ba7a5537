use super::*;
use std::io::Write;
use zip::write::SimpleFileOptions;

fn pinned(sha256: &str) -> Pinned {
    Pinned {
        name: "n".to_owned(),
        version: "1".to_owned(),
        sha256: [sha256.to_owned()].into(),
    }
}

fn file(filename: &str, sha256: &str) -> File {
    File {
        filename: filename.to_owned(),
        url: String::new(),
        hashes: [("sha256".to_owned(), sha256.to_owned())].into(),
    }
}

#[test]
fn a_file_must_be_in_the_lock_and_of_use_to_guests() {
    let files = [
        file("n-1-py3-none-any.whl", "a"),
        file("n-1-cp313-cp313-win_amd64.whl", "b"),
    ];
    assert_eq!(
        chosen(&files, &pinned("a")).unwrap().filename,
        "n-1-py3-none-any.whl"
    );
    let error = chosen(&files, &pinned("b")).err().unwrap();
    assert!(error.contains("no wheel for cp313"), "{error}");
    let error = chosen(&files, &pinned("c")).err().unwrap();
    assert!(error.contains("no file of a digest"), "{error}");
}

#[test]
fn a_wheel_is_unpacked_with_its_programs_and_without_what_leads_elsewhere() {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in [
        ("n/__init__.py", "x = 1\n"),
        (
            "n-1.dist-info/entry_points.txt",
            "[console_scripts]\ntool = n:main\n",
        ),
        ("n-1.data/scripts/other", "#!python\nprint()\n"),
        ("../../../../etc/out", "no"),
    ] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    let digest = crate::digest::sha256(&bytes);
    let tree = tempfile::tempdir().unwrap();
    let package = pinned(&digest);
    let wheel = Wheel::of(bytes.clone(), &digest).unwrap();
    let unpacked = wheel
        .unpack(&mut Target::own(tree.path()), &package)
        .unwrap();
    assert_eq!(unpacked.files.len(), 4, "{:?}", unpacked.files);
    let read = |path: &str| std::fs::read_to_string(tree.path().join(path)).unwrap();
    assert_eq!(
        read("usr/lib/python3/dist-packages/n/__init__.py"),
        "x = 1\n"
    );
    assert!(
        read("usr/bin/tool").starts_with("#!/usr/bin/python3\nimport sys\nfrom n import main\n")
    );
    assert_eq!(read("usr/bin/other"), "#!/usr/bin/python3\nprint()\n");
    assert!(Wheel::of(bytes, &"0".repeat(64)).is_err());
    let broken = Wheel::of(b"PK".to_vec(), &crate::digest::sha256(b"PK")).unwrap();
    assert!(
        broken
            .unpack(&mut Target::own(tree.path()), &package)
            .unwrap_err()
            .to_string()
            .contains("no wheel")
    );
}
