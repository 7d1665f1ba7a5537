//! The service's side of the proxy: starts it, gives each VM a session, and keeps what came of it.
//!
//! ```text
//!   Egress ── start ──> Process (one at a time; another once it is gone)
//!      └ begin(policy) ─> Session ── connect, query ──> proxy
//!                            └ Ledger: asked before a byte goes out, told of what was refused and of what is over
//! ```

mod process;
mod report;

pub use report::{DeniedKind, MAX_DENIED_KINDS, Report};

use crate::control::{ChannelError, Destination, Place, SessionId, ToProxy};
use crate::policy::EgressConfig;
use crate::reason::Reason;
use process::{Answers, Process};
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use tokio::process::Command;
use tokio::sync::Mutex;

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The program could not be started.
    #[error("the egress proxy could not be started")]
    Spawn(#[source] io::Error),
    /// It did not come up.
    #[error("the egress proxy did not come up: {0}")]
    Start(String),
    /// It is gone.
    #[error("the egress proxy is gone")]
    Gone(#[from] ChannelError),
    /// No policy has this name.
    #[error("there is no egress policy {0:?}")]
    NoPolicy(String),
}

/// An allowed connection, before it is made.
#[derive(Debug, Clone, Copy)]
pub struct Attempted<'a> {
    /// Where to.
    pub place: &'a Place,
    /// What is dialled.
    pub address: IpAddr,
    /// Which of the policy's rules lets it out; the first is 0.
    pub rule: usize,
    /// Whether its TLS is opened.
    pub opened: bool,
}

/// What became of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Moved<'a> {
    /// Where to.
    pub place: &'a Place,
    /// Bytes to the outside.
    pub sent_bytes: u64,
    /// Bytes from there.
    pub received_bytes: u64,
    /// Milliseconds from its dial.
    pub millis: u64,
}

/// Nobody could write it down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotRecorded;

/// Who writes down what a session does. Called in the order of events; must not block for long.
pub trait Ledger: Send + Sync {
    /// A connection is about to be made: an error, and it is not.
    fn attempt(&self, attempted: Attempted<'_>) -> Result<(), NotRecorded>;
    /// A connection is over.
    fn closed(&self, moved: Moved<'_>);
    /// Something was refused, of this kind for the first time.
    fn refused(&self, place: &Place, reason: Reason);
}

/// How the proxy is started. The command gets its end of the control channel as its standard input.
pub type Launcher = Arc<dyn Fn() -> Command + Send + Sync>;

/// The operator's policies, and the process that keeps to them. Cheap to clone.
#[derive(Clone)]
pub struct Egress(Arc<Inner>);

struct Inner {
    launcher: Launcher,
    config: EgressConfig,
    process: Mutex<Option<Arc<Process>>>,
}

impl std::fmt::Debug for Egress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Egress").finish_non_exhaustive()
    }
}

impl Egress {
    /// Policies, and how their proxy is started: with the first session, and again where it is gone.
    pub fn new(config: EgressConfig, launcher: Launcher) -> Egress {
        Egress(Arc::new(Inner {
            launcher,
            config,
            process: Mutex::new(None),
        }))
    }

    /// Whether there is a policy of this name.
    pub fn has(&self, policy: &str) -> bool {
        self.0.config.policies.contains_key(policy)
    }

    /// The names of all policies.
    pub fn policies(&self) -> impl Iterator<Item = &str> {
        self.0.config.policies.keys().map(String::as_str)
    }

    /// A session under this policy.
    pub async fn begin(
        &self,
        policy: &str,
        ledger: Arc<dyn Ledger>,
    ) -> Result<Session, EgressError> {
        if !self.has(policy) {
            return Err(EgressError::NoPolicy(policy.to_owned()));
        }
        let process = self.process().await?;
        Session::begin(process, policy, ledger).await
    }

    async fn process(&self) -> Result<Arc<Process>, EgressError> {
        let mut held = self.0.process.lock().await;
        if let Some(process) = held.as_ref().filter(|process| process.is_alive()) {
            return Ok(process.clone());
        }
        let policies = ToProxy::Policies {
            config: Box::new(self.0.config.clone()),
        };
        let process = Process::start((self.0.launcher)(), &policies).await?;
        Ok(held.insert(Arc::new(process)).clone())
    }
}

/// One VM's part of the network. Dropped, all of its connections are closed.
#[derive(Debug)]
pub struct Session {
    process: Arc<Process>,
    id: SessionId,
    /// The policy's name.
    pub policy: String,
    /// Ports that the guest captures.
    pub ports: Vec<u16>,
    /// The CA of this session alone, PEM; `None`: no TLS is opened.
    pub authority: Option<String>,
    /// Placeholders of secrets, by the environment's name.
    pub placeholders: Vec<(String, String)>,
    answers: Answers,
}

impl Session {
    async fn begin(
        process: Arc<Process>,
        policy: &str,
        ledger: Arc<dyn Ledger>,
    ) -> Result<Session, EgressError> {
        let (id, begun, answers) = process.enter(ledger);
        let mut session = Session {
            process,
            id,
            policy: policy.to_owned(),
            ports: Vec::new(),
            authority: None,
            placeholders: Vec::new(),
            answers,
        };
        let begin = ToProxy::Begin {
            session: id,
            policy: policy.to_owned(),
        };
        session.process.say(&begin, None).await?;
        let begun = begun.await.map_err(|_| ChannelError::Closed)?;
        session.ports = begun.ports;
        session.authority = begun.authority;
        session.placeholders = begun.placeholders;
        Ok(session)
    }

    /// A socket whose other end the proxy carries to what was meant, or closes.
    pub async fn connect(&self, to: Destination) -> Result<UnixStream, EgressError> {
        let (own, other) = UnixStream::pair().map_err(ChannelError::Io)?;
        own.set_nonblocking(true).map_err(ChannelError::Io)?;
        let message = ToProxy::Connection {
            session: self.id,
            to,
        };
        self.process.say(&message, Some(other.as_fd())).await?;
        Ok(own)
    }

    /// Asks for a name; [`Session::answer`] has what comes of it.
    pub async fn query(&self, query: u32, message: Vec<u8>) -> Result<(), EgressError> {
        let session = self.id;
        let query = ToProxy::Query {
            session,
            query,
            message,
        };
        Ok(self.process.say(&query, None).await?)
    }

    /// The next answer for a name; `None`: the proxy is gone. Cancel-safe.
    pub async fn answer(&mut self) -> Option<(u32, Vec<u8>)> {
        self.answers.recv().await
    }

    /// What came of it so far.
    pub fn report(&self) -> Report {
        self.process.report(self.id)
    }

    /// Closes all of its connections and returns once the proxy has, or is gone; what came of it.
    pub async fn close(self) -> Report {
        self.process.leave(self.id).await;
        self.report()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.process.forget(self.id);
    }
}
