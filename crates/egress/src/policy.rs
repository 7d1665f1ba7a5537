//! Policies: what an operator writes under `[egress.policies.NAME]`, and what the decision reads.

mod fault;
mod inject;
mod load;

pub use fault::{Fault, Field, NamedFault, Why};
pub use inject::{FORBIDDEN_HEADERS, Inject, InjectConfig, SecretSource};
pub use load::load_all;

use crate::name::HostPattern;
use crate::path::PathGlob;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Policies of one configuration.
pub const MAX_POLICIES: usize = 256;
/// Rules of one policy.
pub const MAX_RULES: usize = 256;
/// Ports, methods or paths of one rule.
pub const MAX_ITEMS: usize = 64;
/// Characters of a policy's name: it is in requests, metrics and the audit log.
pub const MAX_POLICY_NAME: usize = 64;
/// The most that `max_bytes` may be: 1 TiB.
pub const MAX_BYTES: u64 = 1 << 40;
/// The most that `max_connections` may be.
pub const MAX_CONNECTIONS: u64 = 1_000_000;
/// Connections of one VM at once, of any policy: each holds up to 512 KiB on the host.
pub const MAX_STREAMS: u32 = 32;
/// The port of a rule that names none.
pub const HTTPS_PORT: u16 = 443;
/// The port on which requests are not in TLS.
pub const HTTP_PORT: u16 = 80;

/// What guests may reach: nothing, unless a job or sandbox names a policy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EgressConfig {
    /// Policies by the names that jobs and sandboxes give: 1 to 64 of a-z 0-9 - _.
    pub policies: BTreeMap<String, PolicyConfig>,
    /// DNS servers that are asked for names that a policy lists, as ADDRESS:PORT. Empty: those of the host's `resolv.conf`.
    pub resolvers: Vec<SocketAddr>,
}

/// A policy as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyConfig {
    /// What may be reached, at most 256 rules; empty: nothing. Of rules whose hosts match a name and port those with
    /// the most exact one count.
    pub allow: Vec<RuleConfig>,
    /// What all connections of a job or sandbox may move together, both ways, in bytes.
    #[serde(default = "usual_bytes")]
    #[schemars(range(min = 1, max = MAX_BYTES))]
    pub max_bytes: u64,
    /// Connections that a job or sandbox may make, in all; at once it is 32.
    #[serde(default = "usual_connections")]
    #[schemars(range(min = 1, max = MAX_CONNECTIONS))]
    pub max_connections: u64,
}

fn usual_bytes() -> u64 {
    1 << 30
}

fn usual_connections() -> u64 {
    1000
}

impl Default for PolicyConfig {
    fn default() -> PolicyConfig {
        PolicyConfig {
            allow: Vec::new(),
            max_bytes: usual_bytes(),
            max_connections: usual_connections(),
        }
    }
}

/// One rule as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleConfig {
    /// A host's name, or `*.` and a name for all names below it, at most 253 bytes.
    pub host: String,
    /// TCP ports, 1 to 65535, at most 64. Port 80 is plain HTTP, others are TLS unless `tcp` is set.
    #[serde(default = "https")]
    pub ports: Vec<u16>,
    /// HTTP methods, at most 64; empty: all.
    #[serde(default)]
    pub methods: Vec<String>,
    /// Paths, at most 64 of at most 512 bytes each: `*` is for any characters in a segment, as the last segment for
    /// everything below; empty: all.
    #[serde(default)]
    pub paths: Vec<String>,
    /// A header that is put into each request, so that its value is never in the guest.
    #[serde(default)]
    pub inject: Option<InjectConfig>,
    /// Let through what is neither TLS nor HTTP, unseen.
    #[serde(default)]
    pub tcp: bool,
}

fn https() -> Vec<u16> {
    vec![HTTPS_PORT]
}

/// A policy that can be meant. A clone of it is what a job or sandbox began with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    rules: Vec<Rule>,
    max_bytes: u64,
    max_connections: u64,
}

impl Policy {
    /// In the order in which they are written.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What all connections may move together, in bytes.
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// Connections that may be made, in all.
    pub fn max_connections(&self) -> u64 {
        self.max_connections
    }

    /// The ports that a guest needs listeners on, each once and in order.
    pub fn ports(&self) -> Vec<u16> {
        let mut ports: Vec<u16> = self
            .rules
            .iter()
            .flat_map(|rule| rule.ports.clone())
            .collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// Whether any rule opens TLS: only then a VM needs a CA of its own.
    pub fn opens_tls(&self) -> bool {
        let opens = |rule: &Rule| {
            matches!(rule.layer, Layer::Requests(_))
                && rule.ports.iter().any(|port| *port != HTTP_PORT)
        };
        self.rules.iter().any(opens)
    }

    /// What is injected, each rule's.
    pub fn injections(&self) -> impl Iterator<Item = &Inject> {
        self.rules.iter().filter_map(Rule::inject)
    }
}

/// A rule that can be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Which hosts.
    pub host: HostPattern,
    /// On which ports: at least one, in order, each once.
    pub ports: Vec<u16>,
    /// How far it looks.
    pub layer: Layer,
}

/// How far a rule looks into a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layer {
    /// Not at all.
    Bytes,
    /// At the TLS hello; on port 80 at whose each request is.
    Hello,
    /// At each request.
    Requests(Requests),
}

/// What each request must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requests {
    /// In order, each once; empty: all.
    pub methods: Vec<String>,
    /// In order, each once; empty: all.
    pub paths: Vec<PathGlob>,
    /// What is put into it.
    pub inject: Option<Inject>,
}

impl Rule {
    /// What it puts into requests.
    pub fn inject(&self) -> Option<&Inject> {
        match &self.layer {
            Layer::Requests(requests) => requests.inject.as_ref(),
            Layer::Bytes | Layer::Hello => None,
        }
    }
}

#[cfg(test)]
mod tests;
