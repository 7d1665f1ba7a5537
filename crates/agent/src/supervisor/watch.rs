//! A watch on a folder, done by a child as every file operation is: what the kernel tells of it, a line each. A line
//! that nobody takes stops the child; then the kernel's queue, which is bounded, overflows, and that is told.
//!
//! ```text
//!   folders   the kernel's watches, one a folder     tree   what their events mean, pure
//! ```

mod folders;
mod tree;

use crate::error::FileFailure;
use folders::{Folders, Watched, happened};
use nix::sys::inotify::WatchDescriptor;
use protocol::supervisor::{MAX_WATCHED_FOLDERS, Overflow, WatchEvent};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tree::{Step, Tree};

/// Tells what changes in a folder until it is gone; how many bytes that were.
pub fn watch(path: &Path, depth: u32, into: File) -> Result<u64, FileFailure> {
    let folders = Folders::begin().map_err(|error| ("watch", error))?;
    let root = folders.watch_root(path);
    let root = root.map_err(|error| ("watch the folder", error))?;
    let mut watch = Watch {
        tree: Tree::new(root, path.to_owned(), depth),
        folders,
        told: Lines { into, bytes: 0 },
        has_all: true,
    };
    watch.run().map_err(|error| ("watch", error))?;
    Ok(watch.told.bytes)
}

struct Watch {
    folders: Folders,
    tree: Tree<WatchDescriptor>,
    told: Lines,
    /// Every folder that it should watch is watched.
    has_all: bool,
}

/// Where it goes.
struct Lines {
    into: File,
    bytes: u64,
}

/// Whether what is found is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Telling {
    /// It was there before.
    Silent,
    /// It came.
    Aloud,
}

/// Whether the watch goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Course {
    GoesOn,
    Over,
}

impl Lines {
    fn tell(&mut self, event: &WatchEvent) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.into.write_all(&line)?;
        self.bytes += line.len() as u64;
        Ok(())
    }
}

impl Watch {
    fn run(&mut self) -> io::Result<()> {
        let (root, depth) = self.tree.root();
        // Before the first word, so that nothing after it is missed.
        self.look(root, depth, Telling::Silent)?;
        let folders = self.tree.folders() as u32;
        self.told.tell(&WatchEvent::Watching { folders })?;
        loop {
            self.tell_overflow()?;
            if self.tree.is_moving() && !self.folders.has_more()? {
                // The other half of the move is not coming.
                let steps = self.tree.settle();
                self.carry_out(steps)?;
            }
            self.tree.begin_batch();
            for event in self.folders.read()? {
                let Some(happened) = happened(event) else {
                    continue;
                };
                let steps = self.tree.on(happened);
                if self.carry_out(steps)? == Course::Over {
                    return Ok(());
                }
            }
        }
    }

    fn carry_out(&mut self, steps: Vec<Step<WatchDescriptor>>) -> io::Result<Course> {
        for step in steps {
            match step {
                Step::Tell(event) => self.told.tell(&event)?,
                Step::Forget(folder) => self.folders.forget(folder),
                Step::Look { path, depth } => {
                    if self.watch_one(&path, depth)? {
                        self.look(path, depth, Telling::Aloud)?;
                    }
                }
                Step::Over => return Ok(Course::Over),
            }
        }
        Ok(Course::GoesOn)
    }

    /// Watches a folder; `false`: it is gone, may not be read, or is one too many.
    fn watch_one(&mut self, path: &Path, depth: u32) -> io::Result<bool> {
        if self.tree.folders() >= MAX_WATCHED_FOLDERS {
            self.has_all = false;
            return Ok(false);
        }
        match self.folders.watch(path)? {
            Watched::Yes(folder) => self.tree.add(folder, path.to_owned(), depth),
            Watched::Absent => return Ok(false),
            Watched::TooMany => {
                self.has_all = false;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Goes through a folder that is watched, and watches those below it. An entry at a time: a folder of millions
    /// is not held.
    fn look(&mut self, path: PathBuf, depth: u32, telling: Telling) -> io::Result<()> {
        let mut waiting = vec![(path, depth)];
        while let Some((folder, depth)) = waiting.pop() {
            // Gone meanwhile, or not to be read.
            let Ok(entries) = fs::read_dir(&folder) else {
                continue;
            };
            for entry in entries.flatten() {
                let path = entry.path();
                if telling == Telling::Aloud {
                    let path = path.to_string_lossy().into_owned();
                    self.told.tell(&WatchEvent::Created { path })?;
                }
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                if is_folder && depth > 1 && self.watch_one(&path, depth - 1)? {
                    waiting.push((path, depth - 1));
                }
            }
        }
        Ok(())
    }

    /// Says once more each time that there are folders too many.
    fn tell_overflow(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.has_all, true) {
            return Ok(());
        }
        let of = Overflow::Folders;
        self.told.tell(&WatchEvent::Overflow { of })
    }
}
