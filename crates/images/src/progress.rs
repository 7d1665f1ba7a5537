//! How a build tells what it is at.

/// Receives the steps of a build.
pub trait Progress: Sync {
    /// A step, and how far the whole is: `done` of `total` units, `total` being `None` while unknown.
    fn step(&self, name: &str, done: u64, total: Option<u64>);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn step(&self, _: &str, _: u64, _: Option<u64>) {}
}

/// Gives each step of a build its place in the whole, in hundredths.
pub(crate) struct Phases<'a> {
    progress: &'a dyn Progress,
}

impl<'a> Phases<'a> {
    pub(crate) fn new(progress: &'a dyn Progress) -> Phases<'a> {
        Phases { progress }
    }

    /// A step that starts when `percent` of the build is done.
    pub(crate) fn at(&self, percent: u64, name: &str) {
        self.progress.step(name, percent.min(100), Some(100));
    }
}

/// What a caller of a build wants where there is a good image already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebuild {
    /// The one that is there.
    IfNeeded,
    /// A new one all the same.
    Always,
}
