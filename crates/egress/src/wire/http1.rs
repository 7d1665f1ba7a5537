//! A request's head: read so strictly that every server reads it alike, and written anew for the way out.
//!
//! What goes out is not what came in: the target in origin form, Host as the route says, no header that is one hop's
//! alone, and the header of the rule instead of whatever the guest had under its name.

mod judge;
mod write;

pub use write::{refusal, write_head};

use super::authority::Authority;
use super::body::Framing;
use crate::reason::Reason;

/// Bytes of a head. Servers' own bounds are 8 to 64 KiB.
pub const MAX_HEAD_BYTES: usize = 32 * 1024;
/// Headers of one.
pub const MAX_HEADERS: usize = 128;

/// A request's head of which there is one reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead {
    /// A token; upper and lower case differ.
    pub method: String,
    /// What is asked for.
    pub target: RequestTarget,
    /// Its one Host.
    pub host: Authority,
    /// How its body is delimited.
    pub framing: Framing,
    /// What happens to the connection after it.
    pub persistence: Persistence,
    /// What goes out besides: names as they came, in their order.
    headers: Vec<(String, Vec<u8>)>,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestTarget {
    /// A path, with the query if there is one.
    Origin(String),
    /// A URI, as proxies are told.
    Absolute {
        /// Its scheme.
        scheme: Scheme,
        /// Its host and port.
        authority: Authority,
        /// Its path, with the query.
        path: String,
    },
    /// The server itself: `OPTIONS *`.
    Asterisk,
}

/// The scheme of a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

impl Scheme {
    /// The port of a URI that names none.
    pub fn port(self) -> u16 {
        match self {
            Scheme::Http => crate::policy::HTTP_PORT,
            Scheme::Https => crate::policy::HTTPS_PORT,
        }
    }
}

/// What happens to a connection after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Persistence {
    /// Another may follow.
    KeepAlive,
    /// It is closed after the answer.
    Close,
}

/// Why a head is not let out, whatever the policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    /// Not a head as RFC 9112 has it, or over [`MAX_HEADERS`].
    #[error("it is no head of an HTTP/1.1 request")]
    Syntax,
    /// Over [`MAX_HEAD_BYTES`] or [`MAX_HEADERS`].
    #[error("it has over {MAX_HEADERS} headers or {MAX_HEAD_BYTES} bytes")]
    TooLong,
    /// A line that ends in `\n` or `\r` alone, or goes on in the next.
    #[error("its lines do not end in CR LF each")]
    LineEnd,
    /// Not one Host, or one that is none.
    #[error("it has not exactly one Host")]
    Host,
    /// A target that is neither a path nor a URI.
    #[error("its target is neither a path nor an http or https URI")]
    Target,
    /// Content-Length with Transfer-Encoding, either twice, or a value that is not plain.
    #[error("its body's length can be read in two ways")]
    Framing,
    /// A hop's header with what is not known.
    #[error("its Connection or Expect asks for what is not known")]
    Hop,
    /// Another protocol.
    #[error("it asks for another protocol")]
    Upgrade,
    /// CONNECT.
    #[error("it asks for a tunnel")]
    Connect,
    /// The beginning of HTTP/2.
    #[error("it is the beginning of HTTP/2")]
    Http2,
}

impl RequestFault {
    /// The reason for refusing it.
    pub fn reason(self) -> Reason {
        match self {
            RequestFault::Syntax | RequestFault::Target => Reason::RequestMalformed,
            RequestFault::TooLong => Reason::RequestTooLong,
            RequestFault::LineEnd
            | RequestFault::Host
            | RequestFault::Framing
            | RequestFault::Hop => Reason::RequestAmbiguous,
            RequestFault::Upgrade => Reason::UpgradeRefused,
            RequestFault::Connect => Reason::ConnectInside,
            RequestFault::Http2 => Reason::Http2Refused,
        }
    }
}

/// Reads a head, which [`super::head::HeadReader`] found the end of.
pub fn parse(head: &[u8]) -> Result<RequestHead, RequestFault> {
    judge::request(head)
}

#[cfg(test)]
mod tests;
