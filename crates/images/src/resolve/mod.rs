//! Which packages, in which versions, a program needs that asks for some: found by the registries' own resolvers,
//! written down with the digest of every file, so that the same set is the same wherever it is asked for.
//!
//! In the order in which a request meets them:
//!
//! - `protocol::packages` has read it, and what the operator says of it
//! - `tools`: the resolvers, `uv` and `npm`, brought once, as a lock file of this tool names them
//! - `jail`: the sandbox that they run in, with the host's network and nothing else of it
//! - `python`, with an `interpreter` that is only described; `node`
//! - `words`: what they say when they fail, as a client may be shown it
//! - [`set`]: what came of it
//!
//! Nothing of a package is run, here or when it is unpacked: only wheels are taken, and npm's scripts are left alone.

mod error;
mod interpreter;
mod jail;
mod node;
mod python;
pub mod set;
mod tools;
mod words;

pub use error::ResolveError;
pub use interpreter::PYTHON_VERSION;
pub use set::{Resolved, ResolvedPackage};

use crate::debian::Unpacked;
use crate::error::ImageError;
use crate::manifest::Package;
use crate::store::ImageStore;
use crate::target::Target;
use crate::{npm, pypi};
use protocol::packages::rules::PackageRules;
use protocol::packages::{Registry, RequiredPackages};
use std::path::{Path, PathBuf};
use std::time::Instant;
use tools::Tools;

/// Below the store's root.
const TOOLS: &str = "tools";

/// Finds packages by the operator's rules. Blocking; any number may work at a time.
#[derive(Debug)]
pub struct Resolver<'a> {
    tools: Tools,
    rules: &'a PackageRules,
}

impl ImageStore {
    /// A resolver whose tools are kept in this store.
    pub fn resolver<'a>(&self, rules: &'a PackageRules) -> Resolver<'a> {
        Resolver::new(&self.root.join(TOOLS), rules)
    }
}

impl<'a> Resolver<'a> {
    /// A resolver whose tools are kept in this folder, which is made when it is needed.
    pub fn new(tools: &Path, rules: &'a PackageRules) -> Resolver<'a> {
        Resolver {
            tools: Tools::in_folder(tools),
            rules,
        }
    }

    /// The set of packages that fits what is asked for, judged by the rules before and after. `base` is the lock file of
    /// Python packages that the image below has, or empty: the set has the same versions wherever those fit.
    pub fn resolve(&self, asked: &RequiredPackages, base: &[u8]) -> Result<Resolved, ResolveError> {
        self.rules.check()?;
        self.rules.check_asked(asked)?;
        let resolved = match asked {
            RequiredPackages::Python(all) => self.python(all, base)?,
            RequiredPackages::Node(all) => self.node(all)?,
        };
        let packages = resolved.packages.iter();
        let packages = packages.map(|one| (one.name.as_str(), one.version.as_str()));
        self.rules.check_resolved(resolved.registry, packages)?;
        Ok(resolved)
    }
}

impl Resolved {
    /// Brings its packages into the folder `tree`: Python's where Debian's looks, Node's into `node_modules` at the root,
    /// where every program finds them. `is_taken` says whether the image below has a path already: no package replaces
    /// what is not a module. By the rules' bounds; what came until one was met stays in the tree.
    pub fn unpack(
        &self,
        rules: &PackageRules,
        tree: &Path,
        is_taken: &dyn Fn(&Path) -> bool,
    ) -> Result<Vec<Package>, ResolveError> {
        let unpacked = self.unpack_by(rules, tree, is_taken);
        let unpacked = unpacked.map_err(|error| match error {
            ImageError::PackagesTooLarge { package } => ResolveError::TooLarge {
                package,
                max_mib: rules.max_mib,
            },
            ImageError::PackagesTooLate { .. } => ResolveError::TooLong {
                seconds: rules.max_seconds,
            },
            error => error.into(),
        })?;
        Ok(unpacked.iter().map(Unpacked::package).collect())
    }

    fn unpack_by(
        &self,
        rules: &PackageRules,
        tree: &Path,
        is_taken: &dyn Fn(&Path) -> bool,
    ) -> Result<Vec<Unpacked>, ImageError> {
        let mut target = Target::asked(tree, is_taken, rules.max_mib);
        target.until = Some(Instant::now() + rules.deadline());
        match self.registry {
            Registry::Pypi => {
                let index = pypi::index(rules.python_index.as_deref());
                pypi::unpack_from(&index, &self.lock, &mut target, |_| {})
            }
            Registry::Npm => {
                let registry = npm::registry(rules.npm_registry.as_deref());
                npm::unpack_from(&registry, &self.lock, "", &mut target)
            }
        }
    }
}

/// A folder of its own for one request: what is asked, and what is written of it.
fn request_folder() -> Result<tempfile::TempDir, ResolveError> {
    let folder = tempfile::Builder::new().prefix("packages-").tempdir();
    folder.map_err(|error| {
        ResolveError::from(ImageError::io(
            "creating a folder in",
            &std::env::temp_dir(),
        )(error))
    })
}

fn write_request(folder: &Path, name: &str, text: &str) -> Result<PathBuf, ResolveError> {
    let path = folder.join(name);
    std::fs::write(&path, text).map_err(ImageError::io("writing", &path))?;
    Ok(path)
}

#[cfg(test)]
mod tests;
