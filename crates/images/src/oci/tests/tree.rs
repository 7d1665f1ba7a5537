//! What comes out of layers that nobody could object to, and what is left behind of some.

use super::fixture::{Lab, Stored, Tar, gzip, gzipped, listed, plain, zstd};
use crate::oci::{Dropped, digest_of};
use serde_json::json;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use tar::EntryType;

fn tree(layers: Vec<Tar>) -> Vec<String> {
    let layers: Vec<Stored> = layers
        .into_iter()
        .map(|layer| gzipped(layer.done()))
        .collect();
    let lab = Lab::of(&layers);
    listed(&lab.bring().unwrap().root)
}

#[test]
fn a_tree_has_folders_files_and_links_with_plain_modes() {
    let layer = Tar::new()
        .folder("./", 0o755)
        .folder("tmp/", 0o1777)
        .folder("private", 0o700)
        .mode_file("private/key", 0o600, "secret")
        .mode_file("bin/tool", 0o700, "run")
        .mode_file("bin/su", 0o4750, "run")
        .mode_file("all", 0o666, "write")
        .file("empty", "")
        .symlink("etc", "/usr/etc")
        .hard_link("bin/tool2", "bin/tool");
    let expected = [
        "all 666 write",
        "bin/ 755",
        "bin/su 755 run",
        "bin/tool 755 x2 run",
        "bin/tool2 755 x2 run",
        "empty 644 ",
        "etc -> /usr/etc",
        "private/ 755",
        "private/key 644 secret",
        "tmp/ 1777",
    ];
    assert_eq!(tree(vec![layer]), expected);
}

#[test]
fn what_is_left_behind_is_counted() {
    let layer = Tar::new()
        .entry(EntryType::Char, b"dev/null", b"")
        .entry(EntryType::Block, b"dev/sda", b"")
        .entry(EntryType::Fifo, b"run/pipe", b"")
        .hard_link("run/pipe2", "run/pipe")
        .mode_file("su", 0o4755, "x")
        .mode_file("wall", 0o2755, "x")
        .pax(&[
            ("SCHILY.xattr.security.capability", b"\x01\0\0\x02=\n"),
            ("SCHILY.xattr.user.note", b"x"),
        ])
        .file("ping", "x");
    let lab = Lab::of(&[gzipped(layer.done())]);
    let brought = lab.bring().unwrap();
    let expected = Dropped {
        devices: 2,
        fifos: 2,
        setuid: 2,
        capabilities: 1,
        xattrs: 1,
    };
    assert_eq!(brought.dropped, expected);
    let expected = [
        "dev/ 755",
        "ping 644 x",
        "run/ 755",
        "su 755 x",
        "wall 755 x",
    ];
    assert_eq!(listed(&brought.root), expected);
    assert_eq!((brought.files, brought.bytes), (5, 3));
}

#[test]
fn each_form_of_a_layer_gives_the_same() {
    let archive = Tar::new().file("a/b", "content").done();
    let stored = |bytes: Vec<u8>| Stored {
        bytes,
        ..plain(archive.clone())
    };
    for layer in [
        stored(archive.clone()),
        stored(gzip(&archive)),
        stored(zstd(&archive)),
    ] {
        let lab = Lab::of(&[layer]);
        assert_eq!(
            listed(&lab.bring().unwrap().root),
            ["a/ 755", "a/b 644 content"]
        );
    }
}

