//! The tree on disk: made by open folders, never by paths, out of a listing that is checked again and a spool.
//!
//! Everything becomes the caller's, and root's when it is packed. Contents are renamed into place, or linked where several names
//! are of one file. Times are not kept: the packer sets all to zero.

use crate::error::ImageError;
use crate::oci::bounds::Bounds;
use crate::oci::error::shown;
use crate::oci::flatten::jail;
use crate::oci::flatten::listing::{Content, Item};
use crate::oci::flatten::plan::TREE;
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RenameFlags, fchmod, fstat, linkat, mkdirat, openat,
    renameat_with, symlinkat,
};
use rustix::io::Errno;
use std::fs;
use std::io::{self, BufReader};
use std::os::fd::OwnedFd;
use std::path::Path;

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
/// Those of contents: a pipe that stands in for one is not waited for.
const CONTENT: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);
const NEW: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Folders are for all to enter, and for the owner to change: the sticky bit stays, as `/tmp` has it.
pub(crate) fn folder_mode(mode: u32) -> u32 {
    mode & 0o1777 | 0o755
}

/// Files are for all to read, as the job is not the user that the image's builder had in mind; for all to run if they were for
/// anybody. Setuid and setgid bits go.
pub(crate) fn file_mode(mode: u32) -> u32 {
    let run = if mode & 0o111 != 0 { 0o111 } else { 0 };
    mode & 0o777 | 0o444 | run
}

/// Makes the new folder `root` of what a child left in `spool`.
pub(crate) fn materialise(spool: &Path, root: &Path, bounds: &Bounds) -> Result<(), ImageError> {
    let listing = jail::open(&spool.join(TREE)).map_err(ImageError::io("reading", spool))?;
    let mut listing = BufReader::new(listing);
    fs::create_dir(root).map_err(ImageError::io("creating", root))?;
    let open = |path: &Path| {
        let opened = rustix::fs::open(path, FOLDER, Mode::empty());
        opened.map_err(|error| ImageError::io("opening", path)(error.into()))
    };
    let mut maker = Maker {
        spool: open(spool)?,
        above: Vec::new(),
        here: None,
        first: Some(open(root)?),
        depth: bounds.depth,
    };
    loop {
        let item = Item::read(&mut listing).map_err(ImageError::io("reading", spool))?;
        let made = maker.make(&item);
        match made.map_err(|error| failed(&item, error, root))? {
            Step::More => {}
            Step::Done => return Ok(()),
        }
    }
}

fn failed(item: &Item, error: io::Error, root: &Path) -> ImageError {
    let name = match item {
        Item::Enter { name, .. } | Item::File { name, .. } | Item::Symlink { name, .. } => name,
        Item::Leave => return ImageError::io("creating", root)(error),
    };
    ImageError::io("creating", &root.join(format!("…/{}", shown(name))))(error)
}

#[derive(PartialEq, Eq)]
enum Step {
    More,
    Done,
}

struct Maker {
    spool: OwnedFd,
    /// The folders above the one that is being filled.
    above: Vec<(OwnedFd, u16)>,
    /// The one that is being filled, and the mode that it gets at its end.
    here: Option<(OwnedFd, u16)>,
    /// The root, until the listing enters it.
    first: Option<OwnedFd>,
    depth: usize,
}

impl Maker {
    fn make(&mut self, item: &Item) -> io::Result<Step> {
        match item {
            Item::Enter { name, mode } => self.enter(name, *mode)?,
            Item::Leave => return self.leave(),
            Item::Symlink { name, target } => {
                symlinkat(&target[..], self.folder()?, checked(name)?)?;
            }
            Item::File {
                name,
                mode,
                number,
                content,
            } => {
                let mode = Mode::from_raw_mode(file_mode(u32::from(*mode)));
                let name = checked(name)?;
                match content {
                    Content::Empty => {
                        let file = openat(self.folder()?, name, NEW, mode)?;
                        fchmod(&file, mode)?;
                    }
                    Content::Own | Content::Shared => {
                        let number = number.to_string();
                        self.content(&number, mode)?;
                        self.place(&number, name, *content)?;
                    }
                }
            }
        }
        Ok(Step::More)
    }

    fn folder(&self) -> io::Result<&OwnedFd> {
        let (folder, _) = self.here.as_ref().ok_or_else(|| wrong("names no root"))?;
        Ok(folder)
    }

    fn enter(&mut self, name: &[u8], mode: u16) -> io::Result<()> {
        let entered = match self.first.take() {
            Some(root) => root,
            None => {
                let folder = self.folder()?;
                let name = checked(name)?;
                mkdirat(folder, name, Mode::from_raw_mode(0o700))?;
                openat(folder, name, FOLDER, Mode::empty())?
            }
        };
        self.above.extend(self.here.replace((entered, mode)));
        match self.above.len() > self.depth {
            true => Err(wrong("is deeper than its bound")),
            false => Ok(()),
        }
    }

    fn leave(&mut self) -> io::Result<Step> {
        let (folder, mode) = self.here.take().ok_or_else(|| wrong("leaves its root"))?;
        fchmod(&folder, Mode::from_raw_mode(folder_mode(u32::from(mode))))?;
        self.here = self.above.pop();
        Ok(if self.here.is_some() {
            Step::More
        } else {
            Step::Done
        })
    }

    /// Gives a file of the spool its mode, if it is one.
    fn content(&self, number: &str, mode: Mode) -> io::Result<()> {
        let file = openat(&self.spool, number, CONTENT, Mode::empty())?;
        let stat = fstat(&file)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok(fchmod(&file, mode)?),
            _ => Err(wrong("has no plain file for a content")),
        }
    }

    fn place(&self, number: &str, name: &[u8], content: Content) -> io::Result<()> {
        let folder = self.folder()?;
        let linked = || linkat(&self.spool, number, folder, name, AtFlags::empty());
        if content == Content::Shared {
            return Ok(linked()?);
        }
        let once = RenameFlags::NOREPLACE;
        match renameat_with(&self.spool, number, folder, name, once) {
            // Not every file system can.
            Err(Errno::INVAL | Errno::NOSYS) => Ok(linked()?),
            renamed => Ok(renamed?),
        }
    }
}

/// The name of something in a folder, and of nothing else.
fn checked(name: &[u8]) -> io::Result<&[u8]> {
    let plain = !name.is_empty() && name != b"." && name != b".." && !name.contains(&b'/');
    match plain {
        true => Ok(name),
        false => Err(wrong("has a name that is none")),
    }
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the listing of the tree {what}"),
    )
}
