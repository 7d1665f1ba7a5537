//! A language's image with packages that a program asks for: made once for each resolved set, found again by it.

use super::record::Origin;
use super::{Named, base};
use crate::digest;
use crate::error::ImageError;
use crate::file_age;
use crate::manifest::write_atomically;
use crate::progress::{Phases, Progress};
use crate::resolve::Resolved;
use crate::rootfs;
use crate::store::ImageStore;
use crate::target::PythonFolder;
use languages::RootImage;
use languages::image::Finish;
use protocol::packages::rules::PackageRules;
use protocol::packages::{Registry, RequiredPackages};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// Below the store's root: what requests were resolved to.
const ASKED: &str = "asked";
/// So long the same request means the same set: newer versions are found after it.
const ASKED_AGE: Duration = Duration::from_secs(24 * 3600);
/// What a set may add to the image below, where files come out larger than their archives.
const GROWTH: u64 = 4;
/// Compiles what the packages brought, and nothing else: nothing of them is run.
const COMPILE: &str = "
import importlib.util, os, py_compile, sys
for folder, _, files in os.walk(sys.argv[1]):
    for name in files:
        path = os.path.join(folder, name)
        if name.endswith('.py') and not os.path.islink(path):
            try:
                py_compile.compile(path, doraise=True, quiet=1,
                    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
            except (py_compile.PyCompileError, UnicodeError, ValueError, RecursionError, OSError):
                pass
";

/// What is to be made of a request.
struct Made<'a> {
    set: &'a PackageSet<'a>,
    resolved: &'a Resolved,
    name: String,
    /// The digest that its name is of.
    inputs: String,
    /// The size of the image below.
    below_mib: u64,
}

/// Packages on top of an image.
#[derive(Debug, Clone, Copy)]
pub struct PackageSet<'a> {
    /// The image below.
    pub base: RootImage,
    /// What is asked for.
    pub asked: &'a RequiredPackages,
    /// The operator's rules.
    pub rules: &'a PackageRules,
}

impl PackageSet<'_> {
    /// The same request for the same image by the same rules.
    fn key(&self, base_sha256: &str) -> String {
        let (asked, rules) = (self.asked.lines().join("\n"), format!("{:?}", self.rules));
        let registry = self.asked.registry();
        digest::sha256(format!("{base_sha256}\n{rules}\n{registry}\n{asked}").as_bytes())
    }
}

impl ImageStore {
    /// The image that has these packages, if the same was asked for within a day and it is still there. Cheap.
    pub fn known_packages(&self, set: &PackageSet<'_>) -> Option<RootImage> {
        let base = self.read_rootfs(set.base).ok()?;
        let path = self.asked_file(&set.key(&base.image.sha256));
        if file_age::of(&path)? > ASKED_AGE {
            return None;
        }
        let name = fs::read_to_string(&path).ok()?;
        self.adopt(&name)
    }

    /// The image that has these packages, made if it is not there.
    pub fn with_packages(
        &self,
        set: &PackageSet<'_>,
        progress: &dyn Progress,
    ) -> Result<RootImage, ImageError> {
        set.rules
            .check_asked(set.asked)
            .map_err(crate::resolve::ResolveError::from)?;
        if let Some(image) = self.known_packages(set) {
            return Ok(image);
        }
        let phases = Phases::new(progress);
        let below = self.rootfs(set.base)?;
        phases.at(0, "resolving the packages");
        let lock = base_lock(set.base);
        let resolved = self.resolver(set.rules).resolve(set.asked, lock)?;
        let inputs =
            digest::sha256(format!("{}\n{}", below.image.sha256, resolved.digest).as_bytes());
        let made = Made {
            set,
            resolved: &resolved,
            name: languages::custom::package_set_name(&inputs),
            inputs,
            below_mib: below.image.size >> 20,
        };
        let image = match self.made_of(&made.name, &made.inputs) {
            Some(image) => image,
            None => self.make_set(&made, &phases)?,
        };
        self.remember(&set.key(&below.image.sha256), &made.name)?;
        Ok(image)
    }

    fn make_set(&self, made: &Made<'_>, phases: &Phases<'_>) -> Result<RootImage, ImageError> {
        let Made {
            set,
            resolved,
            name,
            inputs,
            below_mib,
        } = made;
        let _lock = self.lock(phases)?;
        // Another request may have waited for the same.
        if let Some(image) = self.made_of(name, inputs) {
            return Ok(image);
        }
        let scratch = self.scratch()?;
        let mut tree = base::image(self, set.base.name(), scratch.path(), phases)?;
        phases.at(30, "fetching the packages");
        let wanted = resolved.beyond(base_lock(set.base))?;
        let added = wanted.unpack(set.rules, &tree.root, &|_| false)?;
        tree.packages.extend(added);
        tree.origin = Origin::Packages {
            inputs: inputs.clone(),
            base: set.base.name().to_owned(),
        };
        if resolved.registry == Registry::Pypi && !set.base.is_custom() {
            phases.at(60, "compiling the packages");
            rootfs::run_inside(&tree.root, &compile())?;
        }
        let named = Named {
            name,
            about: "a language's image with packages",
            max_mib: below_mib + 1 + GROWTH.saturating_mul(set.rules.max_mib).min(4096),
        };
        let image = self.keep_custom(tree, &named, phases)?;
        self.evict(image)?;
        Ok(image)
    }

    fn asked_file(&self, key: &str) -> PathBuf {
        self.root.join(ASKED).join(key)
    }

    fn remember(&self, key: &str, name: &str) -> Result<(), ImageError> {
        let folder = self.root.join(ASKED);
        fs::create_dir_all(&folder).map_err(ImageError::io("creating", &folder))?;
        file_age::sweep(&folder, ASKED_AGE);
        write_atomically(&self.asked_file(key), name.as_bytes())
    }
}

/// The lock file of the Python packages that an image of the tool's has.
fn base_lock(image: RootImage) -> &'static [u8] {
    let name = image.recipe().pip.as_deref();
    name.and_then(|name| image.companion(name))
        .unwrap_or_default()
}

fn compile() -> Finish {
    let folder = format!("/{}", PythonFolder::Local.path());
    let argv = ["/usr/bin/python3", "-I", "-S", "-c", COMPILE, &folder];
    Finish {
        doing: "compiling the packages".to_owned(),
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        env: BTreeMap::from([("PYTHONHASHSEED".to_owned(), "0".to_owned())]),
    }
}
