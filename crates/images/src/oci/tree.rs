//! The tree of an image, in memory: names, kinds and modes. Contents are elsewhere, by number.
//!
//! A layer's whiteouts are applied before anything else of it, wherever they stand in its archive: they are of lower layers, and
//! what a layer hides and adds under one name is added.

use crate::oci::bounds::Bounds;
use crate::oci::error::{Fault, shown};
use crate::oci::layer::change::{Attributes, Change, Inode, Special, What};
use crate::oci::layer::path::{Parts, check_depth};
use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// Links that are followed on the way to a file, as Linux has it.
const MAX_LINKS: usize = 40;
/// Parts of a path on the way: of the longest, and of a target in its midst.
const MAX_PARTS: usize = 4096;
/// Of folders that no entry names.
const IMPLIED_MODE: u32 = 0o755;

/// What stands under a name.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Folder(Folder),
    File(Rc<Inode>),
    /// Counted, for hard links may lead to it.
    Symlink(Rc<[u8]>),
    Special(Special),
}

#[derive(Debug, Clone)]
pub(crate) struct Folder {
    pub(crate) attributes: Attributes,
    pub(crate) children: BTreeMap<Box<[u8]>, Node>,
}

impl Default for Folder {
    fn default() -> Folder {
        let attributes = Attributes {
            mode: IMPLIED_MODE,
            ..Attributes::default()
        };
        Folder {
            attributes,
            children: BTreeMap::new(),
        }
    }
}

/// A tree that grows by layers.
#[derive(Debug)]
pub(crate) struct Tree<'a> {
    pub(crate) root: Folder,
    bounds: &'a Bounds,
    /// Nodes that may still be made.
    files_left: u64,
}

/// What is wrong, and at which path.
pub(crate) type Misplaced = (String, Fault);

