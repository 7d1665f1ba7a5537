//! Packages that a program needs besides what its language's image has: what a client may ask for, and what the
//! operator lets it have. Pure: what is asked is read and judged here, and resolved by the `images` crate.
//!
//! In the order in which a request meets them:
//!
//! - [`script`]: the header of a Python program that names them (PEP 723); [`package_json`]: the file beside a Node program
//! - [`python`], [`node`]: one requirement each; with [`specifiers`] of a [`version`] and a [`marker`], or a [`range`]
//! - [`RequiredPackages`]: all requirements of a program, in one order whatever order they came in
//! - [`program`]: all of that together, with what is asked for by name
//! - [`rules`]: what of it the operator allows, before and after it was resolved
//!
//! Names and versions alone pass. A URL, a path or an option would make whoever resolves fetch from elsewhere, read
//! files of the host or behave otherwise, so none of these has a form here.

pub mod error;
pub mod marker;
pub mod node;
pub mod package_json;
pub mod program;
pub mod python;
pub mod range;
pub mod rules;
pub mod script;
pub mod specifiers;
pub mod version;

pub use error::PackageError;
use node::NodeRequirement;
use python::PythonRequirement;
use std::fmt;

/// Packages that one program may ask for; what they depend on is not counted.
pub const MAX_REQUIREMENTS: usize = 64;
/// Bytes of one requirement; the longest that anybody writes has half.
pub const MAX_REQUIREMENT_BYTES: usize = 256;

/// Where packages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Registry {
    /// Python's.
    Pypi,
    /// Node's.
    Npm,
}

impl Registry {
    /// For messages and digests.
    pub fn name(self) -> &'static str {
        match self {
            Registry::Pypi => "PyPI",
            Registry::Npm => "npm's registry",
        }
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a program asks for: sorted, each requirement once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequiredPackages {
    /// Of PyPI. A package may be there more than once: all that is said of it counts.
    Python(Vec<PythonRequirement>),
    /// Of npm's registry. A package is there once.
    Node(Vec<NodeRequirement>),
}

impl RequiredPackages {
    /// Reads what a client wrote.
    pub fn parse<T: AsRef<str>>(registry: Registry, asked: &[T]) -> Result<Self, PackageError> {
        check_count(asked.len())?;
        let texts = asked.iter().map(AsRef::as_ref);
        match registry {
            Registry::Pypi => {
                let all: Result<Vec<_>, _> = texts.map(PythonRequirement::parse).collect();
                RequiredPackages::python(all?)
            }
            Registry::Npm => {
                let all: Result<Vec<_>, _> = texts.map(NodeRequirement::parse).collect();
                RequiredPackages::node(all?)
            }
        }
    }

    /// Of PyPI.
    pub fn python(mut all: Vec<PythonRequirement>) -> Result<Self, PackageError> {
        check_count(all.len())?;
        all.sort_by_key(ToString::to_string);
        all.dedup();
        Ok(RequiredPackages::Python(all))
    }

    /// Of npm's registry.
    pub fn node(mut all: Vec<NodeRequirement>) -> Result<Self, PackageError> {
        check_count(all.len())?;
        all.sort_by_key(ToString::to_string);
        all.dedup();
        let twice = all.windows(2).find(|pair| pair[0].name == pair[1].name);
        match twice {
            Some(pair) => Err(PackageError::Twice {
                name: pair[0].name.clone(),
            }),
            None => Ok(RequiredPackages::Node(all)),
        }
    }

    /// These and those, of one registry.
    ///
    /// # Errors
    ///
    /// Too many, or one with two ranges. Those of another registry are not taken in: whoever asks has one language.
    pub fn and(self, more: RequiredPackages) -> Result<Self, PackageError> {
        match (self, more) {
            (RequiredPackages::Python(mut all), RequiredPackages::Python(more)) => {
                all.extend(more);
                RequiredPackages::python(all)
            }
            (RequiredPackages::Node(mut all), RequiredPackages::Node(more)) => {
                all.extend(more);
                RequiredPackages::node(all)
            }
            (all, _) => Ok(all),
        }
    }

    /// Where they come from.
    pub fn registry(&self) -> Registry {
        match self {
            RequiredPackages::Python(_) => Registry::Pypi,
            RequiredPackages::Node(_) => Registry::Npm,
        }
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        match self {
            RequiredPackages::Python(all) => all.is_empty(),
            RequiredPackages::Node(all) => all.is_empty(),
        }
    }

    /// Each as whoever resolves reads it. Equal for equal requests.
    pub fn lines(&self) -> Vec<String> {
        match self {
            RequiredPackages::Python(all) => all.iter().map(ToString::to_string).collect(),
            RequiredPackages::Node(all) => all.iter().map(ToString::to_string).collect(),
        }
    }
}

fn check_count(count: usize) -> Result<(), PackageError> {
    match count > MAX_REQUIREMENTS {
        true => Err(PackageError::TooMany { count }),
        false => Ok(()),
    }
}

/// Refuses what no requirement can be, with what it seems to be.
fn check_text(text: &str) -> Result<&str, PackageError> {
    let refused = |why: &'static str| PackageError::refused(text, why);
    if text.len() > MAX_REQUIREMENT_BYTES {
        return Err(refused("has more than 256 bytes"));
    }
    let printable = |byte: u8| (b' '..=b'~').contains(&byte);
    if !text.bytes().all(printable) {
        return Err(refused("has other characters than printable ASCII"));
    }
    let trimmed = text.trim();
    match trimmed.as_bytes() {
        [] => Err(refused("is empty")),
        [b'-', ..] => Err(refused(
            "is an option; only names with versions may be asked for",
        )),
        [b'.' | b'/' | b'~', ..] => Err(refused(
            "is a path; only names with versions may be asked for",
        )),
        _ if trimmed.contains("://") => Err(refused(
            "is a URL; only names with versions may be asked for",
        )),
        _ => Ok(trimmed),
    }
}

#[cfg(test)]
mod tests;
