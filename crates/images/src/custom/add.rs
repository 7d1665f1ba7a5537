//! What a user's file puts on top of the tree that it begins with.

use super::spec::{AddedFile, ImageSpec};
use super::{Tree, base, detect};
use crate::child::Tool;
use crate::confine;
use crate::debian::Unpacked;
use crate::error::ImageError;
use crate::kept::KeptDownloads;
use crate::progress::Phases;
use crate::store::ImageStore;
use crate::target::{NewFile, Target};
use crate::{npm, pypi};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

const COPY_DEADLINE: Duration = Duration::from_secs(10 * 60);
/// Where Debian's Python is, which looks for what `pip` brings.
const PYTHON: &str = "/usr/bin/python3";
/// What packages' own scripts would have chosen: a link, and what it leads to, the first that is there.
const ALTERNATIVES: &[(&str, &[&str])] = &[
    ("usr/bin/awk", &["gawk", "mawk"]),
    ("usr/bin/c++", &["g++"]),
    ("usr/bin/cc", &["gcc"]),
    ("usr/bin/editor", &["vim.basic", "vim.tiny", "nano"]),
    (
        "usr/bin/java",
        &["../lib/jvm/java-25-openjdk-amd64/bin/java"],
    ),
    (
        "usr/bin/javac",
        &["../lib/jvm/java-25-openjdk-amd64/bin/javac"],
    ),
    ("usr/bin/nc", &["nc.openbsd", "nc.traditional"]),
    ("usr/bin/pager", &["less", "more"]),
    ("usr/bin/php", &["php8.4"]),
    ("usr/bin/lua", &["lua5.4"]),
    ("usr/bin/sh", &["dash", "bash"]),
    ("usr/bin/vi", &["vim.basic", "vim.tiny"]),
    ("usr/bin/which", &["which.debianutils"]),
];
/// One file of all certificates, made by a script of their package elsewhere.
const CERTIFICATES: &str = "usr/share/ca-certificates";
const BUNDLE: &str = "etc/ssl/certs/ca-certificates.crt";

/// Puts it there.
pub(super) fn to(
    tree: &mut Tree,
    store: &ImageStore,
    spec: &ImageSpec,
    phases: &Phases<'_>,
) -> Result<(), ImageError> {
    if !spec.packages.is_empty() {
        debian(tree, store, &spec.packages, phases)?;
    }
    if matches!(spec.base, super::Base::Debian) || !spec.packages.is_empty() {
        after_debian(&tree.root)?;
    }
    let root = tree.root.clone();
    let kept = KeptDownloads::of_store(&store.root)?;
    let mut target = Target::own(&root).beside_own_modules().keeping(&kept);
    if let Some(lock) = &spec.npm {
        phases.at(55, "downloading packages of npm's registry");
        let added = npm::unpack_from(&npm::registry(None), lock, "usr/lib", &mut target)?;
        tree.packages.extend(added.iter().map(Unpacked::package));
    }
    if let Some(lock) = &spec.pip {
        python_is_there(&root)?;
        let on_package = |which: &str| phases.at(60, &format!("downloading {which}"));
        let added = pypi::unpack_from(&pypi::index(None), lock, &mut target, on_package)?;
        tree.packages.extend(added.iter().map(Unpacked::package));
    }
    files(&mut target, &spec.files)
}

fn python_is_there(root: &Path) -> Result<(), ImageError> {
    let folder = File::open(root).map_err(ImageError::io("opening", root))?;
    match detect::is_there(&folder, PYTHON) {
        true => Ok(()),
        false => Err(ImageError::Spec {
            path: "pip".into(),
            why: format!(
                "there is no {PYTHON} in the image that would find its packages; add python3 to packages"
            ),
        }),
    }
}

/// Packages of Debian, over what is there.
fn debian(
    tree: &mut Tree,
    store: &ImageStore,
    packages: &[String],
    phases: &Phases<'_>,
) -> Result<(), ImageError> {
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    let more = tree.root.with_extension("more");
    let unpacked = base::unpack(store, &packages, &more, phases)?;
    phases.at(52, "adding the packages");
    copy_over(&more, &tree.root)?;
    fs::remove_dir_all(&more).map_err(ImageError::io("removing", &more))?;
    for package in unpacked.iter().map(Unpacked::package) {
        tree.packages
            .retain(|known| known.name != package.name || known.source != package.source);
        tree.packages.push(package);
    }
    Ok(())
}

/// Copies a tree of ours over one that may be hostile. Within a sandbox that has nothing else: a link of the tree's that
/// leads out of it leads nowhere.
fn copy_over(from: &Path, to: &Path) -> Result<(), ImageError> {
    let mut command = confine::host_program();
    command.arg("--ro-bind").arg(from).arg("/from");
    command.arg("--bind").arg(to).arg("/to");
    command.args(["--", "cp", "-a", "--remove-destination", "/from/.", "/to/"]);
    let tool = Tool {
        name: confine::PROGRAM,
        doing: "adding packages of Debian to the tree",
        deadline: COPY_DEADLINE,
    };
    tool.run(&mut command, |_| {})
}

/// What the packages' own scripts would have done, as far as programs look for it.
fn after_debian(root: &Path) -> Result<(), ImageError> {
    for (link, candidates) in ALTERNATIVES {
        let link = root.join(link);
        let above = link.parent().unwrap_or(root);
        if link.symlink_metadata().is_ok() || !is_real_folder(root, above) {
            continue;
        }
        let there = candidates
            .iter()
            .find(|name| above.join(name).symlink_metadata().is_ok());
        if let Some(target) = there {
            std::os::unix::fs::symlink(target, &link).map_err(ImageError::io("linking", &link))?;
        }
    }
    bundle_certificates(root)
}

/// No link is on the way from the root to it.
fn is_real_folder(root: &Path, folder: &Path) -> bool {
    let mut ways = folder.ancestors().take_while(|way| *way != root);
    ways.all(|way| {
        way.symlink_metadata()
            .is_ok_and(|metadata| metadata.is_dir())
    })
}

fn bundle_certificates(root: &Path) -> Result<(), ImageError> {
    let folder = root.join(CERTIFICATES);
    if !is_real_folder(root, &folder) || root.join(BUNDLE).symlink_metadata().is_ok() {
        return Ok(());
    }
    let mut all = Vec::new();
    for entry in walkdir::WalkDir::new(&folder).sort_by_file_name() {
        let entry = entry.map_err(|error| ImageError::io("listing", &folder)(error.into()))?;
        let path = entry.path();
        if entry.file_type().is_file() && path.extension().is_some_and(|name| name == "crt") {
            all.extend(fs::read(path).map_err(ImageError::io("reading", path))?);
        }
    }
    write(
        &mut Target::own(root),
        Path::new(BUNDLE),
        &AddedFile {
            content: all,
            is_executable: false,
        },
    )
}

fn files(target: &mut Target<'_>, files: &BTreeMap<PathBuf, AddedFile>) -> Result<(), ImageError> {
    files
        .iter()
        .try_for_each(|(path, file)| write(target, path, file))
}

/// Writes one, through no link.
pub(super) fn write(
    target: &mut Target<'_>,
    path: &Path,
    file: &AddedFile,
) -> Result<(), ImageError> {
    let new = NewFile {
        path,
        is_executable: file.is_executable,
    };
    target.write(&new, &*file.content).map_err(|error| {
        error.into_image_error(&path.display().to_string(), |why| ImageError::Spec {
            path: path.to_path_buf(),
            why,
        })
    })
}
