//! Requests, each judged by itself, one after another on a connection that is kept.
//!
//! Answers go back as they come: nothing of them is read. A request that is refused is answered here, and the connection
//! is over.

use super::carry::IDLE_DEADLINE;
use super::connection::WORD_DEADLINE;
use super::held::Held;
use super::meter::{Meter, Way};
use super::session::Terms;
use crate::decide::{self, Route};
use crate::reason::Reason;
use crate::wire::body::BodyReader;
use crate::wire::head::HeadProgress;
use crate::wire::http1::{self, MAX_HEAD_BYTES, Persistence, RequestFault, RequestHead};
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

/// Bytes of an answer at once.
const CHUNK_BYTES: usize = 32 * 1024;

/// How long, and for how many bytes, a refused request's rest is waited for.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 1024 * 1024;

/// What requests are judged by.
#[derive(Clone, Copy)]
pub struct Judged<'a> {
    /// Their session's.
    pub terms: &'a Terms,
    /// Their connection's.
    pub route: &'a Route,
    /// `Close`: there is one at most.
    pub most: Persistence,
}

/// Carries requests to where they may go, and answers back.
pub async fn carry(
    guest: Held<impl AsyncRead + AsyncWrite + Unpin>,
    upstream: impl AsyncRead + AsyncWrite,
    judged: Judged<'_>,
    meter: &Meter,
) -> Result<(), Reason> {
    let (from_guest, mut to_guest) = tokio::io::split(guest);
    let mut from_guest = Held::new(from_guest);
    let (from_upstream, to_upstream) = tokio::io::split(upstream);
    let refused = {
        let asking = ask(&mut from_guest, to_upstream, judged, meter);
        let mut answering = pin!(answer(from_upstream, &mut to_guest, meter));
        tokio::select! {
            biased;
            asked = asking => match asked {
                // All was asked for; what is left to come is the answers.
                Ok(()) => return answering.await,
                Err(reason) => reason,
            },
            answered = &mut answering => return answered,
        }
    };
    let _ = to_guest.write_all(&http1::refusal(refused)).await;
    let _ = to_guest.shutdown().await;
    let _ = timeout(LINGER, linger(&mut from_guest)).await;
    Err(refused)
}

async fn answer(
    mut from: impl AsyncRead + Unpin,
    to: &mut (impl AsyncWrite + Unpin),
    meter: &Meter,
) -> Result<(), Reason> {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = timeout(IDLE_DEADLINE, from.read(&mut chunk)).await;
        let Ok(count @ 1..) = read.map_err(|_| Reason::IdleTimeout)? else {
            let _ = to.shutdown().await;
            return Ok(());
        };
        meter.count(Way::Received, count)?;
        if to.write_all(&chunk[..count]).await.is_err() || to.flush().await.is_err() {
            return Ok(());
        }
    }
}

/// Takes what still comes: where something is left unread, closing takes the answer away from who did not read it yet.
async fn linger(from: &mut Held<impl AsyncRead + Unpin>) {
    let mut left = LINGER_BYTES;
    while let Ok(piece) = from.peek_more().await
        && !piece.is_empty()
        && left > piece.len()
    {
        left -= piece.len();
        let count = from.held().len();
        from.consume(count);
    }
}

async fn ask(
    from: &mut Held<impl AsyncRead + Unpin>,
    mut to: impl AsyncWrite + Unpin,
    judged: Judged<'_>,
    meter: &Meter,
) -> Result<(), Reason> {
    let Judged { terms, route, most } = judged;
    while let Some(mut head) = next_head(from).await? {
        if most == Persistence::Close {
            head.persistence = Persistence::Close;
        }
        let granted = decide::request(&terms.policy, route, &head)?;
        let header = match granted.inject {
            Some(inject) => {
                let secret = terms
                    .shared
                    .secrets
                    .of(inject)
                    .ok_or(Reason::SecretUnavailable)?;
                let value = inject.value(secret.reveal().as_bytes());
                let value = value.ok_or(Reason::SecretUnavailable)?;
                Some((inject.header.as_str(), value))
            }
            None => None,
        };
        let header = header
            .as_ref()
            .map(|(name, value)| (*name, value.as_slice()));
        let out = http1::write_head(&head, route, header);
        meter.count(Way::Sent, out.len())?;
        if to.write_all(&out).await.is_err() || !body(from, &mut to, &head, meter).await? {
            return Ok(());
        }
        if head.persistence == Persistence::Close {
            break;
        }
    }
    let _ = to.flush().await;
    Ok(())
}

/// The next request's head; `None`: there is none any more.
async fn next_head(from: &mut Held<impl AsyncRead + Unpin>) -> Result<Option<RequestHead>, Reason> {
    if from.held().is_empty() {
        let first = timeout(IDLE_DEADLINE, from.peek_more()).await;
        match first.map_err(|_| Reason::IdleTimeout)? {
            Ok(piece) if !piece.is_empty() => {}
            _ => return Ok(None),
        }
    }
    let read = timeout(WORD_DEADLINE, from.head(MAX_HEAD_BYTES)).await;
    match read.map_err(|_| Reason::RequestTimeout)? {
        HeadProgress::Whole { length } => {
            let head = http1::parse(&from.held()[..length]).map_err(RequestFault::reason)?;
            from.consume(length);
            Ok(Some(head))
        }
        HeadProgress::TooLong => Err(Reason::RequestTooLong),
        HeadProgress::NotHttp | HeadProgress::Incomplete => Err(Reason::RequestMalformed),
    }
}

/// Its body; `false`: nobody takes it any more.
async fn body(
    from: &mut Held<impl AsyncRead + Unpin>,
    to: &mut (impl AsyncWrite + Unpin),
    head: &RequestHead,
    meter: &Meter,
) -> Result<bool, Reason> {
    let mut reader = BodyReader::new(head.framing);
    loop {
        let taken = reader.feed(from.held())?;
        meter.count(Way::Sent, taken.bytes)?;
        if to.write_all(&from.held()[..taken.bytes]).await.is_err() || to.flush().await.is_err() {
            return Ok(false);
        }
        from.consume(taken.bytes);
        if taken.ended {
            return Ok(true);
        }
        let more = timeout(IDLE_DEADLINE, from.peek_more()).await;
        match more.map_err(|_| Reason::IdleTimeout)? {
            Ok(piece) if !piece.is_empty() => {}
            _ => return Ok(false),
        }
    }
}
