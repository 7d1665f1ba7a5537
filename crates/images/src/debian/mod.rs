//! Brings packages of Debian, with what they depend on, into a folder: unpacked, nothing run.
//!
//! `mmdebstrap` resolves, downloads (checking signatures with the archive's keys) and unpacks into a
//! place of its own, as root or, without root, in a user namespace; out comes a tar stream, which is
//! unpacked here as plain files of the caller.

mod licence;
pub(crate) mod lock;
pub(crate) mod sources;
mod user_namespace;

use crate::child::Tool;
use crate::error::ImageError;
use crate::manifest::{Package, PackageSource};
use crate::progress::Phases;
use sources::Sources;
use std::fs;
use std::io::Read;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Far more than the largest image takes on a slow line; a hung mirror ends here.
const DEADLINE: Duration = Duration::from_secs(30 * 60);
/// Bounds what an archive can make us write, in bytes: five times the largest image's tree.
const MAX_TREE_BYTES: u64 = 5 * 1024 * 1024 * 1024;
/// Where the hook leaves a file a package: its name and version, then its files with their sums.
const LISTS: &str = ".packages";
/// `/bin` and the like are links into `/usr`, as on an installed system.
const MERGE_USR: &str =
    r#"for d in bin sbin lib lib64; do mkdir -p "$1/usr/$d"; ln -s "usr/$d" "$1/$d"; done"#;
/// By `cat`, which says it when the disk is full: a list cut short would be an image cut short.
const LIST_PACKAGES: &str = r#"set -e; mkdir "$1/.packages"; for f in "$1"/var/cache/apt/archives/*.deb; do
    list="$1/.packages/$(basename "$f")"
    name=$(dpkg-deb --show --showformat='${Package} ${Version}' "$f")
    digest=$(sha256sum < "$f")
    sums=$(dpkg-deb --info "$f" md5sums 2>/dev/null || true)
    printf '%s\n' "$name ${digest%% *}" "$sums" | cat > "$list"
done"#;
/// What to bring, and from where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) sources: Sources<'a>,
    /// What they depend on comes with them.
    pub(crate) packages: &'a [&'a str],
    /// Which of their files are written to disk.
    pub(crate) keep: fn(&Path) -> bool,
}

/// A package that was unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unpacked {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) source: PackageSource,
    /// SHA-256 of its archive, in lower-case hex.
    pub(crate) sha256: String,
    /// What its makers call its licence; empty: not known.
    pub(crate) licence: String,
    /// Relative to the root, with `/bin` and the like as `/usr/bin`. Regular files only.
    pub(crate) files: Vec<PathBuf>,
}

impl Unpacked {
    /// As a manifest names it.
    pub(crate) fn package(&self) -> Package {
        Package {
            name: self.name.clone(),
            version: self.version.clone(),
            sha256: self.sha256.clone(),
            source: self.source,
            licence: self.licence.clone(),
        }
    }
}

