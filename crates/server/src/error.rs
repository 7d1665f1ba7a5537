//! Why the service cannot start or keep on.

use std::net::SocketAddr;
use std::path::PathBuf;

/// What can fail in this crate before a request is there to answer.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A public address without keys would let anybody run code.
    #[error(
        "{address} can be reached from other machines, but there are no API keys; add one (llm-firecracker keys add NAME) or listen on 127.0.0.1"
    )]
    PublicWithoutKeys {
        /// The address of the listener.
        address: SocketAddr,
    },
    /// A file operation failed.
    #[error("{what} {}", path.display())]
    File {
        /// What was being done.
        what: &'static str,
        /// To which file.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// The key file is no key file.
    #[error("the key file {} is not valid", path.display())]
    KeyFile {
        /// The file's path, as configured.
        path: PathBuf,
        /// Where in it.
        #[source]
        source: serde_json::Error,
    },
    /// Others than its owner may write the key file.
    #[error("the key file {} may be written by others (mode {mode:03o}); chmod 600 it", path.display())]
    KeyFileOpen {
        /// The file's path, as configured.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Two keys have the name.
    #[error("{} keys are called {name}; say which by its id: {}", ids.len(), ids.join(", "))]
    AmbiguousKey {
        /// As asked for.
        name: String,
        /// Theirs.
        ids: Vec<String>,
    },
    /// No such key.
    #[error("there is no key with the id or name {id} that is not revoked already; see keys list")]
    NoSuchKey {
        /// As asked for.
        id: String,
    },
    /// The name of a key has other characters, or too many.
    #[error("{name:?} is no name for a key: 1 to 64 of A-Z a-z 0-9 . _ - @")]
    KeyName {
        /// As given.
        name: String,
    },
    /// The host gave no randomness.
    #[error("the host gave no randomness: {0}")]
    NoRandomness(getrandom::Error),
    /// The certificate or its key cannot be used.
    #[error("TLS cannot be used with {}: {reason}", path.display())]
    Tls {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The listener broke.
    #[error("the listener failed")]
    Listener(#[source] std::io::Error),
    /// Standard input and output did not speak the protocol.
    #[error("the Model Context Protocol did not come about on standard input and output")]
    Mcp(#[source] Box<rmcp::service::ServerInitializeError>),
    /// The task that speaks it ended by a defect.
    #[error("the task that speaks the Model Context Protocol failed")]
    McpTask(#[source] tokio::task::JoinError),
}
