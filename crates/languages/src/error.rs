//! Why a language's file is not read, told to who wrote it.

use std::io;
use std::path::PathBuf;

/// What is wrong with an operator's languages; all are found when they are loaded.
#[derive(Debug, thiserror::Error)]
pub enum LanguageError {
    /// A file or the folder cannot be read.
    #[error("{what} {}", path.display())]
    Io {
        /// The act.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is no TOML, or has a field too many, too few, or of another kind.
    #[error("{} is not a language's file", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where, and what was expected.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A field's value cannot be meant.
    #[error("{}: {field} {wrong}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// The field, as TOML names it.
        field: &'static str,
        /// What is wrong, and what to write.
        wrong: String,
    },
    /// More files than anybody means to have.
    #[error("{} holds more than {bound} {what}; take some out", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
        /// Of what.
        what: &'static str,
        /// How many may be there.
        bound: usize,
    },
    /// Those of another folder were loaded before.
    #[error("languages were read from another folder already; name one")]
    Loaded,
}
