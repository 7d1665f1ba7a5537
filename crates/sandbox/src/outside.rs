//! A VM's way out: what its programs connect to, carried to the egress proxy. What may leave is decided there.
//!
//! ```text
//!   guest ══ link ══> Network ── Asked ──> serve ── socket ──> proxy
//!                                             └─ Witness: audit log and events, before a byte goes out
//! ```

mod witness;

use crate::events::EventBus;
use crate::live::{Asked, Connection, Network};
use egress::client::{Egress, EgressError, Session};
use egress::control::Destination;
use protocol::job::{Job, Owner};
use protocol::result::EgressUse;
use protocol::supervisor::{Destination as Meant, MAX_TRUST_BYTES, TRUST_FILE};
use protocol::trace_id::TraceId;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::UnixStream;
use tokio::task::JoinSet;
use witness::Witness;

/// What programs and libraries look at for the certificates that they believe.
const TRUST_VARIABLES: &[&str] = &[
    "CARGO_HTTP_CAINFO",
    "CURL_CA_BUNDLE",
    "DENO_CERT",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
];
/// Where hosts have the certificates that everybody believes.
const HOST_TRUST: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];
/// What the session's own CA takes of what a guest is given, in bytes; it has some 700.
const OWN_TRUST_BYTES: usize = 8 * 1024;

/// A VM's session with the proxy. Dropped, all of its connections are closed.
#[derive(Debug)]
pub struct Outside {
    session: Session,
}

impl Outside {
    /// A session under this policy, for whoever it is told of.
    pub async fn begin(
        egress: &Egress,
        policy: &str,
        (trace_id, owner): (&TraceId, Option<Arc<Owner>>),
        events: &EventBus,
    ) -> Result<Outside, EgressError> {
        let witness = Witness::new(policy, trace_id.clone(), owner, events.clone());
        let session = egress.begin(policy, Arc::new(witness)).await?;
        Ok(Outside { session })
    }

    /// Ports that the guest captures.
    pub fn ports(&self) -> Vec<u16> {
        self.session.ports.clone()
    }

    /// Certificates that its programs are to believe, PEM: the host's, and the session's own CA.
    pub fn trust(&self) -> Vec<u8> {
        let own = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
        let usual = HOST_TRUST.iter().map(PathBuf::from);
        let known = own
            .into_iter()
            .chain(usual)
            .find_map(|path| read_trust(&path));
        let mut trust = known.unwrap_or_default();
        trust.extend(self.session.authority.iter().flat_map(|pem| pem.bytes()));
        trust
    }

    /// What its programs find in their environment; what they were given by their client stays.
    pub fn environment(&self) -> Vec<(String, String)> {
        let trust = TRUST_VARIABLES.iter();
        let trust = trust.map(|name| ((*name).to_owned(), TRUST_FILE.to_owned()));
        let placeholders = self.session.placeholders.iter().cloned();
        trust.chain(placeholders).collect()
    }

    /// Adds that to a job's.
    pub fn add_to(&self, job: &mut Job) {
        for (name, value) in self.environment() {
            if !job.env.iter().any(|(own, _)| *own == name) {
                job.env.push((name, value));
            }
        }
    }

    /// Carries what the guest asks for, until it is gone. Cancel-safe: what is under way is closed.
    pub async fn serve(&mut self, mut network: Network) {
        let mut streams = JoinSet::new();
        loop {
            tokio::select! {
                asked = network.next() => match asked {
                    Some(Asked::Dial(to, connection)) => {
                        // Where the proxy is gone, the connection is dropped, and so reset.
                        if let Ok(socket) = self.session.connect(destination(to)).await {
                            streams.spawn(carry(connection, socket));
                        }
                    }
                    Some(Asked::Query(query, message)) => {
                        let _ = self.session.query(query, message).await;
                    }
                    None => return,
                },
                Some((query, message)) = self.session.answer() => {
                    let _ = network.answer(query, message).await;
                }
                Some(_) = streams.join_next() => {}
            }
        }
    }

    /// Closes all that is open; what came of it.
    pub async fn close(self) -> EgressUse {
        let policy = self.session.policy.clone();
        witness::told(policy, self.session.close().await)
    }
}

fn read_trust(path: &Path) -> Option<Vec<u8>> {
    let bytes = std::fs::read(path).ok()?;
    (bytes.len() <= MAX_TRUST_BYTES - OWN_TRUST_BYTES).then_some(bytes)
}

fn destination(to: Meant) -> Destination {
    match to {
        Meant::Address { address, port } => Destination::Address { address, port },
        Meant::Proxy => Destination::Proxy,
    }
}

async fn carry(mut connection: Connection, socket: std::os::unix::net::UnixStream) {
    let Ok(mut socket) = UnixStream::from_std(socket) else {
        return;
    };
    // How it ended, its two ends see.
    let _ = tokio::io::copy_bidirectional(&mut connection, &mut socket).await;
}
