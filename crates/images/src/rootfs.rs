//! Makes the root file system: unpack, select, prepare, finish, pack.

use crate::child::Tool;
use crate::confine;
use crate::debian::lock::LockUse;
use crate::debian::sources::Sources;
use crate::debian::{Request, Unpacked};
use crate::error::ImageError;
use crate::kept::KeptDownloads;
use crate::manifest::Package;
use crate::pack::Packing;
use crate::progress::Phases;
use crate::recipe::{LINKS_ALWAYS, PACKAGES_ALWAYS, PROGRAMS_ALWAYS, SUITE};
use crate::target::Target;
use crate::{npm, prepare, pypi, select};
use languages::RootImage;
use languages::image::Finish;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Emulated or loaded machines need minutes to compile Go's library.
const FINISH_DEADLINE: Duration = Duration::from_secs(20 * 60);

/// A packed file system, not yet in the store.
pub(crate) struct Packed {
    pub(crate) path: PathBuf,
    /// The packages that something of it comes from.
    pub(crate) packages: Vec<Package>,
    /// The version of the language's runtime, as its package has it.
    pub(crate) runtime_version: String,
}

/// Where its packages come from.
#[derive(Clone, Copy)]
pub(crate) struct From<'a> {
    /// What of npm's and PyPI's came before.
    pub(crate) kept: &'a KeptDownloads,
    /// Debian's; a URL.
    pub(crate) mirror: Option<&'a str>,
    pub(crate) lock_use: LockUse,
}

/// Makes `image.erofs` in the folder `scratch`.
pub(crate) fn make(
    image: RootImage,
    from: From<'_>,
    scratch: &Path,
    phases: &Phases<'_>,
) -> Result<Packed, ImageError> {
    let recipe = image.recipe();
    let (tree, root) = (scratch.join("tree"), scratch.join("root"));
    let own: Vec<&str> = recipe.packages.iter().map(String::as_str).collect();
    let packages = [PACKAGES_ALWAYS, PROGRAMS_ALWAYS, &own].concat();
    let request = Request {
        sources: Sources {
            newer: &recipe.from_backports,
            lock_use: from.lock_use,
            ..Sources::newest(SUITE, from.mirror)
        },
        packages: &packages,
        keep: |_| true,
    };
    let mut unpacked = request.unpack(&tree, 50, phases)?;
    let mut target = Target::own(&tree).keeping(from.kept);
    if let Some(lock) = recipe.npm.as_deref().and_then(|name| image.companion(name)) {
        phases.at(50, "downloading packages of npm's registry");
        unpacked.extend(npm::unpack(lock, &mut target)?);
    }
    if let Some(lock) = recipe.pip.as_deref().and_then(|name| image.companion(name)) {
        let on_package = |which: &str| phases.at(55, &format!("downloading {which}"));
        let added = pypi::unpack_from(&pypi::index(None), lock, &mut target, on_package)?;
        unpacked.extend(added);
    }
    phases.at(60, "selecting files");
    let programs = select::programs(recipe, &unpacked);
    let chosen = select::select(&tree, recipe, &programs)?;
    fs::create_dir(&root).map_err(ImageError::io("creating", &root))?;
    select::move_chosen(&tree, &chosen, &root)?;
    fs::remove_dir_all(&tree).map_err(ImageError::io("removing", &tree))?;
    let links = recipe.links.iter();
    let links = links.map(|(name, target)| (name.as_str(), target.as_str()));
    let links: Vec<(&str, &str)> = LINKS_ALWAYS.iter().copied().chain(links).collect();
    // Its file would have been refused if one were missing.
    let files = recipe.files.iter();
    let files: Vec<(&str, &[u8])> = files
        .filter_map(|(path, name)| Some((path.as_str(), image.companion(name)?)))
        .collect();
    prepare::rootfs(&root, &links, &files)?;
    for finish in &recipe.finish {
        phases.at(65, &finish.doing);
        forget_times(&root)?;
        run_inside(&root, finish)?;
    }
    prepare::plain_permissions(&root)?;
    phases.at(85, "packing");
    let path = scratch.join("image.erofs");
    Packing::of(recipe).pack(&root, &path)?;
    Ok(Packed {
        path,
        packages: contributors(&unpacked, &chosen),
        runtime_version: package_of(&recipe.runtime_package, &unpacked)?.version,
    })
}

/// Sets all times to zero, as they will be in the image: Go's index of packages is keyed by them.
fn forget_times(root: &Path) -> Result<(), ImageError> {
    let zero = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let times = Timestamps {
        last_access: zero,
        last_modification: zero,
    };
    for entry in walkdir::WalkDir::new(root).contents_first(true) {
        let entry = entry.map_err(|error| ImageError::io("listing", root)(error.into()))?;
        utimensat(CWD, entry.path(), &times, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|error| ImageError::io("setting the times of", entry.path())(error.into()))?;
    }
    Ok(())
}

/// Runs one of the image's own programs with the image as its root and nothing else in reach.
pub(crate) fn run_inside(root: &Path, finish: &Finish) -> Result<(), ImageError> {
    let mut command = confine::command();
    command
        .arg("--bind")
        .arg(root)
        .arg("/")
        .args(confine::FRESH)
        .args(["--chdir", "/", "--setenv", "LANG", "C.UTF-8"]);
    for (name, value) in &finish.env {
        command.args(["--setenv", name, value]);
    }
    command.arg("--").args(&finish.argv);
    let tool = Tool {
        name: confine::PROGRAM,
        doing: &finish.doing,
        deadline: FINISH_DEADLINE,
    };
    tool.run(&mut command, |_| {})
}

fn contributors(unpacked: &[Unpacked], chosen: &BTreeSet<PathBuf>) -> Vec<Package> {
    let contributes = |package: &&Unpacked| package.files.iter().any(|file| chosen.contains(file));
    let packages = unpacked.iter().filter(contributes);
    packages.map(Unpacked::package).collect()
}

/// The package of this name.
pub(crate) fn package_of(name: &str, unpacked: &[Unpacked]) -> Result<Package, ImageError> {
    let package = unpacked.iter().find(|package| package.name == name);
    package
        .map(Unpacked::package)
        .ok_or_else(|| ImageError::unexpected(format!("package {name} did not come")))
}