impl<'a> Tree<'a> {
    pub(crate) fn new(bounds: &'a Bounds) -> Tree<'a> {
        Tree {
            root: Folder::default(),
            bounds,
            files_left: bounds.files,
        }
    }

    /// Puts a layer on top.
    pub(crate) fn apply(&mut self, layer: Vec<Change>) -> Result<(), Misplaced> {
        let hides = |change: &Change| matches!(change.what, What::Whiteout | What::Opaque);
        // From the root downwards: what is hidden is not looked into, in whatever order an archive has them.
        let mut hiding: Vec<&Change> = layer.iter().filter(|change| hides(change)).collect();
        hiding.sort_by_key(|change| change.path.len());
        for change in hiding {
            self.hide(change);
        }
        for change in layer.into_iter().filter(|change| !hides(change)) {
            let place = shown(&change.path.join(&b'/'));
            self.put(change).map_err(|fault| (place, fault))?;
        }
        Ok(())
    }

    /// Where there is nothing to be hidden, nothing is.
    fn hide(&mut self, change: &Change) {
        let Change { path, what } = change;
        let above = match what {
            What::Opaque => &path[..],
            _ => &path[..path.len().saturating_sub(1)],
        };
        let Ok(place) = self.resolve(above) else {
            return;
        };
        let Some(folder) = self.folder(&place) else {
            return;
        };
        match (what, path.last()) {
            (What::Whiteout, Some(name)) => drop(folder.children.remove(name)),
            _ => folder.children.clear(),
        }
    }

    fn put(&mut self, change: Change) -> Result<(), Fault> {
        let Change { path, what } = change;
        let Some((name, above)) = path.split_last() else {
            return match what {
                What::Folder(attributes) => {
                    self.root.attributes = attributes;
                    Ok(())
                }
                _ => Err(Fault::Tree("the root is to be a folder".to_owned())),
            };
        };
        let place = self.resolve(above)?;
        check_depth(place.len() + 1, self.bounds)?;
        let node = self.node(what)?;
        count(&mut self.files_left, self.bounds)?;
        let folder = self.make(place)?;
        match (folder.children.get_mut(name), node) {
            // What is in it stays.
            (Some(Node::Folder(old)), Node::Folder(new)) => old.attributes = new.attributes,
            (Some(old), new) => *old = new,
            (None, new) => drop(folder.children.insert(name.clone(), new)),
        }
        Ok(())
    }

    fn node(&self, what: What) -> Result<Node, Fault> {
        Ok(match what {
            What::Folder(attributes) => Node::Folder(Folder {
                attributes,
                children: BTreeMap::new(),
            }),
            What::File(inode) => Node::File(inode),
            What::Symlink(target) => Node::Symlink(target),
            What::Special(special) => Node::Special(special),
            What::HardLink(target) => self.linked(&target)?,
            What::Whiteout | What::Opaque => {
                return Err(Fault::Tree("a whiteout is no file".to_owned()));
            }
        })
    }

    /// What a hard link leads to: a name is followed to its folder, and no further.
    fn linked(&self, target: &Parts) -> Result<Node, Fault> {
        let shown = || shown(&target.join(&b'/'));
        let absent = || Fault::Tree(format!("a hard link to {}, which is not there", shown()));
        let (name, above) = target.split_last().ok_or_else(absent)?;
        let place = self.resolve(above)?;
        let folder = self.look(&place).ok_or_else(absent)?;
        match folder.children.get(name).ok_or_else(absent)? {
            Node::Folder(_) => Err(Fault::Tree(format!("a hard link to {}, a folder", shown()))),
            other => Ok(other.clone()),
        }
    }

    /// Where a folder's path leads in this tree, links followed as if its root were the system's. Ends in names that are not
    /// there, if the path does.
    fn resolve(&self, path: &[Box<[u8]>]) -> Result<Parts, Fault> {
        let mut rest: VecDeque<Box<[u8]>> = path.iter().cloned().collect();
        let mut place: Parts = Vec::new();
        // The folders above and at `place`, as far as they are there.
        let mut folders = vec![&self.root];
        let mut links = 0;
        while let Some(part) = rest.pop_front() {
            if *part == *b".." {
                if folders.len() > place.len() {
                    folders.truncate(place.len().max(1));
                }
                place.pop();
                continue;
            }
            let here = folders.get(place.len());
            match here.and_then(|folder| folder.children.get(&part)) {
                Some(Node::Symlink(target)) => {
                    links += 1;
                    if links > MAX_LINKS || rest.len() > MAX_PARTS {
                        return Err(Fault::Tree("too many links lead to it".to_owned()));
                    }
                    if target.starts_with(b"/") {
                        place.clear();
                        folders.truncate(1);
                    }
                    follow(target, &mut rest);
                }
                Some(Node::Folder(folder)) => {
                    folders.push(folder);
                    place.push(part);
                }
                Some(Node::File(_) | Node::Special(_)) => {
                    let what = format!("{} above it is no folder", shown(&part));
                    return Err(Fault::Tree(what));
                }
                None => place.push(part),
            }
        }
        Ok(place)
    }

    fn look(&self, place: &[Box<[u8]>]) -> Option<&Folder> {
        place.iter().try_fold(&self.root, |folder, part| {
            match folder.children.get(part)? {
                Node::Folder(next) => Some(next),
                _ => None,
            }
        })
    }

    fn folder(&mut self, place: &[Box<[u8]>]) -> Option<&mut Folder> {
        place.iter().try_fold(&mut self.root, |folder, part| {
            match folder.children.get_mut(part)? {
                Node::Folder(next) => Some(next),
                _ => None,
            }
        })
    }

    /// The folder at a place where links are followed already; makes what is not there.
    fn make(&mut self, place: Parts) -> Result<&mut Folder, Fault> {
        let mut folder = &mut self.root;
        for part in place {
            let next = match folder.children.entry(part) {
                Slot::Occupied(there) => there.into_mut(),
                Slot::Vacant(free) => {
                    count(&mut self.files_left, self.bounds)?;
                    free.insert(Node::Folder(Folder::default()))
                }
            };
            match next {
                Node::Folder(next) => folder = next,
                _ => return Err(Fault::Tree("a folder above it is none".to_owned())),
            }
        }
        Ok(folder)
    }
}

/// Takes one of the nodes that may still be made.
fn count(left: &mut u64, bounds: &Bounds) -> Result<(), Fault> {
    let fewer = left.checked_sub(1);
    *left = fewer.ok_or_else(|| Fault::bound("more files", bounds.files))?;
    Ok(())
}

/// Puts a link's target in front of what is left of a path.
fn follow(target: &[u8], rest: &mut VecDeque<Box<[u8]>>) {
    let parts = target.split(|byte| *byte == b'/');
    let parts = parts.filter(|part| !part.is_empty() && *part != b".");
    for part in parts.rev() {
        rest.push_front(Box::from(part));
    }
}
