//! Installing from a local HTTP server and from a file; whatever fails, nothing is left.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use flate2::{Compression, write::GzEncoder};
use setup::{Release, SetupError, Source, install};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A release archive with these members, a file each that holds its own name.
fn archive(members: &[&str]) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for name in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(name.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder
            .append_data(&mut header, name, name.as_bytes())
            .unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

const MEMBERS: &[&str] = &[
    "release-v9.9.9-x86_64/LICENSE",
    "release-v9.9.9-x86_64/firecracker-v9.9.9-x86_64.debug",
    "release-v9.9.9-x86_64/firecracker-v9.9.9-x86_64",
    "release-v9.9.9-x86_64/jailer-v9.9.9-x86_64",
];

fn release(url: String, archive: &[u8]) -> Release {
    Release {
        version: "9.9.9".into(),
        arch: "x86_64".into(),
        url,
        sha256: hex::encode(Sha256::digest(archive)),
    }
}

/// An HTTP server on loopback that answers one request; returns the address of its one file.
fn serve(status: &'static str, length: usize, body: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let _ = stream.write_all(&body);
    });
    format!("http://{address}/firecracker.tgz")
}

fn left_in(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_release_is_installed_from_the_network() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = archive(MEMBERS);
    let release = release(serve("200 OK", bytes.len(), bytes.clone()), &bytes);
    let installed = install(&release, Source::Network, dir.path()).unwrap();
    assert_eq!(left_in(dir.path()), ["firecracker", "jailer"]);
    let text = std::fs::read_to_string(&installed.jailer).unwrap();
    assert_eq!(text, "release-v9.9.9-x86_64/jailer-v9.9.9-x86_64");
    let mode = installed
        .firecracker
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o755);
}

#[test]
fn a_release_is_installed_from_a_file_and_replaces_an_older_one() {
    let dir = tempfile::tempdir().unwrap();
    let (file, into) = (dir.path().join("fc.tgz"), dir.path().join("engines"));
    let bytes = archive(MEMBERS);
    std::fs::write(&file, &bytes).unwrap();
    std::fs::create_dir(&into).unwrap();
    std::fs::write(into.join("firecracker"), "old").unwrap();
    let release = release("http://127.0.0.1:9/".into(), &bytes);
    let installed = install(&release, Source::File(&file), &into).unwrap();
    assert_ne!(std::fs::read(installed.firecracker).unwrap(), b"old");
    assert_eq!(left_in(&into), ["firecracker", "jailer"]);
}

#[test]
fn another_digest_is_refused_and_nothing_is_left() {
    let bytes = archive(MEMBERS);
    let mut changed = bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    for from_network in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let (file, into) = (dir.path().join("fc.tgz"), dir.path().join("engines"));
        std::fs::write(&file, &changed).unwrap();
        let source = match from_network {
            true => Source::Network,
            false => Source::File(&file),
        };
        let release = release(serve("200 OK", changed.len(), changed.clone()), &bytes);
        let error = install(&release, source, &into).unwrap_err();
        assert!(matches!(&error, SetupError::Mismatch { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.contains(&release.sha256) && text.contains(&hex::encode(Sha256::digest(&changed)))
        );
        assert!(left_in(&into).is_empty());
    }
}

#[test]
fn a_download_that_fails_says_so_and_nothing_is_left() {
    let bytes = archive(MEMBERS);
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    for (url, what) in [
        (serve("404 Not Found", 0, Vec::new()), "404"),
        (
            serve("200 OK", bytes.len(), bytes[..100].to_vec()),
            "cut short",
        ),
        (closed, "nobody listens"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let error = install(&release(url, &bytes), Source::Network, dir.path()).unwrap_err();
        assert!(
            matches!(&error, SetupError::Unreachable { .. }),
            "{what}: {error}"
        );
        assert!(left_in(dir.path()).is_empty(), "{what}");
    }
}

#[test]
fn an_archive_without_both_programs_is_refused_and_nothing_is_left() {
    for members in [&MEMBERS[..3], &MEMBERS[..2], &[]] {
        let dir = tempfile::tempdir().unwrap();
        let (file, into) = (dir.path().join("fc.tgz"), dir.path().join("engines"));
        let bytes = archive(members);
        std::fs::write(&file, &bytes).unwrap();
        let release = release(String::new(), &bytes);
        let error = install(&release, Source::File(&file), &into).unwrap_err();
        assert!(matches!(&error, SetupError::NotAnArchive { .. }), "{error}");
        assert!(left_in(&into).is_empty());
    }
}

#[test]
fn an_endless_download_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let length = 65 << 20;
    let url = serve("200 OK", length, vec![0; length]);
    let error = install(&release(url, b""), Source::Network, dir.path()).unwrap_err();
    assert!(matches!(&error, SetupError::TooLong { .. }), "{error}");
    assert!(left_in(dir.path()).is_empty());
}
