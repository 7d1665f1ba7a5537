//! What an operator may set about the service: the configuration's `[server]`.

use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// The service's settings; every default is safe for one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The file with the API keys; absent or without keys: only on a loopback address, for everybody there.
    pub keys_file: Option<PathBuf>,
    /// Serve HTTPS with this certificate.
    pub tls: Option<TlsConfig>,
    /// Bounds on connections and requests.
    pub http: HttpBounds,
    /// What a key may do when its own line says nothing.
    pub key_defaults: KeyLimits,
    /// Longest wait for a turn, in seconds; then 503.
    pub queue_seconds: u64,
    /// Longest wait for running jobs when the service stops, in seconds; then they are ended.
    pub drain_seconds: u64,
    /// VMs that stay.
    pub sessions: SessionBounds,
    /// The door for E2B's clients.
    pub e2b: E2bConfig,
    /// Least free space of the state folder for `/readyz` to say yes, in MiB.
    pub min_free_disk_mib: u64,
    /// Events that the dashboard can look back to.
    pub recent_events: usize,
    /// Jobs that are remembered after their end.
    pub kept_jobs: KeptJobs,
    /// Days that a key's usage is kept for.
    pub usage_days: u32,
}

impl Default for ServerConfig {
    fn default() -> Self {
        ServerConfig {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            keys_file: None,
            tls: None,
            http: HttpBounds::default(),
            key_defaults: KeyLimits::default(),
            queue_seconds: 60,
            drain_seconds: 30,
            sessions: SessionBounds::default(),
            e2b: E2bConfig::default(),
            min_free_disk_mib: 512,
            recent_events: 500,
            kept_jobs: KeptJobs::default(),
            usage_days: 400,
        }
    }
}

/// Jobs that are remembered after their end, in memory: for their key, and for who may see all keys'.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeptJobs {
    /// How many; 0: none.
    pub count: usize,
    /// Results of all of them together, in MiB; one job's may take a quarter of it.
    pub mib: u64,
    /// For how long, in seconds.
    pub seconds: u64,
}

impl Default for KeptJobs {
    fn default() -> Self {
        KeptJobs {
            count: 200,
            mib: 32,
            seconds: 3600,
        }
    }
}

/// A certificate and its key, both PEM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate, then its issuers.
    pub certificate: PathBuf,
    /// The private key (PKCS #8, PKCS #1 or SEC 1).
    pub key: PathBuf,
}

/// Bounds on connections and requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpBounds {
    /// Open connections; one more takes the place of the one that is idle longest.
    pub connections: usize,
    /// From the last answer (or the connection's beginning) to the end of the next request's header,
    /// in seconds. Idle connections end here too.
    pub header_seconds: u64,
    /// From a request's header to the end of its body, in seconds.
    pub body_seconds: u64,
    /// The largest body of a request, in bytes: 1 MiB of code, escaped, and 2 MiB of files as base64.
    pub body_bytes: usize,
    /// Bodies of all requests together, in bytes; over it: 503.
    pub all_bodies_bytes: usize,
    /// Answers of more than 64 KiB together, in bytes; over it one waits until others are out.
    pub all_answers_bytes: usize,
    /// From an answer's first byte (a streamed event's) to its last, in seconds.
    pub answer_seconds: u64,
}

impl Default for HttpBounds {
    fn default() -> Self {
        HttpBounds {
            connections: 2048,
            header_seconds: 30,
            body_seconds: 30,
            body_bytes: 6 * 1024 * 1024,
            all_bodies_bytes: 32 * 1024 * 1024,
            all_answers_bytes: 96 * 1024 * 1024,
            answer_seconds: 120,
        }
    }
}

impl HttpBounds {
    /// [`HttpBounds::header_seconds`] as a duration.
    pub fn header_timeout(&self) -> Duration {
        Duration::from_secs(self.header_seconds.max(1))
    }

    /// [`HttpBounds::answer_seconds`] as a duration.
    pub fn answer_timeout(&self) -> Duration {
        Duration::from_secs(self.answer_seconds.max(1))
    }

    /// [`HttpBounds::body_seconds`] as a duration.
    pub fn body_timeout(&self) -> Duration {
        Duration::from_secs(self.body_seconds.max(1))
    }
}

/// What one key may do.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyLimits {
    /// Requests a second, in the long run.
    pub requests_per_second: f64,
    /// Requests at once on top of that.
    pub burst: u32,
    /// Jobs at one time, waiting ones included.
    pub jobs: usize,
    /// Jobs that run at one time; 0: as many as may run, less a quarter where there are other keys.
    pub running: usize,
    /// Sessions and sandboxes at one time.
    pub sessions: usize,
}

impl Default for KeyLimits {
    fn default() -> Self {
        KeyLimits {
            requests_per_second: 50.0,
            burst: 200,
            jobs: 256,
            running: 0,
            sessions: 4,
        }
    }
}

/// The door for E2B's clients.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct E2bConfig {
    /// The domain below which `{port}-{id}.DOMAIN` names a sandbox; absent: sandboxes are named by headers alone.
    pub domain: Option<String>,
    /// A sandbox that a client asked for without a token is opened by its name alone, though there are keys: what clients of
    /// before 2025 need, which send none.
    pub open_by_name: bool,
    /// What programs in a sandbox serve on their ports is reached from outside (`get_host`), by who has the sandbox's token.
    pub ports: bool,
}

/// A domain of nobody's (RFC 6761): clients that are told of none take E2B's own, and send tokens there.
const NO_DOMAIN: &str = "no-domain-of-this-service.invalid";

impl E2bConfig {
    /// The domain that clients are told.
    pub fn told_domain(&self) -> &str {
        self.domain.as_deref().unwrap_or(NO_DOMAIN)
    }
}

/// Bounds on VMs that stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionBounds {
    /// Sessions and sandboxes at one time, over all keys: each holds a VM.
    pub sessions: usize,
    /// One that is not used for this long ends, in seconds.
    pub idle_seconds: u64,
    /// One ends after this long, in seconds; a sandbox may be given as much again.
    pub total_seconds: u64,
    /// Bytes of one file that goes into a session or comes out; a sandbox's have no bound here.
    pub file_bytes: usize,
}

impl Default for SessionBounds {
    fn default() -> Self {
        SessionBounds {
            sessions: 8,
            idle_seconds: 300,
            total_seconds: 3600,
            file_bytes: 2 * 1024 * 1024,
        }
    }
}
