//! The Connect protocol, as far as E2B's clients speak it: JSON only. A unary call is JSON in and out; a stream is
//! envelopes, each a byte of flags, four bytes of length (big-endian) and JSON. The last envelope has flag 2 and says how
//! it ended.

use crate::e2b::error::AsE2b;
use crate::problem::{HttpCode, Problem};
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::error_code::ErrorCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Bytes of an envelope's head: flags and length.
const HEAD_BYTES: usize = 5;
/// The stream's last envelope.
const END_FLAG: u8 = 0b10;
/// The payload is compressed, which nothing here asked for.
const COMPRESSED_FLAG: u8 = 0b01;
/// The largest message of a stream that a client sends, in bytes: input comes in pieces of this size at most.
pub const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// Why a call came to nothing, in the protocol's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectCode {
    /// The request is wrong.
    InvalidArgument,
    /// Its time is up.
    DeadlineExceeded,
    /// There is no such thing.
    NotFound,
    /// There is one already.
    AlreadyExists,
    /// The user may not.
    PermissionDenied,
    /// A bound is reached.
    ResourceExhausted,
    /// Not now.
    FailedPrecondition,
    /// Not served here.
    Unimplemented,
    /// A defect of this service.
    Internal,
    /// The sandbox is gone, or the service is full.
    Unavailable,
    /// The token or the user does not count.
    Unauthenticated,
}

/// A call that came to nothing.
#[derive(Debug)]
pub struct ConnectError {
    /// Why.
    pub code: ConnectCode,
    /// The same as a problem.
    pub problem: Problem,
}

impl ConnectError {
    /// With a sentence of its own.
    pub fn new(code: ConnectCode, sentence: impl Into<String>) -> ConnectError {
        let http = match code {
            ConnectCode::NotFound => HttpCode::FileNotFound,
            ConnectCode::AlreadyExists => HttpCode::FileConflict,
            ConnectCode::Unauthenticated => HttpCode::Unauthorized,
            ConnectCode::DeadlineExceeded => HttpCode::RequestTimeout,
            _ => HttpCode::FieldInvalid,
        };
        ConnectError {
            code,
            problem: Problem::with(http, sentence),
        }
    }

    /// As a stream's last envelope tells it, and a unary call's body.
    pub fn body(&self) -> Value {
        json!({ "code": self.code, "message": self.problem.detail })
    }
}

impl From<AsE2b> for ConnectError {
    fn from(AsE2b(problem): AsE2b) -> Self {
        problem.into()
    }
}

impl From<Problem> for ConnectError {
    fn from(problem: Problem) -> Self {
        ConnectError {
            code: code_of(&problem),
            problem,
        }
    }
}

/// What a problem is in the protocol's words.
fn code_of(problem: &Problem) -> ConnectCode {
    let no_start = problem.code == HttpCode::ProcessNotStarted.as_str();
    let not_allowed = problem.code == ErrorCode::GuestRootForbidden.as_str();
    match problem.status.as_u16() {
        _ if no_start => ConnectCode::InvalidArgument,
        _ if not_allowed => ConnectCode::PermissionDenied,
        401 => ConnectCode::Unauthenticated,
        403 => ConnectCode::PermissionDenied,
        404 => ConnectCode::NotFound,
        408 => ConnectCode::DeadlineExceeded,
        409 => ConnectCode::FailedPrecondition,
        429 | 507 => ConnectCode::ResourceExhausted,
        500 => ConnectCode::Internal,
        502 | 503 => ConnectCode::Unavailable,
        _ => ConnectCode::InvalidArgument,
    }
}

impl ConnectCode {
    /// The HTTP status that goes with it in a unary answer.
    fn status(self) -> StatusCode {
        match self {
            ConnectCode::InvalidArgument | ConnectCode::FailedPrecondition => {
                StatusCode::BAD_REQUEST
            }
            ConnectCode::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
            ConnectCode::NotFound => StatusCode::NOT_FOUND,
            ConnectCode::AlreadyExists => StatusCode::CONFLICT,
            ConnectCode::PermissionDenied => StatusCode::FORBIDDEN,
            ConnectCode::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
            ConnectCode::Unimplemented => StatusCode::NOT_IMPLEMENTED,
            ConnectCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            ConnectCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ConnectCode::Unauthenticated => StatusCode::UNAUTHORIZED,
        }
    }
}

impl IntoResponse for ConnectError {
    /// As a unary call's answer. Where the sandbox is gone it is E2B's proxy that says so, with 502 and its own shape.
    fn into_response(self) -> Response {
        if self.problem.status == StatusCode::BAD_GATEWAY {
            return AsE2b(self.problem).into_response();
        }
        let body = self.body().to_string();
        let problem = Problem {
            status: self.code.status(),
            ..self.problem
        };
        problem.respond("application/json", body)
    }
}

/// One envelope.
pub fn envelope(flags: u8, message: &impl Serialize) -> Bytes {
    let mut bytes = vec![flags, 0, 0, 0, 0];
    // What is written here has no maps with keys that are no text: it always is JSON.
    let _ = serde_json::to_writer(&mut bytes, message);
    let length = u32::try_from(bytes.len() - HEAD_BYTES).unwrap_or(u32::MAX);
    if let Some(head) = bytes.get_mut(1..HEAD_BYTES) {
        head.copy_from_slice(&length.to_be_bytes());
    }
    bytes.into()
}

