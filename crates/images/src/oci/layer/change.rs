//! What an entry of a layer does to the tree below it.

use crate::oci::bounds::Bounds;
use crate::oci::error::Fault;
use crate::oci::layer::entries::Entry;
use crate::oci::layer::header::RawKind;
use crate::oci::layer::path::{Parts, parts};
use std::rc::Rc;

const WHITEOUT: &[u8] = b".wh.";
/// What aufs keeps for itself; of these names one alone has a meaning in layers.
const PRIVATE: &[u8] = b".wh..wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// A change to the tree.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) path: Parts,
    pub(crate) what: What,
}

/// What happens at a path.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// Nothing of lower layers is there.
    Whiteout,
    /// Nothing of lower layers is in this folder.
    Opaque,
    Folder(Attributes),
    File(Rc<Inode>),
    /// A symbolic link to any text.
    Symlink(Rc<[u8]>),
    /// The same file under another name.
    HardLink(Parts),
    Special(Special),
}

/// What is kept of owner, times, mode and extended attributes: the mode, and counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Attributes {
    pub(crate) mode: u32,
    pub(crate) xattrs: u32,
    pub(crate) capabilities: u32,
}

/// A file under as many names as there are references to it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Inode {
    /// Of the spool, where its content is.
    pub(crate) number: u32,
    pub(crate) size: u64,
    pub(crate) attributes: Attributes,
}

/// What is not taken over, but stands where it is until the end: whiteouts and hard links may be of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Special {
    Device,
    Fifo,
}

/// The change that an entry stands for; `None` for what has no meaning. Of files the caller writes the content down and gives
/// its number.
pub(crate) fn of_entry(
    entry: &Entry,
    number: u32,
    bounds: &Bounds,
) -> Result<Option<Change>, Fault> {
    let mut path = parts(&entry.name, bounds)?;
    let last = path.last().cloned().unwrap_or_default();
    if path
        .iter()
        .any(|part| part.starts_with(PRIVATE) && **part != *OPAQUE)
    {
        return Ok(None);
    }
    let above = &path[..path.len().saturating_sub(1)];
    if above.iter().any(|part| part.starts_with(WHITEOUT)) {
        return Err(Fault::Name("it is inside a whiteout".to_owned()));
    }
    let what = if *last == *OPAQUE {
        path.pop();
        What::Opaque
    } else if let Some(name) = last.strip_prefix(WHITEOUT) {
        if name.is_empty() || name == b"." || name == b".." {
            return Err(Fault::Name("it is a whiteout of no name".to_owned()));
        }
        path.pop();
        path.push(Box::from(name));
        What::Whiteout
    } else {
        plain(entry, number, bounds)?
    };
    Ok(Some(Change { path, what }))
}

fn plain(entry: &Entry, number: u32, bounds: &Bounds) -> Result<What, Fault> {
    let attributes = Attributes {
        mode: entry.mode,
        xattrs: entry.xattrs,
        capabilities: entry.capabilities,
    };
    Ok(match entry.kind {
        RawKind::Folder => What::Folder(attributes),
        RawKind::Symlink => What::Symlink(target(&entry.link, bounds)?),
        RawKind::HardLink => What::HardLink(hard_target(&entry.link, bounds)?),
        RawKind::Device => What::Special(Special::Device),
        RawKind::Fifo => What::Special(Special::Fifo),
        _ => What::File(Rc::new(Inode {
            number,
            size: entry.size,
            attributes,
        })),
    })
}

/// Any text that a link can hold: where it leads is decided inside the guest.
fn target(link: &[u8], bounds: &Bounds) -> Result<Rc<[u8]>, Fault> {
    if link.is_empty() || link.contains(&0) {
        let what = "its target is empty or has a NUL byte";
        return Err(Fault::Name(what.to_owned()));
    }
    if link.len() > bounds.path_bytes {
        let what = format!("a link's target of {} bytes", link.len());
        return Err(Fault::bound(what, bounds.path_bytes as u64));
    }
    Ok(Rc::from(link))
}

fn hard_target(link: &[u8], bounds: &Bounds) -> Result<Parts, Fault> {
    let found = parts(link, bounds).map_err(|fault| match fault {
        Fault::Name(why) => {
            let target = crate::oci::error::shown(link);
            Fault::Name(format!("a hard link to {target}, of which {why}"))
        }
        other => other,
    })?;
    match found.is_empty() {
        true => Err(Fault::Name("a hard link to the root".to_owned())),
        false => Ok(found),
    }
}
