use crate::acl;
use crate::facts::Facts;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bytes read of one file at most: `/proc/cpuinfo` of 1,024 CPUs has about 1.5 MiB.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// The machine that is looked at. All reads go below one root.
#[derive(Debug)]
pub struct Host {
    root: PathBuf,
    /// Uids whose write permission is no finding: root, and who runs the tool.
    trusted: Vec<u32>,
    /// What is not in a file.
    pub facts: Facts,
}

/// Why something could not be seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Gap {
    /// No such file.
    #[error("{0} is absent")]
    Absent(String),
    /// It is there and cannot be read.
    #[error("{path} cannot be read: {reason}")]
    Unreadable {
        /// Its path on the host.
        path: String,
        /// The kernel's words.
        reason: String,
    },
    /// It reads, but not as documented.
    #[error("{path} reads {text:?}, which is not understood")]
    Strange {
        /// Its path on the host.
        path: String,
        /// What stands there, cut short.
        text: String,
    },
    /// Nobody told.
    #[error("{0}")]
    Untold(String),
}

impl Host {
    /// This machine.
    pub fn live(facts: Facts) -> Host {
        let me = rustix::process::geteuid().as_raw();
        Host {
            root: PathBuf::from("/"),
            trusted: vec![0, me],
            facts,
        }
    }

    /// A made-up machine below `root`, whose files belong to who made it.
    pub fn below(root: &Path, facts: Facts) -> Host {
        let me = rustix::process::geteuid().as_raw();
        Host {
            // Paths are compared with it after links were followed.
            root: root.canonicalize().unwrap_or_else(|_| root.to_owned()),
            trusted: vec![0, me],
            facts,
        }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// A file's text without the white space at its end.
    pub fn read(&self, path: &str) -> Result<String, Gap> {
        let open = || -> io::Result<String> {
            let mut bytes = Vec::new();
            File::open(self.at(path))?
                .take(MAX_FILE_BYTES)
                .read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
        };
        open().map_err(|error| gap(path, &error))
    }

    /// The same, but an absent file is `None`.
    pub fn read_if_there(&self, path: &str) -> Result<Option<String>, Gap> {
        match self.read(path) {
            Ok(text) => Ok(Some(text)),
            Err(Gap::Absent(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// A number, as sysfs and sysctl files hold them.
    pub fn number(&self, path: &str) -> Result<i64, Gap> {
        let text = self.read(path)?;
        text.parse().map_err(|_| strange(path, &text))
    }

    /// The names in a folder, sorted.
    pub fn list(&self, path: &str) -> Result<Vec<String>, Gap> {
        let entries = fs::read_dir(self.at(path)).map_err(|error| gap(path, &error))?;
        let mut names: Vec<String> = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        Ok(names)
    }

    /// Something is at this path.
    pub fn exists(&self, path: &str) -> bool {
        self.at(path).symlink_metadata().is_ok()
    }

    /// Where a link points.
    pub fn link(&self, path: &str) -> Result<String, Gap> {
        let target = fs::read_link(self.at(path)).map_err(|error| gap(path, &error))?;
        Ok(target.to_string_lossy().into_owned())
    }

    /// Mode and owner, links followed.
    pub fn metadata(&self, path: &str) -> Result<fs::Metadata, Gap> {
        fs::metadata(self.at(path)).map_err(|error| gap(path, &error))
    }

    /// Root, or the tool's own user.
    pub fn is_trusted(&self, uid: u32) -> bool {
        self.trusted.contains(&uid)
    }

    /// Users and groups that a path's access list names and lets in; links followed.
    pub fn let_in_by_list(&self, path: &str) -> Result<Vec<String>, Gap> {
        let mut list = vec![0; acl::MAX_BYTES];
        match rustix::fs::getxattr(self.at(path), acl::ATTRIBUTE, &mut list[..]) {
            Ok(count) => Ok(acl::let_in(&list[..count])),
            // No list, or a file system that has none.
            Err(rustix::io::Errno::NODATA | rustix::io::Errno::OPNOTSUPP) => Ok(Vec::new()),
            Err(error) => Err(gap(path, &error.into())),
        }
    }

    /// Who besides root and the tool's user could change `path` or put another in its place: one
    /// line for each weak spot of the path itself, of every folder above it and of every link on the way. Also what is
    /// safe by custom alone (a sticky folder, a user's own group) is told here.
    pub fn weak_spots(&self, path: &Path) -> Result<Vec<String>, Gap> {
        let shown = path.display().to_string();
        let spots =
            trust::weak_spots(&self.at(&shown), &self.root).map_err(|error| gap(&shown, &error))?;
        let told = |spot: trust::WeakSpot| {
            let below = spot.path.strip_prefix(&self.root).unwrap_or(&spot.path);
            format!("{} {}", Path::new("/").join(below).display(), spot.flaw)
        };
        Ok(spots.into_iter().map(told).collect())
    }

    /// The kernel's command line, word by word.
    pub fn command_line(&self) -> Result<Vec<String>, Gap> {
        Ok(self
            .read("/proc/cmdline")?
            .split_whitespace()
            .map(str::to_owned)
            .collect())
    }
}

fn gap(path: &str, error: &io::Error) -> Gap {
    // ESRCH: a process that ended between two reads.
    if matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    ) || error.raw_os_error() == Some(3)
    {
        Gap::Absent(path.to_owned())
    } else {
        Gap::Unreadable {
            path: path.to_owned(),
            reason: error.to_string(),
        }
    }
}

pub(crate) fn strange(path: &str, text: &str) -> Gap {
    Gap::Strange {
        path: path.to_owned(),
        text: text.chars().take(60).collect(),
    }
}