impl Request<'_> {
    /// Unpacks into the new folder `tree`. Takes steps from 0 to `percent` of the progress.
    pub(crate) fn unpack(
        &self,
        tree: &Path,
        percent: u64,
        phases: &Phases<'_>,
    ) -> Result<Vec<Unpacked>, ImageError> {
        fs::create_dir(tree).map_err(ImageError::io("creating", tree))?;
        let tool = Tool {
            name: "mmdebstrap",
            doing: "downloading and unpacking packages",
            deadline: DEADLINE,
        };
        let count = Count::default();
        let on_line = |line: &str| count.follow(line, percent, phases);
        let mut command = self.command(tree)?;
        tool.run_reading(&mut command, on_line, |stdout| {
            untar(stdout, tree, self.keep)
        })?;
        let mut unpacked = read_lists(&tree.join(LISTS))?;
        for package in &mut unpacked {
            package.licence = licence::of_package(tree, &package.name);
        }
        self.sources.check(&unpacked)?;
        Ok(unpacked)
    }

    /// Takes the lists of packages out of an unpacked tree that is kept whole.
    pub(crate) fn forget_lists(&self, tree: &Path) -> Result<(), ImageError> {
        let lists = tree.join(LISTS);
        fs::remove_dir_all(&lists).map_err(ImageError::io("removing", &lists))
    }

    fn command(&self, tree: &Path) -> Result<Command, ImageError> {
        let mut command = match rustix::process::geteuid().is_root() {
            // What it mounts in the tree goes with its last process, however that ends: a tree with a mounted `/sys` cannot
            // be swept away. Others get a user namespace, and with it a mount namespace, from mmdebstrap itself.
            true => {
                let mut command = Command::new("unshare");
                command.args(["--mount", "--propagation", "private", "mmdebstrap"]);
                command
            }
            false => {
                user_namespace::check()?;
                Command::new("mmdebstrap")
            }
        };
        command
            .args(["--variant=extract", "--format=tar", "--verbose"])
            .arg(format!("--include={}", self.packages.join(",")))
            .arg("--aptopt=Acquire::Retries \"3\"")
            .arg(format!("--setup-hook={MERGE_USR}"))
            .arg(format!("--extract-hook={LIST_PACKAGES}"));
        let preferences = tree.with_extension("pref");
        self.sources.add_to(&mut command, &preferences)?;
        command.env("LC_ALL", "C");
        if rustix::process::geteuid().is_root() {
            // On the images' own file system, where the next build sweeps it after a crash. In a user
            // namespace it would have to be a folder that other users can reach: the default is.
            command.env("TMPDIR", tree.parent().unwrap_or(tree));
        }
        Ok(command)
    }
}

/// Turns apt's words into progress.
#[derive(Default)]
struct Count {
    total: AtomicU64,
    done: AtomicU64,
}

impl Count {
    fn follow(&self, line: &str, percent: u64, phases: &Phases<'_>) {
        if line.starts_with("I: running apt-get update") {
            phases.at(0, "reading the package lists");
        } else if line.starts_with("I: extracting archives") {
            phases.at(percent * 2 / 3, "unpacking");
        } else if let Some(total) = newly_installed(line) {
            self.total.store(total, Ordering::Relaxed);
        } else if let Some(package) = downloaded(line) {
            // Before the total is known, it is package lists that come.
            if let Some(total) = NonZeroU64::new(self.total.load(Ordering::Relaxed)) {
                let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
                let share = percent * 2 / 3 * done.min(total.get()) / total;
                phases.at(share, &format!("downloading {package} ({done}/{total})"));
            }
        }
    }
}

/// `0 upgraded, 5 newly installed, 0 to remove and 0 not upgraded.`
fn newly_installed(line: &str) -> Option<u64> {
    let (before, _) = line.split_once(" newly installed")?;
    before.rsplit(' ').next()?.parse().ok()
}

/// `Get:5 http://… bookworm/main amd64 golang-1.19-go amd64 1.19.8-2 [62.7 MB]`
fn downloaded(line: &str) -> Option<String> {
    let name = line.strip_prefix("Get:")?.split(' ').nth(4)?;
    let size = line
        .rsplit_once('[')
        .and_then(|(_, size)| size.strip_suffix(']'));
    Some(match size {
        Some(size) => format!("{name}, {size}"),
        None => name.to_owned(),
    })
}

/// Plain files, folders and links; owners, devices and extended attributes (file capabilities among
/// them) are left behind.
fn untar(stdout: ChildStdout, tree: &Path, keep: fn(&Path) -> bool) -> Result<(), ImageError> {
    let failed = || ImageError::io("unpacking packages into", tree);
    let mut archive = tar::Archive::new(stdout.take(MAX_TREE_BYTES));
    archive.set_preserve_mtime(false);
    archive.set_preserve_ownerships(false);
    archive.set_unpack_xattrs(false);
    for entry in archive.entries().map_err(failed())? {
        let mut entry = entry.map_err(failed())?;
        let kind = entry.header().entry_type();
        let plain = kind.is_file() || kind.is_dir() || kind.is_symlink() || kind.is_hard_link();
        if plain && wanted(&entry.path().map_err(failed())?, keep) {
            // False for a name that leads out of the tree: such an entry is skipped.
            entry.unpack_in(tree).map_err(failed())?;
        }
    }
    Ok(())
}

