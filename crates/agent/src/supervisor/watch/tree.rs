//! What the kernel's events on watched folders mean. Pure: events in, steps out.
//!
//! A move is two events with one number, the second right after the first; a half alone is an entry that went, or came.

use protocol::supervisor::{Overflow, WatchEvent};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What came into a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// A folder, which may be watched.
    Folder,
    /// Anything else.
    Other,
}

/// Something that happened in, or to, a watched folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened<F> {
    /// A new entry.
    Came {
        folder: F,
        name: OsString,
        kind: Arrival,
    },
    /// An entry is gone.
    Removed { folder: F, name: OsString },
    /// A file's content changed.
    Changed { folder: F, name: OsString },
    /// The first half of a move.
    Left {
        folder: F,
        name: OsString,
        cookie: u32,
    },
    /// The second.
    Arrived {
        folder: F,
        name: OsString,
        kind: Arrival,
        cookie: u32,
    },
    /// The topmost folder itself is gone, or elsewhere.
    Went(F),
    /// The kernel watches it no more.
    Unwatched(F),
    /// The kernel's queue was full.
    Lost,
}

/// Something to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<F> {
    /// Tell it.
    Tell(WatchEvent),
    /// Watch a folder that came, and tell what is in it.
    Look { path: PathBuf, depth: u32 },
    /// Watch it no more.
    Forget(F),
    /// Nothing comes any more.
    Over,
}

/// A folder that is watched.
#[derive(Debug, Clone)]
struct Folder {
    path: PathBuf,
    /// Levels that are watched, this one included.
    depth: u32,
}

/// The first half of a move.
#[derive(Debug)]
struct Moving {
    path: PathBuf,
    cookie: u32,
}

/// All folders of one watch.
#[derive(Debug)]
pub struct Tree<F> {
    root: Folder,
    folders: BTreeMap<F, Folder>,
    moving: Option<Moving>,
    /// Told as changed since the batch began: writing a file is many events.
    changed: BTreeSet<PathBuf>,
}

impl<F: Copy + Ord> Tree<F> {
    pub fn new(root: F, path: PathBuf, depth: u32) -> Tree<F> {
        let folder = Folder { path, depth };
        Tree {
            root: folder.clone(),
            folders: [(root, folder)].into(),
            moving: None,
            changed: BTreeSet::new(),
        }
    }

    /// The topmost folder, and its levels.
    pub fn root(&self) -> (PathBuf, u32) {
        (self.root.path.clone(), self.root.depth)
    }

    /// How many are watched.
    pub fn folders(&self) -> usize {
        self.folders.len()
    }

    /// One more is watched.
    pub fn add(&mut self, folder: F, path: PathBuf, depth: u32) {
        self.folders.insert(folder, Folder { path, depth });
    }

    /// Whether a move waits for its second half.
    pub fn is_moving(&self) -> bool {
        self.moving.is_some()
    }

    /// What comes from here on is told even where it was told before.
    pub fn begin_batch(&mut self) {
        self.changed.clear();
    }

    /// The second half of a move did not come: the entry is gone.
    pub fn settle(&mut self) -> Vec<Step<F>> {
        let Some(Moving { path, .. }) = self.moving.take() else {
            return Vec::new();
        };
        let mut steps = self.forget_below(&path);
        steps.push(Step::Tell(WatchEvent::Removed { path: text(&path) }));
        steps
    }

    /// What is to be done about something that happened.
    pub fn on(&mut self, happened: Happened<F>) -> Vec<Step<F>> {
        if let Happened::Arrived {
            folder,
            name,
            kind,
            cookie,
        } = &happened
            && let Some(moving) = self.moving.take_if(|moving| moving.cookie == *cookie)
        {
            return match self.folders.get(folder).cloned() {
                Some(to) => self.moved(&moving.path, (&to, to.path.join(name)), *kind),
                None => Vec::new(),
            };
        }
        let mut steps = self.settle();
        steps.extend(self.on_one(happened));
        steps
    }

