//! A request's body of any size, taken piece by piece as fast as the sandbox takes it, and never held.

use crate::problem::{HttpCode, Problem};
use axum::body::{Body, Bytes};
use http_body_util::BodyExt as _;
use std::time::Duration;
use tokio::time::timeout;

/// A body on its way in.
pub struct Incoming {
    body: Body,
    /// How long a client may take over the next piece.
    patience: Duration,
}

impl Incoming {
    /// Takes this body.
    pub fn new(body: Body, patience: Duration) -> Incoming {
        Incoming { body, patience }
    }

    /// The next piece, not empty; `None`: that was all. An error where the client went away or sends nothing.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            let frame = timeout(self.patience, self.body.frame()).await;
            let Some(frame) = frame.map_err(|_| Problem::new(HttpCode::RequestTimeout).close())?
            else {
                return Ok(None);
            };
            let frame = frame.map_err(|_| {
                let sentence = "the request's body ended too early";
                Problem::with(HttpCode::JsonInvalid, sentence).close()
            })?;
            // Trailers say nothing here.
            if let Ok(data) = frame.into_data()
                && !data.is_empty()
            {
                return Ok(Some(data));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    #[tokio::test(start_paused = true)]
    async fn a_body_comes_piece_by_piece_and_not_too_slowly() {
        let pieces = ["a", "", "b"].map(|text| Ok::<_, std::io::Error>(Bytes::from(text)));
        let broken = Err(std::io::Error::other("gone"));
        let all = stream::iter(pieces.into_iter().chain([broken]));
        let mut incoming = Incoming::new(Body::from_stream(all), Duration::from_secs(30));
        assert_eq!(incoming.next().await.unwrap().unwrap(), "a");
        assert_eq!(incoming.next().await.unwrap().unwrap(), "b");
        assert_eq!(incoming.next().await.unwrap_err().status, 400);
        let silent = stream::pending::<Result<Bytes, std::io::Error>>();
        let mut incoming = Incoming::new(Body::from_stream(silent), Duration::from_secs(30));
        assert_eq!(incoming.next().await.unwrap_err().code, "request_timeout");
        let mut incoming = Incoming::new(Body::empty(), Duration::from_secs(30));
        assert!(incoming.next().await.unwrap().is_none());
    }
}
