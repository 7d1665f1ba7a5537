//! The one list of reasons for which something of a guest's was not let out: in results, the audit log and metrics.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $variant:ident = $code:literal, $status:literal, $sentence:literal, $advice:literal;)*) => {
        /// Why something was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $($(#[doc = $doc])* $variant,)*
        }

        /// Every reason, in the order in which a connection meets them.
        pub const REASONS: &[Reason] = &[$(Reason::$variant),*];

        impl Reason {
            /// The stable text that clients match on.
            pub fn code(self) -> &'static str {
                match self { $(Reason::$variant => $code),* }
            }

            /// The HTTP status where a request, or CONNECT, is what was refused; the connection is closed after it.
            pub fn http_status(self) -> u16 {
                match self { $(Reason::$variant => $status),* }
            }

            /// What happened, for people.
            pub fn sentence(self) -> &'static str {
                match self { $(Reason::$variant => $sentence),* }
            }

            /// What to do about it.
            pub fn advice(self) -> &'static str {
                match self { $(Reason::$variant => $advice),* }
            }
        }
    };
}

reasons! {
    /// The name is none.
    NameMalformed = "name_malformed", 400, "the host's name is not one that DNS has", "use a plain name, of at most 253 bytes and without spaces or control characters";
    /// An address was asked for, in whatever spelling.
    AddressLiteral = "address_literal", 403, "the connection was to an address, and policies allow names only", "connect by name; or the operator lists the host's name";
    /// No rule has this name.
    HostNotListed = "host_not_listed", 403, "the policy lists no such host", "use a host that the policy lists; or the operator adds a rule for this one";
    /// A rule has the name, and none this port.
    PortNotListed = "port_not_listed", 403, "the policy lists the host, but not on this port", "use a port that the policy lists; or the operator adds it to the rule's ports";
    /// More names than a VM may have.
    TooManyNames = "too_many_names", 429, "the guest asked for more different names than it may", "use fewer names, or a fresh sandbox";
    /// The resolver failed, or the name does not exist.
    NoAddress = "no_address", 502, "the name has no address", "check the name; see whether the host's own DNS answers for it";
    /// All answers are within networks that are nobody's or the host's.
    AddressNotPublic = "address_not_public", 403, "the name's address is no public one", "policies reach public addresses only; whoever runs that name's DNS must give it one";
    /// All answers are addresses of this host.
    AddressOwn = "address_own", 403, "the name's address is this host's own", "nothing of the host itself can be reached from a guest";
    /// Nothing could be connected to.
    UpstreamUnreachable = "upstream_unreachable", 502, "the host did not take the connection", "try again later; see whether it can be reached from the host that runs the sandbox";
    /// Its certificate is not for the name, not trusted or over.
    UpstreamCertificate = "upstream_certificate", 502, "the host's certificate is not valid for its name", "nothing was sent to it; whoever runs that host must mend its certificate";
    /// SOCKS5 or a proxy's request that cannot be read.
    ProxyMalformed = "proxy_malformed", 400, "what was said to the proxy is neither HTTP nor SOCKS5", "use http://127.0.0.1:3128 or socks5h://127.0.0.1:3128";
    /// SOCKS5 BIND or UDP.
    ProxyCommand = "proxy_command", 405, "the proxy only connects; it neither listens nor sends datagrams", "use CONNECT";
    /// The first bytes are no TLS.
    NotTls = "not_tls", 403, "what was sent is not TLS", "use TLS; or the operator says tcp = true in a rule of its own for this host and port";
    /// A hello that cannot be.
    HelloMalformed = "hello_malformed", 403, "the TLS hello cannot be read", "use a usual TLS library";
    /// Over 16 KiB.
    HelloTooLong = "hello_too_long", 403, "the TLS hello is over 16 KiB", "use a usual TLS library, with fewer extensions";
    /// Not there in time.
    HelloTimeout = "hello_timeout", 408, "the TLS hello did not come in time", "send it at once after connecting";
    /// No name in the hello.
    SniMissing = "sni_missing", 403, "the TLS hello names no host", "use a TLS library that sends the server's name (SNI), and connect by name";
    /// Another name in the hello.
    SniMismatch = "sni_mismatch", 403, "the TLS hello names another host than the one connected to", "connect to the host that the hello is for";
    /// ECH or its forerunner.
    HelloEncrypted = "hello_encrypted", 403, "the TLS hello is encrypted (ECH), so the host that it is for cannot be seen", "turn ECH off, its GREASE included";
    /// Where requests are judged, another protocol than HTTP/1.1.
    AlpnUnsupported = "alpn_unsupported", 403, "the client speaks no HTTP/1.1 here", "let it offer http/1.1: the rule for this host judges each request, and reads that alone";
    /// Not HTTP/1.1.
    RequestMalformed = "request_malformed", 400, "the request is not HTTP/1.1", "use a usual HTTP library";
    /// What two readers would read differently.
    RequestAmbiguous = "request_ambiguous", 400, "the request can be read in two ways", "send exactly one Host, and Content-Length or Transfer-Encoding: chunked, not both and each once";
    /// Head over its bound.
    RequestTooLong = "request_too_long", 431, "the request's head is over its bound", "send fewer or shorter headers";
    /// Not there in time.
    RequestTimeout = "request_timeout", 408, "the request did not come in time", "send it at once";
    /// Host names another.
    HostMismatch = "host_mismatch", 421, "the request's Host is not the host connected to", "open a connection to that host";
    /// An absolute URI to elsewhere.
    TargetMismatch = "target_mismatch", 400, "the request's URI names another place than the one connected to", "open a connection to that place";
    /// CONNECT within.
    ConnectInside = "connect_inside", 400, "a request on this connection asks for a tunnel", "connect directly, or to the proxy at 127.0.0.1:3128";
    /// Another protocol on the same connection.
    UpgradeRefused = "upgrade_refused", 400, "the request asks for another protocol, and what follows could not be judged", "do without; or the operator lists the host without methods, paths and inject";
    /// The beginning of HTTP/2.
    Http2Refused = "http2_refused", 505, "the connection begins with HTTP/2, which is not read here", "use HTTP/1.1";
    /// Not in the rule's methods.
    MethodNotAllowed = "method_not_allowed", 403, "the policy does not list the method for this host", "use a method that it lists";
    /// Not in the rule's paths.
    PathNotAllowed = "path_not_allowed", 403, "the policy does not list the path for this host", "use a path that it lists";
    /// A path that servers read differently.
    PathAmbiguous = "path_ambiguous", 403, "the path can be read in two ways", "send it without dot segments, empty segments, backslashes and encoded slashes";
    /// What is to be injected cannot be had.
    SecretUnavailable = "secret_unavailable", 503, "the secret that the rule injects cannot be had", "the operator sees that value_from names something that is there";
    /// Streams at once.
    TooManyStreams = "too_many_streams", 429, "32 connections are open, and no more may be at once", "close some; use a pool with a bound";
    /// Connections in all.
    ConnectionBudget = "connection_budget", 429, "as many connections were made as the policy allows", "keep connections open and use them again; or the operator raises max_connections";
    /// Bytes in all.
    ByteBudget = "byte_budget", 429, "as many bytes were moved as the policy allows", "move less; or the operator raises max_bytes";
    /// Nothing moved for long.
    IdleTimeout = "idle_timeout", 408, "nothing moved on the connection for too long", "send something now and then";
    /// Audit before bytes.
    AuditUnavailable = "audit_unavailable", 503, "the connection could not be written to the audit log", "the operator makes room for it";
    /// The process that connects is not there.
    ProxyUnavailable = "proxy_unavailable", 503, "the host's egress process is not there", "try again in a moment; if it stays so, the operator looks into the service's log";
}

impl Reason {
    /// The reason with this code.
    pub fn from_code(code: &str) -> Option<Reason> {
        REASONS.iter().copied().find(|reason| reason.code() == code)
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.sentence())
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Reason, D::Error> {
        let code = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Reason::from_code(&code).ok_or_else(|| D::Error::custom("no such reason"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_distinct_and_stable_and_say_what_to_do() {
        let codes: BTreeSet<&str> = REASONS.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), REASONS.len());
        for reason in REASONS {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(reason.code().chars().all(plain), "{}", reason.code());
            assert!((400..600).contains(&reason.http_status()));
            assert!(reason.sentence().len() > 10 && reason.advice().len() > 2);
            assert_eq!(Reason::from_code(reason.code()), Some(*reason));
        }
        assert_eq!(Reason::from_code("none"), None);
    }

    #[test]
    fn a_reason_goes_over_a_pipe_as_its_code() {
        let text = serde_json::to_string(&Reason::SniMismatch).unwrap();
        assert_eq!(text, "\"sni_mismatch\"");
        let back: Reason = serde_json::from_str(&text).unwrap();
        assert_eq!(back, Reason::SniMismatch);
        assert!(serde_json::from_str::<Reason>("\"x\"").is_err());
    }
}
