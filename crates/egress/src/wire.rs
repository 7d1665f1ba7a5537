//! Parsers of what a guest sends: bounded, incremental where bytes come in pieces, and without a panic.
//!
//! | module | what | bound |
//! |---|---|---|
//! | [`authority`] | `host:port` | a name's |
//! | [`tls_hello`] | the first message of TLS | 16 KiB |
//! | [`socks5`] | a SOCKS5 client's two messages | 262 bytes |
//! | [`head`] | where the head of an HTTP message ends | the caller's |
//! | [`connect`] | what is said to an HTTP proxy | 8 KiB |
//! | [`http1`] | a request's head, and how it goes out | 32 KiB |
//! | [`body`] | where a request's body ends | none is held |
//! | [`dns`] | a query, and its answer | 512 bytes |

pub mod authority;
pub mod body;
pub mod connect;
pub mod dns;
pub mod head;
pub mod http1;
pub mod socks5;
pub mod tls_hello;

/// Whether a byte may be in an HTTP token: a method, a header's name (RFC 9110, 5.6.2).
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