    fn on_one(&mut self, happened: Happened<F>) -> Vec<Step<F>> {
        match happened {
            Happened::Came { folder, name, kind }
            | Happened::Arrived {
                folder, name, kind, ..
            } => {
                let Some(parent) = self.folders.get(&folder) else {
                    return Vec::new();
                };
                let path = parent.path.join(name);
                let look = look(parent, &path, kind);
                let came = Step::Tell(WatchEvent::Created { path: text(&path) });
                std::iter::once(came).chain(look).collect()
            }
            Happened::Removed { folder, name } => {
                self.told(folder, name, |path| WatchEvent::Removed { path })
            }
            Happened::Changed { folder, name } => {
                let path = self.folders.get(&folder).map(|it| it.path.join(&name));
                match path.is_some_and(|path| self.changed.insert(path)) {
                    true => self.told(folder, name, |path| WatchEvent::Modified { path }),
                    false => Vec::new(),
                }
            }
            Happened::Left {
                folder,
                name,
                cookie,
            } => {
                let from = self.folders.get(&folder).map(|it| it.path.join(name));
                self.moving = from.map(|path| Moving { path, cookie });
                Vec::new()
            }
            Happened::Went(folder) => self.went(folder),
            Happened::Unwatched(folder) => {
                self.folders.remove(&folder);
                Vec::new()
            }
            Happened::Lost => {
                let of = Overflow::Events;
                vec![Step::Tell(WatchEvent::Overflow { of })]
            }
        }
    }

    fn told(
        &self,
        folder: F,
        name: OsString,
        event: impl FnOnce(String) -> WatchEvent,
    ) -> Vec<Step<F>> {
        let parent = self.folders.get(&folder);
        let told = parent.map(|parent| Step::Tell(event(text(&parent.path.join(name)))));
        told.into_iter().collect()
    }

    fn went(&mut self, folder: F) -> Vec<Step<F>> {
        let is_root = |it: &Folder| it.path == self.root.path;
        if !self.folders.get(&folder).is_some_and(is_root) {
            return Vec::new();
        }
        let path = text(&self.root.path);
        vec![Step::Tell(WatchEvent::Removed { path }), Step::Over]
    }

    /// A folder that moved is watched on under its new path, where it stays as deep as it was; else anew.
    fn moved(
        &mut self,
        from: &Path,
        (parent, to): (&Folder, PathBuf),
        kind: Arrival,
    ) -> Vec<Step<F>> {
        let (old, new) = (text(from), text(&to));
        let mut steps = vec![Step::Tell(WatchEvent::Moved {
            from: old,
            path: new,
        })];
        if kind == Arrival::Other {
            return steps;
        }
        let own = self.folders.values().find(|it| it.path == from);
        if own.is_some_and(|own| own.depth + 1 == parent.depth) {
            for folder in self.folders.values_mut() {
                if let Ok(below) = folder.path.strip_prefix(from) {
                    // An empty rest would add a slash.
                    folder.path = to.components().chain(below.components()).collect();
                }
            }
            return steps;
        }
        steps.extend(self.forget_below(from));
        steps.extend(look(parent, &to, kind));
        steps
    }

    /// Forgets a folder and those below it.
    fn forget_below(&mut self, path: &Path) -> Vec<Step<F>> {
        let mut forgotten = Vec::new();
        self.folders.retain(|folder, it| {
            let is_below = it.path.starts_with(path);
            if is_below {
                forgotten.push(Step::Forget(*folder));
            }
            !is_below
        });
        forgotten
    }
}

/// What a folder that came below this one takes.
fn look<F>(parent: &Folder, path: &Path, kind: Arrival) -> Option<Step<F>> {
    (kind == Arrival::Folder && parent.depth > 1).then(|| Step::Look {
        path: path.to_owned(),
        depth: parent.depth - 1,
    })
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
