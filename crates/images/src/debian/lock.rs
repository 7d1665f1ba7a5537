//! The lock: version and digest of each package that images are made of, as committed. With it, an image that is built on
//! another day is made of the same files, for as long as the archive has them.

use super::Unpacked;
use crate::error::ImageError;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// One line a package: name, version, SHA-256 of its archive. `images lock` prints it.
const TEXT: &str = include_str!("packages.lock");

/// How much the lock counts for a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LockUse {
    /// Its versions are taken where the archive still has them, else newer ones.
    #[default]
    Preferred,
    /// A package of another version fails the build.
    Required,
    /// The newest versions are taken.
    Ignored,
}

/// What a package is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Locked {
    pub(crate) version: String,
    pub(crate) sha256: String,
}

/// All packages that the lock names.
#[derive(Debug)]
pub(crate) struct Lock(BTreeMap<String, Locked>);

static OWN: LazyLock<Lock> = LazyLock::new(|| {
    // Part of the program, and read by its tests.
    Lock::parse(TEXT).unwrap_or_else(|line| panic!("packages.lock has the line {line:?}"))
});

impl Lock {
    /// The tool's own.
    pub(crate) fn own() -> &'static Lock {
        &OWN
    }

    /// The lock in this text, or the first line that is none of a lock's.
    fn parse(text: &str) -> Result<Lock, &str> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let package = |line: &str| {
            let mut words = line.split(' ');
            let (name, version, sha256) = (words.next()?, words.next()?, words.next()?);
            let is_digest = sha256.len() == 64 && hex::decode(sha256).is_ok();
            let locked = Locked {
                version: version.to_owned(),
                sha256: sha256.to_owned(),
            };
            (is_digest && words.next().is_none()).then(|| (name.to_owned(), locked))
        };
        let packages: Result<_, &str> = lines.map(|line| package(line).ok_or(line)).collect();
        packages.map(Lock)
    }

    pub(crate) fn packages(&self) -> impl Iterator<Item = (&str, &Locked)> {
        let packages = self.0.iter();
        packages.map(|(name, locked)| (name.as_str(), locked))
    }

    /// The version that it has of a package.
    pub(crate) fn version(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|locked| &*locked.version)
    }

    /// That no package of a locked version is another archive than the locked one.
    pub(super) fn check_digests(&self, unpacked: &[Unpacked]) -> Result<(), ImageError> {
        let differs = |package: &&Unpacked| {
            self.0.get(&package.name).is_some_and(|locked| {
                locked.version == package.version && locked.sha256 != package.sha256
            })
        };
        match unpacked.iter().find(differs) {
            None => Ok(()),
            Some(package) => Err(ImageError::unexpected(format!(
                "{} {} has the digest {}, which is not the lock's",
                package.name, package.version, package.sha256
            ))),
        }
    }

    /// That each package has the locked version.
    pub(super) fn check_versions(&self, unpacked: &[Unpacked]) -> Result<(), ImageError> {
        let moved = unpacked.iter().filter_map(|package| {
            let locked = self.version(&package.name)?;
            (locked != package.version)
                .then(|| format!("{} {} ({locked})", package.name, package.version))
        });
        let moved: Vec<String> = moved.collect();
        match moved.is_empty() {
            true => Ok(()),
            false => Err(ImageError::Moved { packages: moved }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(version: &str, sha256: &str) -> [Unpacked; 1] {
        [Unpacked {
            licence: String::new(),
            name: "bash".to_owned(),
            version: version.to_owned(),
            source: crate::manifest::PackageSource::Debian,
            sha256: sha256.to_owned(),
            files: Vec::new(),
        }]
    }

    #[test]
    fn a_package_of_another_digest_is_refused_and_a_newer_one_where_that_is_asked_for() {
        let digest = "a".repeat(64);
        let text = format!("# bookworm\nbash 5.2 {digest}\n");
        let lock = Lock::parse(&text).unwrap();
        assert!(lock.check_digests(&unpacked("5.2", &digest)).is_ok());
        assert!(lock.check_versions(&unpacked("5.2", &digest)).is_ok());
        let error = lock.check_digests(&unpacked("5.2", "b")).unwrap_err();
        assert!(error.to_string().contains("bash 5.2"), "{error}");
        assert!(lock.check_digests(&unpacked("5.3", "b")).is_ok());
        let error = lock.check_versions(&unpacked("5.3", "b")).unwrap_err();
        assert!(error.to_string().contains("bash 5.3 (5.2)"), "{error}");
    }

    #[test]
    fn a_line_that_is_none_of_a_locks_is_told() {
        for line in ["bash 5.2", "bash 5.2 abc", "bash", ""] {
            assert_eq!(Lock::parse(line).err().unwrap_or(""), line);
        }
        assert!(Lock::own().version("libc6").is_some());
    }
}