#[test]
fn upper_layers_replace_and_whiteouts_hide_what_is_below_them() {
    let below = || {
        Tar::new()
            .file("etc/a", "1")
            .file("etc/b", "1")
            .folder("opt", 0o750)
            .file("opt/x/y", "1")
            .symlink("lib", "usr/lib")
            .file("usr/lib/libc", "1")
            .file("kept", "1")
            .hard_link("kept2", "kept")
    };
    for (above, expected) in [
        // Of one name, and of a folder with all in it.
        (
            Tar::new().file("etc/.wh.a", "").file(".wh.opt", ""),
            "etc/b 1|kept 1|kept2 1|lib ->|usr/lib/libc 1",
        ),
        // Opaque: in either order, what the layer itself adds stays.
        (
            Tar::new()
                .file("etc/new", "2")
                .file("etc/.wh..wh..opq", "")
                .file(".wh.opt", ""),
            "etc/new 2|kept 1|kept2 1|lib ->|usr/lib/libc 1",
        ),
        (
            Tar::new()
                .file("etc/.wh..wh..opq", "")
                .file("etc/new", "2")
                .file(".wh.opt", ""),
            "etc/new 2|kept 1|kept2 1|lib ->|usr/lib/libc 1",
        ),
        // A whiteout of what its own layer adds is of lower layers alone.
        (
            Tar::new()
                .file("opt/x/z", "2")
                .file(".wh.opt", "")
                .file("etc/.wh..wh..opq", ""),
            "kept 1|kept2 1|lib ->|opt/x/z 2|usr/lib/libc 1",
        ),
        // Through a link to a folder, as packages of merged /usr have it.
        (
            Tar::new()
                .file("lib/libm", "2")
                .file("lib/.wh.libc", "")
                .file(".wh.opt", "")
                .file(".wh.etc", ""),
            "kept 1|kept2 1|lib ->|usr/lib/libm 2",
        ),
        // One name of two gets a new file; the other keeps the old.
        (
            Tar::new()
                .file("kept", "2")
                .file(".wh.opt", "")
                .file(".wh.etc", "")
                .file(".wh.usr", ""),
            "kept 2|kept2 1|lib ->",
        ),
        // A file over a folder, a folder over a link, a whiteout of nothing, what aufs keeps for itself.
        (
            Tar::new()
                .file("opt", "2")
                .folder("lib", 0o755)
                .file(".wh.nothing", "")
                .file("no/.wh.nothing", "")
                .file(".wh..wh.plnk/1.2", "")
                .file(".wh.etc", "")
                .file(".wh.usr", ""),
            "kept 1|kept2 1|opt 2",
        ),
        // All of it.
        (Tar::new().file(".wh..wh..opq", ""), ""),
    ] {
        let seen = tree(vec![below(), above]);
        let seen = seen.iter().filter(|line| !line.contains("/ "));
        let seen = seen.map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            format!(
                "{} {}",
                words[0],
                if words[1] == "->" {
                    "->"
                } else {
                    words[words.len() - 1]
                }
            )
        });
        assert_eq!(seen.collect::<Vec<_>>().join("|"), expected);
    }
}

#[test]
fn the_order_of_whiteouts_in_an_archive_does_not_count() {
    let below = || {
        Tar::new()
            .symlink("lib", "usr/lib")
            .file("usr/lib/libc", "1")
    };
    let hidden = |tar: Tar| tar.file(".wh.lib", "");
    let through = |tar: Tar| tar.file("lib/.wh.libc", "");
    for above in [through(hidden(Tar::new())), hidden(through(Tar::new()))] {
        let expected = ["usr/ 755", "usr/lib/ 755", "usr/lib/libc 644 1"];
        assert_eq!(tree(vec![below(), above]), expected);
    }
}

#[test]
fn folders_of_lower_layers_keep_what_is_in_them_and_get_new_modes() {
    let below = Tar::new().folder("a", 0o700).file("a/b", "1");
    let above = Tar::new().folder("a", 0o1777).file("a/c", "2");
    assert_eq!(
        tree(vec![below, above]),
        ["a/ 1777", "a/b 644 1", "a/c 644 2"]
    );
    // Hidden and added anew: what was in it is gone, and its mode.
    let below = Tar::new().folder("a", 0o1777).file("a/b", "1");
    let above = Tar::new().file("a/c", "2").file(".wh.a", "");
    assert_eq!(tree(vec![below, above]), ["a/ 755", "a/c 644 2"]);
}

