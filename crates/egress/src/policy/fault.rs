//! What makes a policy one that cannot be meant.

use super::{MAX_BYTES, MAX_CONNECTIONS, MAX_ITEMS, MAX_POLICIES, MAX_POLICY_NAME, MAX_RULES};
use crate::name::PatternError;
use crate::path::GlobError;
use std::fmt;

/// The field whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// The policy's own name.
    Name,
    /// The list of rules.
    Allow,
    /// `host`.
    Host,
    /// `ports`.
    Ports,
    /// `methods`.
    Methods,
    /// `paths`.
    Paths,
    /// `inject`.
    Inject,
    /// `inject.header`.
    InjectHeader,
    /// `inject.value_from`.
    InjectValueFrom,
    /// `inject.prefix`.
    InjectPrefix,
    /// `tcp`.
    Tcp,
    /// `max_bytes`.
    MaxBytes,
    /// `max_connections`.
    MaxConnections,
}

impl Field {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Field::Name => "name",
            Field::Allow => "allow",
            Field::Host => "host",
            Field::Ports => "ports",
            Field::Methods => "methods",
            Field::Paths => "paths",
            Field::Inject => "inject",
            Field::InjectHeader => "inject.header",
            Field::InjectValueFrom => "inject.value_from",
            Field::InjectPrefix => "inject.prefix",
            Field::Tcp => "tcp",
            Field::MaxBytes => "max_bytes",
            Field::MaxConnections => "max_connections",
        }
    }
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// A policy's name that cannot be in a request, a metric or a log.
    #[error(
        "a policy's name is 1 to {MAX_POLICY_NAME} of a-z 0-9 - _, and begins with a letter or digit"
    )]
    PolicyName,
    /// More than [`MAX_POLICIES`].
    #[error("{count} policies, at most {MAX_POLICIES} may be")]
    TooManyPolicies {
        /// How many.
        count: usize,
    },
    /// More than [`MAX_RULES`].
    #[error("{count} rules, at most {MAX_RULES} may be; put those of one host into one")]
    TooManyRules {
        /// How many.
        count: usize,
    },
    /// More than [`MAX_ITEMS`].
    #[error("{count} entries, at most {MAX_ITEMS} may be")]
    TooManyItems {
        /// How many.
        count: usize,
    },
    /// The host is no name and no pattern.
    #[error("{host:?} {error}")]
    Host {
        /// As written, shortened.
        host: String,
        /// What is wrong with it.
        #[source]
        error: PatternError,
    },
    /// No port at all.
    #[error("is empty, so the rule allows nothing; leave it out for 443")]
    NoPort,
    /// Port 0.
    #[error("0 is no port")]
    PortZero,
    /// One thing twice in a list.
    #[error("has {item} twice; keep one")]
    Repeated {
        /// It.
        item: String,
    },
    /// Not a method that a rule can allow.
    #[error(
        "{method:?} is no method that can be listed: they are in upper case, and CONNECT is none of a host's"
    )]
    Method {
        /// As written, shortened.
        method: String,
    },
    /// A server answers TRACE with the request, the secret in it.
    #[error("TRACE would show the guest what inject puts in; take it out of methods")]
    TraceShowsSecret,
    /// Not a glob of paths.
    #[error("{path:?} {error}")]
    Path {
        /// As written, shortened.
        path: String,
        /// What is wrong with it.
        #[source]
        error: GlobError,
    },
    /// What needs requests to be read, where they are not.
    #[error(
        "cannot be together with tcp = true, which looks at no request; use two rules, for different ports"
    )]
    WithTcp,
    /// A secret where anybody on the way reads it.
    #[error("would send the secret over port 80 unencrypted; take 80 out of ports")]
    InClear,
    /// Not a header's name.
    #[error("is no header's name")]
    Header,
    /// A header that no rule may set.
    #[error("{header} is not for a rule to set: it says how the request is read, or whose it is")]
    HeaderForbidden {
        /// It.
        header: String,
    },
    /// Not a place of a secret.
    #[error("is neither env:NAME, with a variable's name, nor file:PATH, with an absolute path")]
    Source,
    /// Cannot be in a header.
    #[error("has a character that no header has, or is over 128 bytes")]
    Prefix,
    /// A rule that an earlier one leaves nothing to.
    #[error(
        "entry {first} is for {host} on port {port}, too, and has all of this one's methods and paths, so this one has no \
         effect; put it first, or keep one of them"
    )]
    Shadowed {
        /// The earlier rule, from 1.
        first: usize,
        /// The pattern of both.
        host: String,
        /// A port of both.
        port: u16,
    },
    /// Two rules for one host and port look differently far.
    #[error(
        "entry {first} is for {host} on port {port}, too, and one of the two reads each request while the other does not; \
         give both methods, paths or inject, or neither"
    )]
    Layers {
        /// The earlier rule, from 1.
        first: usize,
        /// The pattern of both.
        host: String,
        /// A port of both.
        port: u16,
    },
    /// Not within 1 to [`MAX_BYTES`].
    #[error("is {value}, allowed is 1 to {MAX_BYTES}")]
    Bytes {
        /// It.
        value: u64,
    },
    /// Not within 1 to [`MAX_CONNECTIONS`].
    #[error("is {value}, allowed is 1 to {MAX_CONNECTIONS}")]
    Connections {
        /// It.
        value: u64,
    },
}

/// One fault of a policy, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The entry of `allow`, from 1; absent: it is the whole policy's.
    pub rule: Option<usize>,
    /// The field.
    pub field: Field,
    /// What is wrong with it.
    pub why: Why,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(rule) = self.rule {
            write!(f, "allow, entry {rule}: ")?;
        }
        write!(f, "{}: {}", self.field.name(), self.why)
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.why)
    }
}

/// A fault, and the policy that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFault {
    /// The policy's name; absent: it is all policies'.
    pub policy: Option<String>,
    /// The fault.
    pub fault: Fault,
}

impl fmt::Display for NamedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("egress.policies")?;
        if let Some(policy) = &self.policy {
            // A name that is refused may have anything in it.
            write!(f, ".{}", policy.escape_debug())?;
        }
        write!(f, ": {}", self.fault)
    }
}
