//! Brings packages of Debian, with what they depend on, into a folder: unpacked, nothing run.
//!
//! `mmdebstrap` resolves, downloads (checking signatures with the archive's keys) and unpacks into a
//! place of its own, as root or, without root, in a user namespace; out comes a tar stream, which is
//! unpacked here as plain files of the caller.

use crate::child::Tool;
use crate::error::ImageError;
use crate::progress::Phases;
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
    sums=$(dpkg-deb --info "$f" md5sums 2>/dev/null || true)
    printf '%s\n' "$name" "$sums" | cat > "$list"
done"#;
/// Adds a suite's backports to its sources, whatever mirror they name: one line a suite, as older
/// mmdebstrap writes them, or all suites in one.
const ADD_BACKPORTS: &str = r#"for f in "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*; do
    test -f "$f" || continue
    sed -i -e 's/^\(deb .* \)SUITE main$/&\n\1SUITE-backports main/' \
        -e 's/^Suites: SUITE\( .*\)\?$/& SUITE-backports/' "$f"
done
grep -rq SUITE-backports "$1"/etc/apt/sources.list* || { echo "no sources of SUITE-backports" >&2; exit 1; }"#;

/// A release of the distribution, and what of it packages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suite {
    /// The release itself, with its updates.
    Plain(&'static str),
    /// Also newer versions that were built for it.
    Backports(&'static str),
}

impl Suite {
    fn name(self) -> &'static str {
        match self {
            Suite::Plain(name) | Suite::Backports(name) => name,
        }
    }
}

/// What to bring, and from where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) suite: Suite,
    /// What they depend on comes with them.
    pub(crate) packages: &'a [&'a str],
    /// A URL; the distribution's own when there is none.
    pub(crate) mirror: Option<&'a str>,
    /// Which of their files are written to disk.
    pub(crate) keep: fn(&Path) -> bool,
}

/// A package that was unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unpacked {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Relative to the root, with `/bin` and the like as `/usr/bin`. Regular files only.
    pub(crate) files: Vec<PathBuf>,
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
        tool.run_reading(&mut self.command(tree), on_line, |stdout| {
            untar(stdout, tree, self.keep)
        })?;
        read_lists(&tree.join(LISTS))
    }

    fn command(&self, tree: &Path) -> Command {
        let suite = self.suite.name();
        let mut command = match rustix::process::geteuid().is_root() {
            // What it mounts in the tree goes with its last process, however that ends: a tree with a mounted `/sys` cannot
            // be swept away. Others get a user namespace, and with it a mount namespace, from mmdebstrap itself.
            true => {
                let mut command = Command::new("unshare");
                command.args(["--mount", "--propagation", "private", "mmdebstrap"]);
                command
            }
            false => Command::new("mmdebstrap"),
        };
        command
            .args(["--variant=extract", "--format=tar", "--verbose"])
            .arg(format!("--include={}", self.packages.join(",")))
            .arg("--aptopt=Acquire::Retries \"3\"")
            .arg(format!("--setup-hook={MERGE_USR}"))
            .arg(format!("--extract-hook={LIST_PACKAGES}"));
        if let Suite::Backports(_) = self.suite {
            let hook = ADD_BACKPORTS.replace("SUITE", suite);
            command.arg(format!("--setup-hook={hook}"));
        }
        command
            .args([suite, "-"])
            .args(self.mirror)
            .env("LC_ALL", "C");
        if rustix::process::geteuid().is_root() {
            // On the images' own file system, where the next build sweeps it after a crash. In a user
            // namespace it would have to be a folder that other users can reach: the default is.
            command.env("TMPDIR", tree.parent().unwrap_or(tree));
        }
        command
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
fn downloaded(line: &str) -> Option<&str> {
    line.strip_prefix("Get:")?.split(' ').nth(4)
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
    let (name, version) = first.split_once(' ')?;
    let files = rest
        .lines()
        .filter_map(|line| Some(merged(line.split_once("  ")?.1)));
    Some(Unpacked {
        name: name.to_owned(),
        version: version.to_owned(),
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
        assert_eq!(downloaded(line), Some("golang-1.19-go"));
        assert_eq!(downloaded("Get:5"), None);
        assert_eq!(downloaded("Fetched 9417 kB in 1s"), None);
    }

    /// What the hook makes of the sources that mmdebstrap wrote.
    fn with_backports(file: &str, text: &str) -> std::io::Result<String> {
        let root = tempfile::tempdir()?;
        let sources = root.path().join("etc/apt").join(file);
        fs::create_dir_all(root.path().join("etc/apt/sources.list.d"))?;
        fs::write(&sources, text)?;
        let hook = ADD_BACKPORTS.replace("SUITE", "trixie");
        let output = Command::new("sh")
            .args(["-c", &hook, "hook"])
            .arg(root.path())
            .output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(std::io::Error::other(said));
        }
        fs::read_to_string(sources)
    }

    #[test]
    fn backports_come_from_where_their_suite_does() {
        let lines = "deb [trusted=yes] http://mirror/debian trixie main\n\
                     deb http://mirror/debian trixie-updates main\n";
        let expected = "deb [trusted=yes] http://mirror/debian trixie main\n\
                        deb [trusted=yes] http://mirror/debian trixie-backports main\n\
                        deb http://mirror/debian trixie-updates main\n";
        assert_eq!(with_backports("sources.list", lines).unwrap(), expected);
        let file = "sources.list.d/0000main.sources";
        let deb822 = "URIs: http://mirror/debian\nSuites: trixie trixie-updates\n\n\
                      URIs: http://mirror/security\nSuites: trixie-security\n";
        let both = with_backports(file, deb822).unwrap();
        assert!(
            both.contains("Suites: trixie trixie-updates trixie-backports\n"),
            "{both}"
        );
        assert!(both.ends_with("Suites: trixie-security\n"), "{both}");
        let error = with_backports(file, "Suites: sid\n").unwrap_err();
        assert!(error.to_string().contains("trixie-backports"), "{error}");
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
        let text =
            "libc6 2.36-9+deb12u14\nd41d  lib/x86_64-linux-gnu/libc.so.6\nffff  usr/share/a b\n";
        let package = parse_list(text).unwrap();
        assert_eq!(
            (package.name.as_str(), package.version.as_str()),
            ("libc6", "2.36-9+deb12u14")
        );
        let files = ["usr/lib/x86_64-linux-gnu/libc.so.6", "usr/share/a b"].map(PathBuf::from);
        assert_eq!(package.files, files);
        assert_eq!(parse_list("libc6\n"), None);
        assert_eq!(parse_list(""), None);
    }
}
