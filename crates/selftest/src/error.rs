//! Why the battery could not be run; a wall that gave way is no error but a verdict.

use std::path::PathBuf;

/// What kept the battery from running.
#[derive(Debug, thiserror::Error)]
pub enum SelftestError {
    /// The table, or a file that it names, is wrong: a mistake in this program.
    #[error("attack {name}: {what}")]
    Table {
        /// The row's name or file.
        name: String,
        /// What is wrong with it.
        what: String,
    },
    /// No attack has this name.
    #[error("no attack is called {name:?}; `selftest --list` names them all")]
    Unknown {
        /// As asked for.
        name: String,
    },
    /// The sandbox could not be opened.
    #[error("the sandbox could not be opened")]
    Sandbox(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The hostile agent's guests would be held by something else than the real agent's.
    #[error(
        "the real agent's guests run on {good} and the hostile agent's on {hostile}: choose one with --engine"
    )]
    Apart {
        /// What holds the real agent's.
        good: String,
        /// What holds the hostile one's.
        hostile: String,
    },
    /// A plain job does not run here, so the battery would say nothing.
    #[error(
        "a plain {language} job does not run here ({seen}); mend that first: `llm-firecracker doctor`"
    )]
    PlainJob {
        /// Its language.
        language: String,
        /// How it ended.
        seen: String,
    },
    /// The host does not show something that must be looked at.
    #[error("the host check cannot read {what}; run the selftest with /proc mounted")]
    Host {
        /// Which part.
        what: &'static str,
        /// The system's words.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The hostile agent's snapshots could not be removed.
    #[error("removing the hostile guest's snapshot {}", path.display())]
    Leftover {
        /// Where it is.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
}
