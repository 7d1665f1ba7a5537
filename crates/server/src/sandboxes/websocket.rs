//! How a request becomes a WebSocket (RFC 6455), and a bounded one. It lives in its connection's own task, as
//! everything that a connection does: who is gone is seen, a stopping service ends it.

use crate::problem::{HttpCode, Problem};
use crate::talk::Instead;
use axum::Extension;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// The largest message that a client may send, in bytes: a paste comes in several.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Read at once, and written at once, in bytes.
const BUFFER_BYTES: usize = 16 * 1024;
/// A key is 16 bytes as base64.
const KEY_BYTES: usize = 24;

/// What is spoken, where a client names protocols.
const PROTOCOL: &str = "llm-firecracker.terminal";
/// Stands before the key of a page, which can send it in no header but the one that names protocols.
const KEY_PROTOCOL: &str = "llm-firecracker.key.";

/// A WebSocket with a client.
pub type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// A client that wishes to go on as a WebSocket.
pub struct Wish {
    accept: HeaderValue,
    /// The client named it, and is to hear that it is spoken.
    protocol: Option<HeaderValue>,
    upgrade: OnUpgrade,
}

impl Wish {
    /// Reads it off a request; whose it is was judged before.
    pub fn of(request: &mut Request) -> Result<Wish, Problem> {
        let accept = accept(request.headers()).ok_or_else(no_wish)?;
        let named = protocols(request.headers()).any(|own| own == PROTOCOL);
        let upgrade = request.extensions_mut().remove::<OnUpgrade>();
        Ok(Wish {
            accept,
            protocol: named.then_some(HeaderValue::from_static(PROTOCOL)),
            upgrade: upgrade.ok_or_else(no_wish)?,
        })
    }

    /// The answer that grants it; then the connection is this, until it is through.
    pub fn grant<F>(self, talk: impl FnOnce(Socket) -> F + Send + 'static) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let upgrade = self.upgrade;
        let instead = Instead::new(async move {
            match upgrade.await {
                Ok(io) => talk(socket(io).await).await,
                Err(error) => tracing::debug!(%error, "a connection did not become a WebSocket"),
            }
        });
        let headers = [
            (header::CONNECTION, HeaderValue::from_static("upgrade")),
            (header::UPGRADE, HeaderValue::from_static("websocket")),
            (header::SEC_WEBSOCKET_ACCEPT, self.accept),
        ];
        let status = StatusCode::SWITCHING_PROTOCOLS;
        let mut response = (status, headers, Extension(instead)).into_response();
        if let Some(protocol) = self.protocol {
            let headers = response.headers_mut();
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        response
    }
}

/// The key that a page's WebSocket carries among its protocols; other requests have headers for theirs.
pub fn presented(headers: &HeaderMap) -> Option<&str> {
    accept(headers)?;
    protocols(headers).find_map(|protocol| protocol.strip_prefix(KEY_PROTOCOL))
}

fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(str::trim)
}

async fn socket(io: Upgraded) -> Socket {
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_write_buffer_size(4 * MAX_MESSAGE_BYTES)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    WebSocketStream::from_raw_socket(TokioIo::new(io), Role::Server, Some(config)).await
}

/// What says yes to these headers; `None`: they are no such wish.
fn accept(headers: &HeaderMap) -> Option<HeaderValue> {
    let has = |name: HeaderName, word: &str| {
        let values = headers.get_all(name).iter();
        let mut words = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(','));
        words.any(|own| own.trim().eq_ignore_ascii_case(word))
    };
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?.as_bytes();
    let is_wish = has(header::CONNECTION, "upgrade")
        && has(header::UPGRADE, "websocket")
        && has(header::SEC_WEBSOCKET_VERSION, "13")
        && key.len() == KEY_BYTES;
    let accept = is_wish.then(|| derive_accept_key(key))?;
    HeaderValue::from_str(&accept).ok()
}

fn no_wish() -> Problem {
    Problem::new(HttpCode::UpgradeRequired)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_its_key_among_the_protocols() {
        let wish = |protocols: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for (name, value) in [
                ("connection", "Upgrade"),
                ("upgrade", "websocket"),
                ("sec-websocket-version", "13"),
                ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ] {
                headers.insert(name, HeaderValue::from_static(value));
            }
            for value in protocols {
                headers.append("sec-websocket-protocol", HeaderValue::from_static(value));
            }
            headers
        };
        let both = "llm-firecracker.terminal, llm-firecracker.key.llmfc_1_k";
        for (protocols, key) in [
            (&[both][..], Some("llmfc_1_k")),
            (
                &["llm-firecracker.terminal", "llm-firecracker.key.k"],
                Some("k"),
            ),
            (&["llm-firecracker.terminal"], None),
            (&["llmfc_1_k"], None),
            (&[], None),
        ] {
            assert_eq!(presented(&wish(protocols)), key, "{protocols:?}");
        }
        let mut other = wish(&[both]);
        other.remove("upgrade");
        assert_eq!(presented(&other), None);
    }

    #[test]
    fn only_a_whole_handshake_is_one() {
        // RFC 6455, section 1.3.
        let fine = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let headers = |pairs: &[(&'static str, &str)]| {
            let pair = |(name, value): &(&'static str, &str)| {
                (HeaderName::from_static(name), value.parse().unwrap())
            };
            pairs.iter().map(pair).collect::<HeaderMap>()
        };
        assert_eq!(
            accept(&headers(&fine)).unwrap(),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
        for missing in 0..fine.len() {
            let mut pairs = fine.to_vec();
            pairs.remove(missing);
            assert!(accept(&headers(&pairs)).is_none(), "{pairs:?}");
        }
        for (at, wrong) in [(0, "close"), (1, "h2c"), (2, "8"), (3, "short")] {
            let mut pairs = fine;
            pairs[at].1 = wrong;
            assert!(accept(&headers(&pairs)).is_none(), "{pairs:?}");
        }
    }
}