#[test]
fn names_of_any_bytes_and_of_great_length_come_through() {
    let long = format!("{}/{}", "d".repeat(200), "f".repeat(255));
    let mut gnu = Tar::new().entry(EntryType::Regular, b"a\nb\xff", b"");
    let mut header = tar::Header::new_gnu();
    header.set_size(0);
    header.set_mode(0o644);
    gnu.0.append_data(&mut header, &long, &b""[..]).unwrap();
    let pax = Tar::new()
        .pax(&[("path", long.replace('f', "p").as_bytes())])
        .file("short", "1")
        .pax(&[("linkpath", &[b't'; 1000])])
        .symlink("link", "short");
    let lab = Lab::of(&[gzipped(gnu.done()), gzipped(pax.done())]);
    let root = lab.bring().unwrap().root;
    assert!(root.join(&long).is_file() && root.join(long.replace('f', "p")).is_file());
    assert!(
        root.join(std::ffi::OsStr::from_bytes(b"a\nb\xff"))
            .is_file()
    );
    let target = fs::read_link(root.join("link")).unwrap();
    assert_eq!(target.as_os_str().len(), 1000);
}

#[test]
fn an_archive_gives_what_a_folder_gives() {
    let archive = Tar::new().file("a", "1").done();
    let layer = plain(archive.clone());
    let config = json!({
        "os": "linux", "architecture": "amd64", "config": {"Cmd": ["/a"]},
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id, layer.diff_id]},
    });
    let rows = json!([{"Config": "c.json", "RepoTags": ["docker.io/me/it:1"], "Layers": ["1/layer.tar", "2/layer.tar"]}]);
    let file = Tar::new()
        .file("1/layer.tar", std::str::from_utf8(&archive).unwrap())
        .symlink("2/layer.tar", "../1/layer.tar")
        .file("c.json", &config.to_string())
        .file("manifest.json", &rows.to_string())
        .done();
    let lab = Lab::new();
    fs::write(lab.path("image.tar"), &file).unwrap();
    let path = lab.path("image.tar").display().to_string();
    let brought = lab
        .bring_from(&format!("docker-archive:{path}:me/it:1"))
        .unwrap();
    assert_eq!(listed(&brought.root), ["a 644 1"]);
    assert_eq!(
        (brought.layers, &brought.config.cmd[..]),
        (2, &["/a".to_owned()][..])
    );
    let digest = digest_of(&format!("docker-archive:{path}").parse().unwrap()).unwrap();
    assert_eq!(digest, brought.manifest_digest);
    let error = Lab::new()
        .bring_from(&format!("docker-archive:{path}:other"))
        .unwrap_err();
    assert!(error.to_string().contains("me/it:1"), "{error}");
    // Cut off, without its config, and with a name twice.
    let twice = Tar::new().file("a", "").file("a", "").done();
    for (bytes, why) in [
        (&file[..1000], "ends within"),
        (&file[..0], "is not in it"),
        (&twice, "comes twice"),
        (&gzip(&file), "run gunzip first"),
    ] {
        fs::write(lab.path("image.tar"), bytes).unwrap();
        let error = Lab::new()
            .bring_from(&format!("docker-archive:{path}"))
            .unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn what_is_brought_is_packed() {
    let layer = gzipped(Tar::new().file("a", "1").done());
    let lab = Lab::of(&[layer]);
    let source = format!("oci:{}", lab.path("image").display())
        .parse()
        .unwrap();
    let scratch = lab.path("scratch");
    let brought = crate::oci::bring_and_pack(&source, &scratch, &crate::progress::Silent).unwrap();
    assert_eq!(digest_of(&source).unwrap(), brought.manifest_digest);
    assert!(fs::metadata(scratch.join("image.erofs")).unwrap().len() > 0);
    // Contents were moved, and the spool is gone.
    assert!(!scratch.join("spool").exists());
}
