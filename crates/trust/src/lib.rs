//! Who besides root and the tool's own user could change a file, or put another in its place.
//!
//! One judgement for every file that the tool relies on: its configuration, keys, images, the guest agent, the programs
//! that it starts. [`weak_spots`] names each flaw of the file, of every folder above it and of every link on the way;
//! [`check`] and [`check_secret`] refuse a file for a real one, `doctor` tells of all.
#![cfg_attr(test, allow(clippy::unwrap_used))]

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

/// Links that one path may lead through, as the kernel counts them (`MAXSYMLINKS`).
const MAX_LINKS: usize = 40;

const GROUP_WRITES: u32 = 0o020;
const EVERYBODY_WRITES: u32 = 0o002;
const EVERYBODY_READS: u32 = 0o004;
const STICKY: u32 = 0o1000;

/// What is wrong with one file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// It belongs to this uid, which is neither root's nor the tool's.
    Owner(u32),
    /// Others may write it; its mode.
    Writable(u32),
    /// Others may write it, but by its kind none can put another in the place of what is here: a sticky folder, or
    /// a group that is the owner's alone by custom (its number is the owner's). Its mode.
    WritableByCustom(u32),
    /// A secret that everybody may read; its mode.
    Readable(u32),
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Flaw::Owner(uid) => write!(f, "belongs to uid {uid}"),
            Flaw::Writable(mode) | Flaw::WritableByCustom(mode) => {
                write!(f, "is writable by others (mode {mode:04o})")
            }
            Flaw::Readable(mode) => write!(f, "is readable by everyone (mode {mode:04o})"),
        }
    }
}

/// A place where somebody else could come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeakSpot {
    /// The file, a folder above it, or a link on the way.
    pub path: PathBuf,
    /// What is wrong there.
    pub flaw: Flaw,
}

/// Why a file is not used.
#[derive(Debug, thiserror::Error)]
pub enum Untrusted {
    /// Somebody else could have written it.
    #[error(
        "{what} {} is not used: {} {}; chown it to root or to the tool's user, chmod go-w it{}",
        path.display(), spot.path.display(), spot.flaw, secrecy(spot.flaw)
    )]
    Weak {
        /// What the file is to the tool.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The first weak spot.
        spot: WeakSpot,
    },
    /// It cannot be looked at.
    #[error("{what} {} cannot be looked at", path.display())]
    Unseen {
        /// What the file is to the tool.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: io::Error,
    },
}

fn secrecy(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::Readable(_) => ", and chmod o-r it",
        _ => "",
    }
}

/// The flaw of one thing that is no link, if it has one. Pure.
pub fn flaw(uid: u32, gid: u32, mode: u32, me: u32) -> Option<Flaw> {
    let mode = mode & 0o7777;
    if ![0, me].contains(&uid) {
        return Some(Flaw::Owner(uid));
    }
    let private_group = gid == uid;
    let sticky = mode & STICKY != 0;
    match (mode & EVERYBODY_WRITES != 0, mode & GROUP_WRITES != 0) {
        (false, false) => None,
        _ if sticky => Some(Flaw::WritableByCustom(mode)),
        (false, true) if private_group => Some(Flaw::WritableByCustom(mode)),
        _ => Some(Flaw::Writable(mode)),
    }
}

/// Every weak spot of a path, of each folder above it and of each link that it leads through, the path's own first;
/// folders above `root` are not looked at.
pub fn weak_spots(path: &Path, root: &Path) -> io::Result<Vec<WeakSpot>> {
    let me = rustix::process::geteuid().as_raw();
    let mut found = BTreeMap::new();
    let mut ways = Vec::new();
    let whole = join(Path::new("/"), &std::path::absolute(path)?, &mut ways)?;
    ways.push(whole);
    let mut links = 0;
    while let Some(way) = ways.pop() {
        for part in way.ancestors().take_while(|part| part.starts_with(root)) {
            let metadata = part.symlink_metadata()?;
            if metadata.is_symlink() {
                links += 1;
                if links > MAX_LINKS {
                    return Err(rustix::io::Errno::LOOP.into());
                }
                let target = part.read_link()?;
                let whole = join(part.parent().unwrap_or(root), &target, &mut ways)?;
                ways.push(whole);
            }
            if let Some(flaw) = flaw_of(&metadata, me) {
                found.insert(part.to_owned(), flaw);
            }
        }
    }
    // The longest path is the file's own.
    let spots = found.into_iter().rev();
    Ok(spots.map(|(path, flaw)| WeakSpot { path, flaw }).collect())
}

/// `path` as seen from `folder`, without `..`: what is above a folder is asked of the kernel, for a link may lead to it.
/// Where that was asked, the way to it is one of `ways`.
fn join(folder: &Path, path: &Path, ways: &mut Vec<PathBuf>) -> io::Result<PathBuf> {
    let mut whole = folder.to_owned();
    for component in path.components() {
        match component {
            Component::RootDir => whole = "/".into(),
            Component::Normal(name) => whole.push(name),
            Component::ParentDir => {
                ways.push(whole.clone());
                whole = whole.canonicalize()?;
                whole.pop();
            }
            Component::CurDir | Component::Prefix(_) => {}
        }
    }
    Ok(whole)
}

/// A link has no mode of its own: only its owner counts.
fn flaw_of(metadata: &Metadata, me: u32) -> Option<Flaw> {
    let mode = match metadata.is_symlink() {
        true => 0,
        false => metadata.mode(),
    };
    flaw(metadata.uid(), metadata.gid(), mode, me)
}

/// Refuses a file that others could have written or put there. `what` is what it is to the tool. One that is not
/// there passes: whoever opens it tells of that.
pub fn check(what: &'static str, path: &Path) -> Result<(), Untrusted> {
    if is_absent(path) {
        return Ok(());
    }
    let spots = spots_of(what, path)?;
    let refused = |spot: &WeakSpot| !matches!(spot.flaw, Flaw::WritableByCustom(_));
    match spots.into_iter().find(refused) {
        None => Ok(()),
        Some(spot) => Err(Untrusted::Weak {
            what,
            path: path.to_owned(),
            spot,
        }),
    }
}

/// The same of a secret, which everybody must not be able to read, either.
pub fn check_secret(what: &'static str, path: &Path) -> Result<(), Untrusted> {
    if is_absent(path) {
        return Ok(());
    }
    check(what, path)?;
    let metadata = path.metadata().map_err(|source| Untrusted::Unseen {
        what,
        path: path.to_owned(),
        source,
    })?;
    let mode = metadata.mode() & 0o7777;
    if mode & EVERYBODY_READS == 0 {
        return Ok(());
    }
    Err(Untrusted::Weak {
        what,
        path: path.to_owned(),
        spot: WeakSpot {
            path: path.to_owned(),
            flaw: Flaw::Readable(mode),
        },
    })
}

fn is_absent(path: &Path) -> bool {
    let seen = path.metadata();
    seen.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn spots_of(what: &'static str, path: &Path) -> Result<Vec<WeakSpot>, Untrusted> {
    weak_spots(path, Path::new("/")).map_err(|source| Untrusted::Unseen {
        what,
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
