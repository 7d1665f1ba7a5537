//! Firecracker's API over its socket: one request at a time, each answered before the next.

use super::calls::Call;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

/// The most that an answer may have, bytes. The longest that is asked for, of `GET /`, has 100.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// What can go wrong in a talk.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Firecracker closed its end, or the system failed.
    #[error("the API's socket failed")]
    Broken(#[source] hyper::Error),
    /// Firecracker said what is not in its API's description.
    #[error("{0}")]
    Garbage(String),
    /// Firecracker refused.
    #[error("{0}")]
    Refused(String),
}

/// The body of every refusal.
#[derive(Deserialize)]
struct Fault {
    fault_message: String,
}

/// The host's end of the talk.
#[derive(Debug)]
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

impl Client {
    /// A talk over a connected socket.
    pub async fn new(stream: UnixStream) -> Result<Self, ApiError> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(ApiError::Broken)?;
        // An error of the connection is the error of the request that it was to carry.
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, driver })
    }

    /// Makes one request to its answer.
    pub async fn send(&mut self, call: &Call) -> Result<(), ApiError> {
        let body = match &call.body {
            serde_json::Value::Null => Bytes::new(),
            body => body.to_string().into(),
        };
        let request = Request::builder()
            .method(&call.method)
            .uri(call.path)
            .header(header::HOST, "localhost")
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|e| ApiError::Garbage(format!("no request can be made: {e}")))?;
        self.sender.ready().await.map_err(ApiError::Broken)?;
        let answer = self.sender.send_request(request).await;
        let (head, body) = answer.map_err(ApiError::Broken)?.into_parts();
        let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
        let body = body.map_err(|e| ApiError::Garbage(format!("its answer's body: {e}")))?;
        judge(head.status, &body.to_bytes())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// 200 and 204 are the successes that the description knows; every other answer has a fault message.
fn judge(status: StatusCode, body: &[u8]) -> Result<(), ApiError> {
    match status {
        StatusCode::OK | StatusCode::NO_CONTENT => Ok(()),
        _ => match serde_json::from_slice::<Fault>(body) {
            Ok(fault) => Err(ApiError::Refused(fault.fault_message)),
            Err(_) => Err(ApiError::Garbage(format!(
                "status {status} with {:?}",
                String::from_utf8_lossy(&body[..body.len().min(200)])
            ))),
        },
    }
}
