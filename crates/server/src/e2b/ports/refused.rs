//! What a client is told where a sandbox is there and its port gives no answer, in the shape and words of E2B's proxy.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nothing listens.
    Closed,
    /// Something listens and takes no more connections.
    DoesNotAccept,
    /// It took the request and does not answer.
    Silent,
    /// It went in the middle of it.
    Left,
    /// What it answered is no HTTP, or none that was asked for.
    NoHttp,
}

impl Why {
    /// What a failure of the exchange means.
    pub fn of(error: &hyper::Error) -> Why {
        match error.is_parse() || error.is_parse_too_large() {
            true => Why::NoHttp,
            false => Why::Left,
        }
    }

    fn told(self) -> (StatusCode, &'static str) {
        match self {
            // E2B's own words, which users look for.
            Why::Closed => (
                StatusCode::BAD_GATEWAY,
                "The sandbox is running but port is not open",
            ),
            Why::DoesNotAccept => (
                StatusCode::GATEWAY_TIMEOUT,
                "The sandbox is running but what listens on the port takes no connection",
            ),
            Why::Silent => (
                StatusCode::GATEWAY_TIMEOUT,
                "The sandbox is running but what listens on the port does not answer",
            ),
            Why::Left => (
                StatusCode::BAD_GATEWAY,
                "The sandbox is running but what listens on the port closed the connection",
            ),
            Why::NoHttp => (
                StatusCode::BAD_GATEWAY,
                "The sandbox is running but what listens on the port answered with no valid HTTP",
            ),
        }
    }
}

/// A port that gave no answer.
#[derive(Debug)]
pub struct PortRefused {
    sandbox_id: String,
    port: u16,
    why: Why,
}

/// As E2B's proxy tells it; `code` and `message` are in every error of E2B's.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    sandbox_id: &'a str,
    message: &'static str,
    port: u16,
    code: u16,
}

impl PortRefused {
    /// Of this sandbox's port.
    pub fn new(sandbox_id: &str, port: u16, why: Why) -> PortRefused {
        PortRefused {
            sandbox_id: sandbox_id.to_owned(),
            port,
            why,
        }
    }
}

impl IntoResponse for PortRefused {
    fn into_response(self) -> Response {
        let (status, message) = self.why.told();
        let told = Told {
            sandbox_id: &self.sandbox_id,
            message,
            port: self.port,
            code: status.as_u16(),
        };
        let body = serde_json::to_string(&told).unwrap_or_default();
        // The request's body may not be read to its end.
        let headers = [
            (header::CONTENT_TYPE, "application/json"),
            (header::CONNECTION, "close"),
        ];
        (status, headers, body).into_response()
    }
}
