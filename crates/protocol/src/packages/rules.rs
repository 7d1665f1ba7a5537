//! What the operator lets programs have: nothing, unless it says so; by a list, or anything.
//!
//! Judged twice. What is asked for, before anything is fetched: with a list, every name must be in it. And what it was
//! resolved to: the versions of listed names must be listed, too, and there is a bound on how many come. What a listed
//! package depends on comes with it and need not be listed, for whoever lists a package vouches for its choice of
//! dependencies, and nobody could keep a list of all of them; where a dependency is listed with versions, they count.

use super::error::PackageError;
use super::node::NodeRequirement;
use super::python::PythonRequirement;
use super::range::Range;
use super::version::Version;
use super::{Registry, RequiredPackages};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::time::Duration;

/// Entries of a list.
const MAX_LISTED: usize = 10_000;
/// Bytes of an index's URL.
const MAX_URL_BYTES: usize = 2048;
/// What no rules can lift.
const MAX_PACKAGES: usize = 2000;
const MAX_MIB: u64 = 16 * 1024;
const MAX_SECONDS: u64 = 3600;

/// Which packages of one registry may be asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Allowed<R> {
    /// None.
    #[default]
    Off,
    /// These, in these versions.
    Listed(Vec<R>),
    /// All.
    Any,
}

/// The operator's decisions about packages that programs ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PackageRules {
    /// Of PyPI: `off`, `any`, or a list of names with or without versions (`pandas>=2,<4`).
    #[schemars(with = "Written")]
    pub python: Allowed<PythonRequirement>,
    /// Of npm's registry, likewise (`lodash@^4`).
    #[schemars(with = "Written")]
    pub node: Allowed<NodeRequirement>,
    /// The index of Python packages, a URL; what pip's environment says, when there is none.
    pub python_index: Option<String>,
    /// npm's registry, a URL; what npm's environment says, when there is none.
    pub npm_registry: Option<String>,
    /// Packages that may come with one program's, dependencies among them.
    #[schemars(range(min = 1, max = MAX_PACKAGES))]
    pub max_packages: usize,
    /// Their files together, in MiB.
    #[schemars(range(min = 1, max = MAX_MIB))]
    pub max_mib: u64,
    /// Time to resolve and fetch them, in seconds.
    #[schemars(range(min = 1, max = MAX_SECONDS))]
    pub max_seconds: u64,
}

impl Default for PackageRules {
    fn default() -> PackageRules {
        PackageRules {
            python: Allowed::Off,
            node: Allowed::Off,
            python_index: None,
            npm_registry: None,
            max_packages: 500,
            max_mib: 1024,
            max_seconds: 300,
        }
    }
}

impl PackageRules {
    /// Refuses rules that nobody could follow.
    pub fn check(&self) -> Result<(), PackageError> {
        let wrong = |what: String| Err(PackageError::Rules { what });
        for (field, url) in [
            ("python_index", &self.python_index),
            ("npm_registry", &self.npm_registry),
        ] {
            if let Some(url) = url.as_deref().filter(|url| !is_url(url)) {
                return wrong(format!("{field} is {url:?}, which is no http or https URL"));
            }
        }
        for (field, value, bound) in [
            (
                "max_packages",
                self.max_packages as u64,
                MAX_PACKAGES as u64,
            ),
            ("max_mib", self.max_mib, MAX_MIB),
            ("max_seconds", self.max_seconds, MAX_SECONDS),
        ] {
            if !(1..=bound).contains(&value) {
                return wrong(format!("{field} is {value}, allowed is 1 to {bound}"));
            }
        }
        Ok(())
    }

    /// Time to resolve and fetch.
    pub fn deadline(&self) -> Duration {
        Duration::from_secs(self.max_seconds)
    }

    /// Whether any packages of it may be asked for.
    pub fn are_on(&self, registry: Registry) -> bool {
        match registry {
            Registry::Pypi => self.python != Allowed::Off,
            Registry::Npm => self.node != Allowed::Off,
        }
    }

    /// The same rules for who decides for himself: any package may be asked for, from the same places, by the same bounds.
    #[must_use]
    pub fn with_any(self) -> PackageRules {
        PackageRules {
            python: Allowed::Any,
            node: Allowed::Any,
            ..self
        }
    }

    /// Whether these may be asked for.
    pub fn check_asked(&self, asked: &RequiredPackages) -> Result<(), PackageError> {
        if asked.is_empty() {
            return Ok(());
        }
        let off = PackageError::Off {
            registry: asked.registry(),
        };
        match asked {
            RequiredPackages::Python(all) => {
                self.python.check(all.iter().map(|one| &one.name), off)
            }
            RequiredPackages::Node(all) => self.node.check(all.iter().map(|one| &one.name), off),
        }
    }

