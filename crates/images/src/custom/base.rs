//! The tree that an image begins with.

use super::Tree;
use super::record::Origin;
use super::spec::Base;
use crate::child::Tool;
use crate::confine;
use crate::debian::sources::Sources;
use crate::debian::{Request, Unpacked};
use crate::error::ImageError;
use crate::oci::{self, Source};
use crate::prepare;
use crate::progress::Phases;
use crate::recipe::{PACKAGES_ALWAYS, PROGRAMS_ALWAYS, SUITE};
use crate::store::ImageStore;
use crate::verify::Look;
use languages::RootImage;
use languages::custom::Defaults;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// What Debian has everywhere, besides what every image has. `base-files` brings the folders.
const ESSENTIAL: &[&str] = &[
    "base-files",
    "base-passwd",
    "bsdutils",
    "ca-certificates",
    "libc-bin",
    "login.defs",
    "mawk",
    "mount",
    "netbase",
    "openssl",
    "perl-base",
    "sysvinit-utils",
    "util-linux",
];
const EXTRACT_DEADLINE: Duration = Duration::from_secs(10 * 60);

/// Makes it as `scratch/root`.
pub(super) fn tree(
    store: &ImageStore,
    base: &Base,
    scratch: &Path,
    phases: &Phases<'_>,
) -> Result<Tree, ImageError> {
    match base {
        Base::Debian => debian(store, scratch, phases),
        Base::Image(name) => image(store, name, scratch, phases),
        Base::Oci(source) => of_oci(source, scratch, phases),
    }
}

fn debian(store: &ImageStore, scratch: &Path, phases: &Phases<'_>) -> Result<Tree, ImageError> {
    let packages = [PACKAGES_ALWAYS, PROGRAMS_ALWAYS, ESSENTIAL].concat();
    let root = scratch.join("root");
    let unpacked = unpack(store, &packages, &root, phases)?;
    Ok(Tree {
        root,
        packages: unpacked.iter().map(Unpacked::package).collect(),
        defaults: Defaults::default(),
        languages: Vec::new(),
        origin: nothing(),
    })
}

/// Until what it is made of is known.
fn nothing() -> Origin {
    Origin::File {
        inputs: String::new(),
    }
}

/// All of these packages of Debian, with what they depend on.
pub(super) fn unpack(
    store: &ImageStore,
    packages: &[&str],
    tree: &Path,
    phases: &Phases<'_>,
) -> Result<Vec<Unpacked>, ImageError> {
    let request = Request {
        sources: Sources {
            lock_use: store.lock_use,
            ..Sources::newest(SUITE, store.mirror.as_deref())
        },
        packages,
        keep: |_| true,
    };
    let unpacked = request.unpack(tree, 50, phases)?;
    request.forget_lists(tree)?;
    prepare::plain_modes(tree)?;
    Ok(unpacked)
}

/// An image of the store, taken apart.
pub(super) fn image(
    store: &ImageStore,
    name: &str,
    scratch: &Path,
    phases: &Phases<'_>,
) -> Result<Tree, ImageError> {
    let known = store.adopt(name).ok_or_else(|| store.missing(name))?;
    let manifest = store.checked_rootfs(known, Look::Cached)?;
    let root = scratch.join("root");
    phases.at(10, &format!("unpacking the {name} image"));
    extract(&store.rootfs_file(&manifest.image.file), &root)?;
    Ok(Tree {
        root,
        packages: manifest.packages,
        defaults: known.defaults().cloned().unwrap_or_default(),
        languages: names(known),
        origin: nothing(),
    })
}

/// Those whose programs run in it.
pub(super) fn names(image: RootImage) -> Vec<String> {
    let languages = image.languages().into_iter();
    languages
        .map(|language| language.name().to_owned())
        .collect()
}

/// Takes a file system of the store apart, in a sandbox.
fn extract(image: &Path, root: &Path) -> Result<(), ImageError> {
    fs::create_dir(root).map_err(ImageError::io("creating", root))?;
    let mut command = confine::host_program();
    command.args(["--dev", "/dev", "--tmpfs", "/tmp"]);
    command.arg("--ro-bind").arg(image).arg("/image");
    command.arg("--bind").arg(root).arg("/root");
    command.args([
        "--",
        "fsck.erofs",
        "--extract=/root",
        "--overwrite",
        "/image",
    ]);
    let tool = Tool {
        name: confine::PROGRAM,
        doing: "unpacking an image",
        deadline: EXTRACT_DEADLINE,
    };
    tool.run(&mut command, |_| {})
}

fn of_oci(source: &Source, scratch: &Path, phases: &Phases<'_>) -> Result<Tree, ImageError> {
    let brought = oci::bring(source, scratch, phases)?;
    let config = brought.config;
    let env: BTreeMap<String, String> = config.env.into_iter().collect();
    Ok(Tree {
        root: brought.root,
        packages: Vec::new(),
        defaults: Defaults {
            env,
            working_dir: config.working_dir,
            command: config.entrypoint,
            arguments: config.cmd,
        },
        languages: Vec::new(),
        origin: Origin::Oci {
            digest: brought.manifest_digest,
            reference: brought.reference,
            dropped: brought.dropped,
        },
    })
}

impl ImageStore {
    /// What a file's inputs come down to: it, all that it names, and what it begins with.
    pub(super) fn inputs(&self, spec: &super::ImageSpec) -> Result<String, ImageError> {
        let base = match &spec.base {
            Base::Debian => String::new(),
            Base::Image(name) => {
                let known = self.adopt(name).ok_or_else(|| self.missing(name))?;
                self.read_rootfs(known)?.image.sha256
            }
            Base::Oci(source) => oci::digest_of(source)?,
        };
        let text = format!("{spec:?}\n{base}\n{}", crate::recipe::ROOTFS_FORMAT);
        Ok(crate::digest::sha256(text.as_bytes()))
    }
}
