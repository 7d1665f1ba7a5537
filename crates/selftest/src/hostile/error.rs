//! What can go wrong for the attacker.

use protocol::link::LinkError;

/// Why the hostile agent gave up; it is told on the console, then the VM ends.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The kernel refused something.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// The kernel's answer.
        #[source]
        source: std::io::Error,
    },
    /// No end of the channel to be found.
    #[error("no channel: {0}")]
    Channel(#[from] guest_channel::ChannelError),
    /// The host's frame, or one of ours that was meant to be good.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A line of the script has no meaning.
    #[error("line {number} of the script: {line:?}: no such thing to do")]
    Script {
        /// From 1, after the first line.
        number: usize,
        /// The line.
        line: String,
    },
}

/// Names what was tried.
pub trait Tried<T> {
    /// Turns a failure into [`Broken::System`].
    fn tried(self, what: impl Into<String>) -> Result<T, Broken>;
}

impl<T, E: Into<std::io::Error>> Tried<T> for Result<T, E> {
    fn tried(self, what: impl Into<String>) -> Result<T, Broken> {
        self.map_err(|error| Broken::System {
            what: what.into(),
            source: error.into(),
        })
    }
}
