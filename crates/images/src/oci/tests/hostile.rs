//! Layers that somebody hostile wrote: each is refused with what, where and the bound, or has no effect outside its tree.

use super::fixture::{Lab, Stored, Tar, gzip, gzipped, listed, plain};
use crate::oci::bounds::Bounds;
use tar::{EntryType, Header};

/// What is said of an image of these layers, without the digests in it.
pub(super) fn refusal(layers: Vec<Vec<u8>>) -> String {
    let layers: Vec<Stored> = layers.into_iter().map(gzipped).collect();
    Lab::of(&layers).refusal()
}

fn bounded(layer: Stored, bounds: Bounds) -> String {
    let mut lab = Lab::of(&[layer]);
    lab.bounds = bounds;
    lab.refusal()
}

#[test]
fn what_is_no_archive_or_cut_off_is_refused() {
    let archive = Tar::new()
        .file("a", &"content".repeat(1000))
        .file("b", "")
        .done();
    let whole = gzip(&archive);
    let stored = |bytes: &[u8]| Stored {
        bytes: bytes.to_vec(),
        ..plain(archive.clone())
    };
    let mut damaged = archive.clone();
    damaged[0] ^= 1;
    let mut follows = archive.clone();
    follows.extend(Tar::new().file("c", "").done());
    let lone = [&archive[..archive.len() - 512], &[1; 512]].concat();
    for (layer, expected) in [
        (stored(&[b'x'; 2000]), "is not a tar archive"),
        (stored(b"BZh91AY&SY"), "ends within a header"),
        (stored(b"hello"), "ends within a header"),
        (stored(&whole[..whole.len() / 2]), "ends within"),
        (stored(&whole[..whole.len() - 4]), "ends within"),
        (
            stored(&[&whole[..], b"more than its end"].concat()),
            "cannot be decompressed",
        ),
        (
            stored(&archive[..1024]),
            "entry \"a\": ends within its content",
        ),
        (
            stored(&archive[..700]),
            "entry \"a\": ends within its content",
        ),
        (
            gzipped(damaged),
            "is not a tar archive, plain or compressed by gzip or zstd: a header's checksum does not hold",
        ),
        (gzipped(follows), "something follows the end of its archive"),
        (gzipped(lone), "something follows the end of its archive"),
        // All of it is there, but not what the config promises.
        (
            Stored {
                diff_id: format!("sha256:{}", "0".repeat(64)),
                ..gzipped(archive.clone())
            },
            "not the diff_id sha256:0000",
        ),
    ] {
        let error = Lab::of(&[layer]).refusal();
        assert!(error.starts_with("layer 1 of 1"), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn kinds_that_no_layer_has_are_refused() {
    let kind = |kind: u8| Tar::new().entry(EntryType::new(kind), b"a", b"").done();
    let mut full = Tar::new();
    full.append((EntryType::Directory, 0o755), (b"a", b""), b"content");
    let mut header = Header::new_gnu();
    header.set_size(0);
    header.as_gnu_mut().unwrap().mode = *b"not octa";
    header.set_cksum();
    let mut odd = Tar::new();
    odd.0.append(&header, &b""[..]).unwrap();
    for (layer, expected) in [
        (kind(b'S'), "it is a sparse file"),
        (
            Tar::new()
                .pax(&[("GNU.sparse.major", b"1")])
                .file("a", "")
                .done(),
            "it is a sparse file",
        ),
        // No kind of POSIX: what some writers mean by a socket.
        (kind(b's'), "its kind 's' is none of layers"),
        (kind(b'V'), "its kind 'V' is none of layers"),
        (full.done(), "7 bytes of content where there can be none"),
        (odd.done(), "no number as its mode"),
    ] {
        let error = refusal(vec![layer]);
        assert!(error.contains(expected), "{error}");
    }
}

/// An extended header of a kind, whose bytes need not be one.
fn extended(kind: u8, content: &[u8]) -> Tar {
    let mut tar = Tar::new();
    tar.append((EntryType::new(kind), 0o644), (b"x", b""), content);
    tar
}

#[test]
fn extended_headers_are_small_and_whole() {
    let large = vec![b'x'; (1 << 20) + 1];
    for (layer, expected) in [
        (
            extended(b'x', &large),
            "an extended header of 1048577 bytes, more than the bound of 1048576",
        ),
        (
            extended(b'L', &large),
            "an extended header of 1048577 bytes",
        ),
        (
            extended(b'K', &large),
            "an extended header of 1048577 bytes",
        ),
        (
            extended(b'g', &large),
            "an extended header of 1048577 bytes",
        ),
        (
            extended(b'x', b"999 path=a\n"),
            "its extended header (PAX) is malformed",
        ),
        (
            extended(b'x', b"10 path=a\n"),
            "ends within an extended header",
        ),
        (extended(b'L', b"name\0"), "ends within an extended header"),
        (
            extended(b'g', b"10 path=a\n").file("b", ""),
            "a global header names a path",
        ),
        (
            extended(b'x', b"30 size=99999999999999999999\n").file("b", ""),
            "malformed",
        ),
        (
            extended(b'x', b"28 size=9999999999999999999\n").file("b", ""),
            "a file of 9999999999999999999 bytes",
        ),
        (
            extended(b'x', b"19 size=9999999999\n").file("b", ""),
            "a file of 9999999999 bytes, more than the bound of 5368709120",
        ),
    ] {
        let error = refusal(vec![layer.done()]);
        assert!(error.contains(expected), "{error}");
    }
    // One that says nothing of names, and one that nobody reads twice.
    let layer = extended(b'g', b"13 comment=a\n").file("b", "1");
    let lab = Lab::of(&[gzipped(layer.done())]);
    assert_eq!(listed(&lab.bring().unwrap().root), ["b 644 1"]);
}

#[test]
fn headers_without_files_are_counted() {
    let mut bomb = Tar::new();
    for _ in 0..200 {
        bomb = bomb.pax(&[("comment", b"x")]);
    }
    let bounds = Bounds {
        entries: 100,
        ..Bounds::default()
    };
    let error = bounded(gzipped(bomb.done()), bounds);
    assert!(
        error.contains("more entries in its layers, more than the bound of 100"),
        "{error}"
    );
}

#[test]
fn what_grows_beyond_its_bounds_is_stopped() {
    let zeros = "\0".repeat(1 << 20);
    let many =
        |count: usize| (0..count).fold(Tar::new(), |tar, at| tar.file(&format!("f{at}"), ""));
    let default = Bounds::default();
    for (layer, bounds, expected) in [
        // Each file within the bound, both not.
        (
            Tar::new().file("a", &zeros).file("b", &zeros),
            Bounds {
                unpacked_bytes: 3 << 19,
                ..default
            },
            "more bytes when unpacked, more than the bound of 1572864",
        ),
        (
            many(50),
            Bounds {
                entries: 20,
                ..default
            },
            "more entries in its layers",
        ),
        (
            many(50),
            Bounds {
                files: 20,
                ..default
            },
            "more files, more than the bound of 20",
        ),
        // Folders that no entry names are made as well.
        (
            Tar::new().file(&"d/".repeat(40), ""),
            Bounds {
                files: 20,
                ..default
            },
            "more files, more than the bound of 20",
        ),
        (
            many(50),
            Bounds {
                text_bytes: 20,
                ..default
            },
            "more bytes of names",
        ),
        (
            many(2),
            Bounds {
                compressed_bytes: 20,
                ..default
            },
            "bytes of layers, more than the bound of 20",
        ),
    ] {
        let error = bounded(gzipped(layer.done()), bounds);
        assert!(error.contains(expected), "{error}");
    }
    let layers = vec![gzipped(Tar::new().done()); 128];
    let error = Lab::of(&layers).refusal();
    assert!(
        error.contains("128 layers, more than the bound of 127"),
        "{error}"
    );
}

#[test]
fn ten_gib_of_zeros_in_ten_mib_are_refused_before_one_is_written() {
    // One file that says how large it is; what follows its header is never unpacked.
    let mut header = Header::new_gnu();
    header.set_path("zeros").unwrap();
    header.set_size(10 << 30);
    header.set_mode(0o644);
    header.set_cksum();
    let mib = gzip(&vec![0; 1 << 20]);
    let bytes = [gzip(header.as_bytes()), mib.repeat(10 << 10)].concat();
    let layer = Stored {
        bytes,
        ..plain(Vec::new())
    };
    let error = bounded(layer, Bounds::default());
    let expected = "a file of 10737418240 bytes, more than the bound of 5368709120";
    assert!(error.contains(expected), "{error}");
}

/// Several seconds without optimisation: `cargo test --release -p images --lib -- --ignored million`.
#[test]
#[ignore = "writes out what the bounds allow"]
fn a_million_empty_files_are_refused() {
    let one = Tar::new().file("a/file", "").done();
    let archive = one[..512].repeat(1_000_000);
    let error = Lab::of(&[gzipped(archive)]).refusal();
    assert!(
        error.contains("more entries in its layers, more than the bound of 400000"),
        "{error}"
    );
}
