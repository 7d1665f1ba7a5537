//! What images are made of, and images by the tools that others make them with.

use crate::tools::{Lab, not_run};
use std::fs::{self, Permissions, copy, create_dir_all, hard_link, write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use tar::{Builder, EntryType, Header};

/// An image in the folder `images` of a lab.
pub struct Made {
    /// Its tag.
    pub name: &'static str,
    pub layers: usize,
    /// Entries of its tree, at least.
    pub entries: usize,
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A new image without layers; gives its name for `umoci`.
pub fn new_image(lab: &Lab, tag: &str) -> String {
    let folder = lab.path("images").display().to_string();
    if !lab.path("images").exists() {
        lab.run("umoci", &["init", "--layout", &folder]);
    }
    let image = format!("{folder}:{tag}");
    lab.run("umoci", &["new", "--image", &image]);
    image
}

/// Changes an image's tree, which becomes a layer with what whiteouts that takes.
fn layer(lab: &Lab, image: &str, change: impl FnOnce(&Path)) {
    let bundle = lab.path("bundle");
    let folder = bundle.to_str().unwrap();
    lab.run("umoci", &["unpack", "--rootless", "--image", image, folder]);
    change(&bundle.join("rootfs"));
    lab.run("umoci", &["repack", "--image", image, folder]);
    fs::remove_dir_all(&bundle).unwrap();
}

/// Three layers: a tree of merged `/usr`; removals, a new kind under an old name; modes and links.
pub fn small_system(lab: &Lab) -> Made {
    let image = new_image(lab, "small");
    layer(lab, &image, |root| {
        for folder in [
            "usr/bin",
            "usr/lib/deep/er",
            "etc/app.d",
            "var/cache/old",
            "tmp",
            "root",
        ] {
            create_dir_all(root.join(folder)).unwrap();
        }
        mode(&root.join("tmp"), 0o1777);
        lab.run("mkfifo", &[root.join("tmp/pipe").to_str().unwrap()]);
        mode(&root.join("root"), 0o700);
        symlink("usr/bin", root.join("bin")).unwrap();
        symlink("usr/lib", root.join("lib")).unwrap();
        write(root.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\n").unwrap();
        write(root.join("etc/shadow"), "root:*:::::::\n").unwrap();
        mode(&root.join("etc/shadow"), 0o640);
        write(root.join("usr/bin/su"), "setuid").unwrap();
        mode(&root.join("usr/bin/su"), 0o4755);
        for number in 0..200 {
            write(
                root.join(format!("usr/lib/deep/er/{number}")),
                format!("content {number}"),
            )
            .unwrap();
            write(root.join(format!("var/cache/old/{number}")), "").unwrap();
        }
        write(root.join("etc/app.d/a\nb"), "a name of two lines").unwrap();
    });
    layer(lab, &image, |root| {
        fs::remove_dir_all(root.join("var/cache/old")).unwrap();
        fs::remove_file(root.join("usr/lib/deep/er/7")).unwrap();
        create_dir_all(root.join("usr/lib/deep/er/7/now/a/folder")).unwrap();
        fs::remove_dir_all(root.join("etc/app.d")).unwrap();
        write(root.join("etc/app.d"), "a file now").unwrap();
        symlink("/etc/passwd", root.join("etc/link")).unwrap();
    });
    layer(lab, &image, |root| {
        mode(&root.join("usr/lib/deep"), 0o711);
        hard_link(root.join("usr/lib/deep/er/1"), root.join("usr/lib/one")).unwrap();
        write(root.join("var/cache/old"), "anew").unwrap();
        write(root.join("usr/lib/deep/er/2"), "changed").unwrap();
    });
    Made {
        name: "small",
        layers: 3,
        entries: 210,
    }
}

/// One program under hundreds of names, as the image of that name has it.
pub fn busybox(lab: &Lab) -> Made {
    let image = new_image(lab, "busybox");
    layer(lab, &image, |root| {
        create_dir_all(root.join("bin")).unwrap();
        write(root.join("bin/busybox"), vec![b'b'; 700_000]).unwrap();
        mode(&root.join("bin/busybox"), 0o755);
        for number in 0..300 {
            hard_link(
                root.join("bin/busybox"),
                root.join(format!("bin/applet-{number}")),
            )
            .unwrap();
        }
    });
    Made {
        name: "busybox",
        layers: 1,
        entries: 302,
    }
}

/// A single program by `buildah`, with a config.
pub fn program(lab: &Lab) -> Made {
    let _ = new_image(lab, "unused");
    create_dir_all(lab.path("program-root/etc")).unwrap();
    create_dir_all(lab.path("program-root/data")).unwrap();
    copy("/proc/self/exe", lab.path("program-root/program")).unwrap();
    write(
        lab.path("program-root/etc/passwd"),
        "app:x:1000:1000::/:/\n",
    )
    .unwrap();
    let (store, run) = (lab.path("store"), lab.path("run"));
    let buildah = |args: &[&str]| {
        let own = [
            "--storage-driver",
            "vfs",
            "--root",
            store.to_str().unwrap(),
            "--runroot",
            run.to_str().unwrap(),
        ];
        lab.run("buildah", &[&own[..], args].concat())
            .trim()
            .to_owned()
    };
    let container = buildah(&["from", "scratch"]);
    buildah(&["copy", &container, "program-root", "/"]);
    buildah(&[
        "config",
        "--entrypoint",
        "[\"/program\"]",
        "--cmd",
        "--help",
        "--env",
        "MODE=a=b",
        "--workingdir",
        "/data",
        "--user",
        "app",
        &container,
    ]);
    let to = format!("oci:{}:program", lab.path("images").display());
    buildah(&["commit", &container, &to]);
    Made {
        name: "program",
        layers: 1,
        entries: 4,
    }
}

/// What a mirror has; `None` where there is none.
pub fn debian(lab: &Lab) -> Option<Made> {
    let tar = lab.path("debian.tar");
    let args = [
        "--variant=extract",
        "--include=dash,coreutils,passwd,mount",
        "trixie",
        tar.to_str().unwrap(),
    ];
    if let Err(why) = lab.try_run("mmdebstrap", &args) {
        let last = why.lines().last().unwrap_or_default();
        not_run(&format!("mmdebstrap brings no packages: {last}"));
        return None;
    }
    let image = new_image(lab, "debian");
    lab.add_layer(&image, &tar);
    Some(Made {
        name: "debian",
        layers: 1,
        entries: 1000,
    })
}

/// Tags of images with one layer that is refused, and why it is.
pub fn hostile(lab: &Lab) -> Vec<(&'static str, &'static str)> {
    let cases: [(&str, EntryType, &str, &str, &str); 4] = [
        (
            "absolute",
            EntryType::Regular,
            "/tmp/oci-escaped",
            "",
            "its name is absolute",
        ),
        (
            "above",
            EntryType::Regular,
            "../../../../../../tmp/oci-escaped",
            "",
            "its name has a \"..\"",
        ),
        (
            "hard",
            EntryType::Link,
            "passwd",
            "../../../../../../etc/passwd",
            "a hard link to",
        ),
        (
            "sparse",
            EntryType::GNUSparse,
            "sparse",
            "",
            "it is a sparse file",
        ),
    ];
    let made = cases.map(|(tag, kind, name, link, expected)| {
        let mut header = Header::new_gnu();
        let fields = header.as_gnu_mut().unwrap();
        fields.name[..name.len()].copy_from_slice(name.as_bytes());
        fields.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_mode(0o644);
        header.set_cksum();
        let mut tar = Builder::new(Vec::new());
        tar.append(&header, &b""[..]).unwrap();
        let file: PathBuf = lab.path(&format!("{tag}.tar"));
        write(&file, tar.into_inner().unwrap()).unwrap();
        let image = new_image(lab, tag);
        lab.add_layer(&image, &file);
        (tag, expected)
    });
    made.to_vec()
}