/// One message of a stream.
pub fn message(message: &impl Serialize) -> Bytes {
    envelope(0, message)
}

/// The end of a stream that came to its end.
pub fn end() -> Bytes {
    envelope(END_FLAG, &json!({}))
}

/// The end of one that did not.
pub fn end_with(error: &ConnectError) -> Bytes {
    envelope(END_FLAG, &json!({ "error": error.body() }))
}

/// A stream's head.
pub fn stream_headers() -> [(header::HeaderName, &'static str); 1] {
    [(header::CONTENT_TYPE, "application/connect+json")]
}

/// A stream that is nothing but an error.
pub fn failed_stream(error: ConnectError) -> Response {
    if error.problem.status == StatusCode::BAD_GATEWAY {
        return error.into_response();
    }
    let mut response = (stream_headers(), end_with(&error)).into_response();
    // It is noted as every other refusal is.
    response.extensions_mut().insert(error.problem);
    response
}

/// Envelopes that come in, cut out of bytes as they come.
#[derive(Debug, Default)]
pub struct Envelopes {
    waiting: Vec<u8>,
}

/// What an envelope holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Envelope {
    /// A message.
    Message(Vec<u8>),
    /// The sender is done.
    End,
}

/// What is no envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Its length is over the bound.
    #[error("a message has {0} bytes, allowed are {MAX_MESSAGE_BYTES}")]
    TooLong(usize),
    /// It is compressed.
    #[error("a message is compressed, which was not agreed on")]
    Compressed,
    /// A flag that nobody knows.
    #[error("a message has unknown flags")]
    Flags,
}

impl Envelopes {
    /// Takes bytes in. No more is held than one envelope and what came behind it.
    pub fn push(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    /// Bytes that are held.
    pub fn held(&self) -> usize {
        self.waiting.len()
    }

    /// The next whole one. A length is refused before it is waited for.
    pub fn next_whole(&mut self) -> Result<Option<Envelope>, EnvelopeError> {
        let Some([flags, length @ ..]) = self.waiting.first_chunk::<HEAD_BYTES>().copied() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(length) as usize;
        if length > MAX_MESSAGE_BYTES {
            return Err(EnvelopeError::TooLong(length));
        }
        if flags & COMPRESSED_FLAG != 0 {
            return Err(EnvelopeError::Compressed);
        }
        if flags & !END_FLAG != 0 {
            return Err(EnvelopeError::Flags);
        }
        let Some(message) = self.waiting.get(HEAD_BYTES..HEAD_BYTES + length) else {
            return Ok(None);
        };
        let message = message.to_vec();
        self.waiting.drain(..HEAD_BYTES + length);
        match flags {
            END_FLAG => Ok(Some(Envelope::End)),
            _ => Ok(Some(Envelope::Message(message))),
        }
    }
}

/// A message as what it means.
pub fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    crate::body::parse(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_envelope_comes_back_however_it_is_cut() {
        let mut bytes = message(&json!({"a": 1})).to_vec();
        bytes.extend_from_slice(&end());
        let mut envelopes = Envelopes::default();
        let mut got = Vec::new();
        for byte in bytes {
            envelopes.push(&[byte]);
            got.extend(envelopes.next_whole().unwrap());
        }
        assert_eq!(
            got,
            [Envelope::Message(br#"{"a":1}"#.to_vec()), Envelope::End]
        );
    }

    #[test]
    fn a_wrong_head_is_refused_at_once() {
        for (head, error) in [
            (
                [0, 0xff, 0xff, 0xff, 0xff],
                EnvelopeError::TooLong(0xffff_ffff),
            ),
            ([1, 0, 0, 0, 1], EnvelopeError::Compressed),
            ([4, 0, 0, 0, 1], EnvelopeError::Flags),
        ] {
            let mut envelopes = Envelopes::default();
            envelopes.push(&head);
            assert_eq!(envelopes.next_whole(), Err(error));
        }
    }

    #[test]
    fn a_problem_has_a_word_in_the_protocol() {
        for (code, word) in [
            (HttpCode::FileNotFound, ConnectCode::NotFound),
            (HttpCode::ProcessNotStarted, ConnectCode::InvalidArgument),
            (HttpCode::Unauthorized, ConnectCode::Unauthenticated),
            (HttpCode::DiskFull, ConnectCode::ResourceExhausted),
            (HttpCode::FileForbidden, ConnectCode::PermissionDenied),
            (HttpCode::InternalError, ConnectCode::Internal),
        ] {
            assert_eq!(ConnectError::from(Problem::new(code)).code, word);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_hold_more_than_they_are(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 0..16)) {
            let mut envelopes = Envelopes::default();
            let mut sent = 0;
            for piece in pieces {
                sent += piece.len();
                envelopes.push(&piece);
                while let Ok(Some(_)) = envelopes.next_whole() {}
                prop_assert!(envelopes.held() <= sent);
            }
        }
    }
}
