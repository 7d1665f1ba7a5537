//! Names and links that somebody hostile wrote: refused, or without effect outside their tree.

use super::fixture::{Lab, Tar, gzipped, listed};
use super::hostile::refusal;
use tar::EntryType;

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let file = |name: &str| Tar::new().entry(EntryType::Regular, name.as_bytes(), b"");
    let pax = |name: &[u8]| Tar::new().pax(&[("path", name)]).file("a", "");
    let deep = "d/".repeat(300);
    for (layer, expected) in [
        (file("../a"), r#"entry "../a": its name has a "..""#),
        (
            file("a/../../b"),
            r#"entry "a/../../b": its name has a "..""#,
        ),
        (file("/etc"), r#"entry "/etc": its name is absolute"#),
        (pax(b"/etc"), r#"entry "/etc": its name is absolute"#),
        (pax(b"a\0b"), r#"entry "a\x00b": its name has a NUL byte"#),
        (
            pax(&[b'n'; 65536]),
            "a path of 65536 bytes, more than the bound of 4095",
        ),
        (
            pax(&[b'n'; 256]),
            "a name of 256 bytes, more than the bound of 255",
        ),
        (
            pax(deep.as_bytes()),
            "a depth of 300, more than the bound of 256",
        ),
        (
            pax(&b"d/".repeat(10_000)),
            "a path of 20000 bytes, more than the bound of 4095",
        ),
        (file(""), "the root is to be a folder"),
        (file("a/.wh."), "it is a whiteout of no name"),
        (file(".wh..."), "it is a whiteout of no name"),
        (file(".wh.a/b"), "it is inside a whiteout"),
        (Tar::new().symlink("a", ""), "its target is empty"),
        (
            Tar::new()
                .pax(&[("linkpath", &[b't'; 5000])])
                .symlink("a", "b"),
            "a link's target of 5000 bytes, more than the bound of 4095",
        ),
    ] {
        let error = refusal(vec![layer.done()]);
        assert!(error.starts_with("layer 1 of 1, entry "), "{error}");
        assert!(error.contains(expected), "{error}");
        // However long a name was, what is said of it is a line.
        assert!(error.len() < 500 && !error.contains('\n'), "{error}");
    }
}

#[test]
fn depth_by_links_is_bounded_as_well() {
    // Each link leads a hundred folders down: three of them pass what one name cannot.
    let deep = "d/".repeat(100);
    let layer = Tar::new()
        .pax(&[("linkpath", deep.as_bytes())])
        .symlink("a", "x")
        .pax(&[
            ("path", format!("{deep}b").as_bytes()),
            ("linkpath", deep.as_bytes()),
        ])
        .symlink("b", "x")
        .pax(&[("path", format!("a/b/{deep}file").as_bytes())])
        .file("file", "");
    let error = refusal(vec![layer.done()]);
    assert!(
        error.contains("a depth of 301, more than the bound of 256"),
        "{error}"
    );
}

#[test]
fn links_lead_nowhere_but_inside_the_tree() {
    // Out by a link, then a file through it: it arrives where the guest would see it.
    let layer = Tar::new()
        .symlink("out", "/etc")
        .file("out/passwd", "mine")
        .symlink("up", "../../../../../../tmp")
        .file("up/here", "mine");
    let lab = Lab::of(&[gzipped(layer.done())]);
    let seen = listed(&lab.bring().unwrap().root);
    let expected = [
        "etc/ 755",
        "etc/passwd 644 mine",
        "out -> /etc",
        "tmp/ 755",
        "tmp/here 644 mine",
        "up -> ../../../../../../tmp",
    ];
    assert_eq!(seen, expected);
    for (layer, expected) in [
        (
            Tar::new()
                .symlink("a", "b")
                .symlink("b", "a")
                .file("a/c", ""),
            "too many links lead to it",
        ),
        (
            Tar::new().symlink("a", "a/a").file("a/c", ""),
            "too many links lead to it",
        ),
        (
            Tar::new().file("a", "").file("a/b", ""),
            "\"a\" above it is no folder",
        ),
        (
            Tar::new().hard_link("a", "../../etc/passwd"),
            "a hard link to \"../../etc/passwd\"",
        ),
        (
            Tar::new().hard_link("a", "/etc/passwd"),
            "a hard link to \"/etc/passwd\"",
        ),
        (
            Tar::new().hard_link("a", "etc/passwd"),
            "\"etc/passwd\", which is not there",
        ),
        (Tar::new().hard_link("a", "a"), "\"a\", which is not there"),
        (Tar::new().hard_link("a", "./"), "a hard link to the root"),
        (
            Tar::new().folder("d", 0o755).hard_link("a", "d"),
            "\"d\", a folder",
        ),
        (
            Tar::new()
                .symlink("out", "/etc")
                .hard_link("a", "out/passwd"),
            "\"out/passwd\", which is not there",
        ),
    ] {
        let error = refusal(vec![layer.done()]);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_hard_link_is_held_against_the_tree_as_it_is_then() {
    let below = Tar::new().file("a", "1").done();
    let above = Tar::new().file(".wh.a", "").hard_link("b", "a").done();
    let error = refusal(vec![below, above]);
    let expected = r#"layer 2 of 2, entry "b": a hard link to "a", which is not there"#;
    assert_eq!(error, expected);
}

#[test]
fn duplicate_entries_count_in_order() {
    let layer = Tar::new()
        .file("a", "1")
        .folder("a", 0o755)
        .file("a/b", "2")
        .file("a/b", "3")
        .folder("a", 0o711);
    let lab = Lab::of(&[gzipped(layer.done())]);
    assert_eq!(listed(&lab.bring().unwrap().root), ["a/ 755", "a/b 644 3"]);
}