    /// Whether what was asked for may be had as it was resolved: names with versions.
    pub fn check_resolved<'a>(
        &self,
        registry: Registry,
        resolved: impl ExactSizeIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), PackageError> {
        if resolved.len() > self.max_packages {
            return Err(PackageError::TooManyResolved {
                count: resolved.len(),
                bound: self.max_packages,
            });
        }
        match registry {
            Registry::Pypi => self.python.check_versions(resolved),
            Registry::Npm => self.node.check_versions(resolved),
        }
    }

    /// The listed Python packages that have versions: whoever resolves is to choose among those.
    pub fn python_constraints(&self) -> Vec<String> {
        match &self.python {
            Allowed::Listed(all) => {
                let narrow = all.iter().filter(|one| !one.versions.is_empty());
                narrow.map(ToString::to_string).collect()
            }
            Allowed::Off | Allowed::Any => Vec::new(),
        }
    }
}

/// An entry of a list.
pub trait ListEntry: fmt::Display + Sized {
    /// Reads a name, with versions or without.
    fn read(text: &str) -> Result<Self, PackageError>;
    /// Whose it is.
    fn name(&self) -> &str;
    /// Whether this version is meant.
    fn includes(&self, version: &str) -> bool;
}

impl ListEntry for PythonRequirement {
    fn read(text: &str) -> Result<Self, PackageError> {
        let entry = PythonRequirement::parse(text)?;
        match entry.is_name_with_versions() {
            true => Ok(entry),
            false => Err(PackageError::refused(
                text,
                "has more than a name and versions, all that a list can have",
            )),
        }
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn includes(&self, version: &str) -> bool {
        let version = Version::parse(version);
        version.is_some_and(|version| self.versions.contains(&version))
    }
}

impl ListEntry for NodeRequirement {
    fn read(text: &str) -> Result<Self, PackageError> {
        let entry = NodeRequirement::parse(text)?;
        match Range::parse(&entry.range) {
            Ok(Range::Versions(_)) => Ok(entry),
            _ => Err(PackageError::refused(
                text,
                "has a tag, which stands for other versions every day",
            )),
        }
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn includes(&self, version: &str) -> bool {
        let version = semver::Version::parse(version);
        // Without a range, what comes before a release is meant as well.
        let matches =
            |version| Range::parse(&self.range).is_ok_and(|range| range.contains(&version));
        self.range == "*" || version.is_ok_and(matches)
    }
}

impl<R: ListEntry> Allowed<R> {
    fn check<'a>(
        &self,
        mut names: impl Iterator<Item = &'a String>,
        off: PackageError,
    ) -> Result<(), PackageError> {
        match self {
            Allowed::Off => Err(off),
            Allowed::Any => Ok(()),
            Allowed::Listed(all) => {
                match names.find(|name| !all.iter().any(|one| one.name() == *name)) {
                    Some(name) => Err(PackageError::NotListed { name: name.clone() }),
                    None => Ok(()),
                }
            }
        }
    }

    fn check_versions<'a>(
        &self,
        mut resolved: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), PackageError> {
        let Allowed::Listed(all) = self else {
            return Ok(());
        };
        resolved.try_for_each(|(name, version)| {
            let mut listed = all.iter().filter(|one| one.name() == name).peekable();
            let Some(first) = listed.peek().map(ToString::to_string) else {
                return Ok(());
            };
            match listed.any(|one| one.includes(version)) {
                true => Ok(()),
                false => Err(PackageError::VersionNotListed {
                    name: name.to_owned(),
                    version: version.to_owned(),
                    listed: first,
                }),
            }
        })
    }
}

/// As a configuration has it.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Written {
    Word(String),
    List(Vec<String>),
}

impl<'de, R: ListEntry> Deserialize<'de> for Allowed<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = <D::Error as serde::de::Error>::custom::<String>;
        match Written::deserialize(deserializer)? {
            Written::Word(word) if word == "off" => Ok(Allowed::Off),
            Written::Word(word) if word == "any" => Ok(Allowed::Any),
            Written::Word(word) => Err(wrong(format!(
                "{word:?} is neither 'off' nor 'any' nor a list"
            ))),
            Written::List(all) if all.len() > MAX_LISTED => {
                Err(wrong(format!("has more than {MAX_LISTED} packages")))
            }
            Written::List(all) => {
                let entries: Result<Vec<R>, PackageError> =
                    all.iter().map(|text| R::read(text)).collect();
                entries
                    .map(Allowed::Listed)
                    .map_err(|error| wrong(error.to_string()))
            }
        }
    }
}

impl<R: ListEntry> Serialize for Allowed<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Allowed::Off => serializer.serialize_str("off"),
            Allowed::Any => serializer.serialize_str("any"),
            Allowed::Listed(all) => serializer.collect_seq(all.iter().map(ToString::to_string)),
        }
    }
}

fn is_url(url: &str) -> bool {
    let has_host = ["https://", "http://"].iter().any(|scheme| {
        url.strip_prefix(scheme)
            .is_some_and(|rest| !rest.starts_with('/') && !rest.is_empty())
    });
    has_host && url.len() <= MAX_URL_BYTES && url.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests;
