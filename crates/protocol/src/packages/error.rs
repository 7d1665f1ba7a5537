//! Why packages are refused before anything is resolved.

use super::{MAX_REQUIREMENTS, Registry};
use crate::validate::shown;

/// What is wrong with packages that were asked for, or with the operator's list of them.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PackageError {
    /// More than [`MAX_REQUIREMENTS`].
    #[error("{count} packages are asked for, at most {MAX_REQUIREMENTS} may be")]
    TooMany {
        /// How many.
        count: usize,
    },
    /// Not a name with versions.
    #[error("package {text} {why}")]
    Requirement {
        /// What was asked for: escaped and shortened.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Asked for with two ranges.
    #[error("package {name} is asked for twice, with different versions")]
    Twice {
        /// Its name.
        name: String,
    },
    /// More than one header.
    #[error("the program has more than one '# /// script' block")]
    Blocks,
    /// The header is longer than any.
    #[error("the program's '# /// script' block has {bytes} bytes, at most {bound} are read")]
    BlockSize {
        /// Bytes.
        bytes: usize,
        /// Bytes.
        bound: usize,
    },
    /// The header is not TOML, or not what PEP 723 says is in it.
    #[error("the program's '# /// script' block cannot be read")]
    Script {
        /// Where, and what was expected.
        #[source]
        source: toml::de::Error,
    },
    /// The header says from where packages are to come, which is not the program's to say.
    #[error(
        "the program's '# /// script' block has {field}: where packages come from is the operator's to say"
    )]
    ScriptIndex {
        /// The field.
        field: String,
    },
    /// The header asks for another Python.
    #[error(
        "the program's '# /// script' block requires Python {wanted}, and the image has {version}"
    )]
    OtherPython {
        /// As it asks.
        wanted: String,
        /// What there is.
        version: String,
    },
    /// The file is longer than any.
    #[error("package.json has {bytes} bytes, at most {bound} are read")]
    PackageJsonSize {
        /// Bytes.
        bytes: usize,
        /// Bytes.
        bound: usize,
    },
    /// The file is not JSON, or its dependencies are no names with ranges.
    #[error("package.json cannot be read: {why}")]
    PackageJson {
        /// Where, and what was expected.
        why: String,
    },
    /// Nobody may ask for packages.
    #[error("packages of {registry} may not be asked for here")]
    Off {
        /// Whose.
        registry: Registry,
    },
    /// Not in the operator's list.
    #[error("package {name} is not in the list of packages that may be asked for here")]
    NotListed {
        /// Its name.
        name: String,
    },
    /// In the operator's list, in other versions.
    #[error("package {name} was resolved to {version}, and may be had here as {listed}")]
    VersionNotListed {
        /// Its name.
        name: String,
        /// What it was resolved to.
        version: String,
        /// As the list has it.
        listed: String,
    },
    /// Too much comes with what was asked for.
    #[error("{count} packages come with what is asked for, at most {bound} may")]
    TooManyResolved {
        /// How many.
        count: usize,
        /// How many may.
        bound: usize,
    },
    /// The operator's rules cannot be followed.
    #[error("{what}")]
    Rules {
        /// What is wrong with them.
        what: String,
    },
}

impl PackageError {
    /// Of one requirement.
    pub(super) fn refused(text: &str, why: &'static str) -> PackageError {
        PackageError::Requirement {
            text: shown(text),
            why,
        }
    }
}
