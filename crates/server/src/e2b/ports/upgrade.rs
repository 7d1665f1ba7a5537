//! Two connections that become one: what listens agreed to another protocol (WebSocket, say), and its bytes are nobody's
//! business from here on. It lives in the client's connection's own task: who is gone is seen, a stopping service ends it.

use super::Held;
use super::body::Traffic;
use super::head::Wish;
use crate::talk::Instead;
use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional_with_sizes;

/// Bytes on their way at one time, each way.
const BUFFER_BYTES: usize = 16 * 1024;

/// The answer that says yes; then the connection is this, until either side ends it.
pub fn join(
    answer: Response<Incoming>,
    (wish, protocol): (Wish, HeaderValue),
    (held, traffic): (Held, Traffic),
) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, protocol);
    let instead = Instead::new(async move {
        let _held = held;
        match tokio::try_join!(wish.connection, hyper::upgrade::on(answer)) {
            Ok((client, guest)) => {
                let (mut client, mut guest) = (TokioIo::new(client), TokioIo::new(guest));
                let moved = copy_bidirectional_with_sizes(
                    &mut client,
                    &mut guest,
                    BUFFER_BYTES,
                    BUFFER_BYTES,
                );
                match moved.await {
                    Ok((to_guest, to_client)) => {
                        traffic.to_guest.inc_by(to_guest);
                        traffic.to_client.inc_by(to_client);
                    }
                    Err(error) => tracing::debug!(%error, "a joined connection ended"),
                }
            }
            Err(error) => tracing::debug!(%error, "two connections did not become one"),
        }
    });
    response.extensions_mut().insert(instead);
    response
}