/// The lists of packages are wanted always.
fn wanted(path: &Path, keep: fn(&Path) -> bool) -> bool {
    let path = path.strip_prefix(".").unwrap_or(path);
    path.starts_with(LISTS) || keep(path)
}

fn read_lists(folder: &Path) -> Result<Vec<Unpacked>, ImageError> {
    let mut packages = Vec::new();
    for entry in fs::read_dir(folder).map_err(ImageError::io("reading", folder))? {
        let path = entry.map_err(ImageError::io("reading", folder))?.path();
        let text = fs::read_to_string(&path).map_err(ImageError::io("reading", &path))?;
        let package = parse_list(&text).ok_or_else(|| {
            ImageError::unexpected(format!("{} names no package", path.display()))
        })?;
        packages.push(package);
    }
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(packages)
}

fn parse_list(text: &str) -> Option<Unpacked> {
    let (first, rest) = text.split_once('\n')?;
    let (name, rest_of_first) = first.split_once(' ')?;
    let (version, sha256) = rest_of_first.split_once(' ')?;
    let files = rest
        .lines()
        .filter_map(|line| Some(merged(line.split_once("  ")?.1)));
    Some(Unpacked {
        name: name.to_owned(),
        version: version.to_owned(),
        source: PackageSource::Debian,
        sha256: sha256.to_owned(),
        licence: String::new(),
        files: files.collect(),
    })
}

fn merged(path: &str) -> PathBuf {
    let top = path.split('/').next().unwrap_or_default();
    match top {
        "bin" | "sbin" | "lib" | "lib64" => Path::new("usr").join(path),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_apt_says_is_understood() {
        let line = "0 upgraded, 5 newly installed, 0 to remove and 0 not upgraded.";
        assert_eq!(newly_installed(line), Some(5));
        assert_eq!(newly_installed("newly installed"), None);
        let line = "Get:5 http://mirror/debian bookworm/main amd64 golang-1.19-go amd64 1.19.8-2 [62.7 MB]";
        assert_eq!(downloaded(line).unwrap(), "golang-1.19-go, 62.7 MB");
        assert_eq!(downloaded("Get:5"), None);
        assert_eq!(downloaded("Fetched 9417 kB in 1s"), None);
    }

    #[test]
    fn lists_of_packages_are_unpacked_with_what_is_wanted() {
        let keep = |path: &Path| path.starts_with("usr/src");
        for (path, expected) in [
            ("./.packages/a.deb", true),
            ("./usr/src/a.tar.xz", true),
            ("usr/src/a.tar.xz", true),
            ("./usr/bin/ld", false),
        ] {
            assert_eq!(wanted(Path::new(path), keep), expected, "{path}");
        }
    }

    #[test]
    fn a_list_tells_a_package_and_its_files() {
        let text = "libc6 2.36-9+deb12u14 ab01\nd41d  lib/x86_64-linux-gnu/libc.so.6\nffff  usr/share/a b\n";
        let package = parse_list(text).unwrap();
        assert_eq!(
            (&*package.name, &*package.version, &*package.sha256),
            ("libc6", "2.36-9+deb12u14", "ab01")
        );
        let files = ["usr/lib/x86_64-linux-gnu/libc.so.6", "usr/share/a b"].map(PathBuf::from);
        assert_eq!(package.files, files);
        assert_eq!(parse_list("libc6\n"), None);
        assert_eq!(parse_list(""), None);
    }
}
