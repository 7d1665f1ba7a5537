//! What a program says to the proxy at 127.0.0.1:3128: SOCKS5, CONNECT, or a plain request with an absolute URI.

use super::held::Held;
use crate::decide::{Route, Way};
use crate::reason::Reason;
use crate::wire::authority::Target;
use crate::wire::connect::{self, CONNECTED, MAX_PROXY_HEAD_BYTES, ProxyRequest};
use crate::wire::head::HeadProgress;
use crate::wire::http1;
use crate::wire::socks5::{self, Acceptable, Progress};
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;

/// The first byte of SOCKS5.
const SOCKS5: u8 = 5;
/// The longest message of SOCKS5, in bytes.
const MAX_SOCKS_BYTES: usize = 300;

/// How it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Greeting {
    /// Not at all: its program knows of no proxy.
    None,
    Socks5,
    Tunnel,
    /// The request itself follows.
    Forward,
}

/// A connection of which is known where it wants to go.
pub struct Greeted {
    pub guest: Held<UnixStream>,
    pub target: Target,
    pub port: u16,
    pub greeting: Greeting,
}

impl Greeted {
    /// Tells the program whether it gets there, where it waits for that.
    pub async fn answer(&mut self, reached: Result<(), Reason>) {
        let answer = match (self.greeting, reached) {
            (Greeting::None, _) | (Greeting::Forward, Ok(())) => return,
            (Greeting::Socks5, reached) => socks5::reply(reached).to_vec(),
            (Greeting::Tunnel, Ok(())) => CONNECTED.to_vec(),
            (Greeting::Tunnel | Greeting::Forward, Err(reason)) => http1::refusal(reason),
        };
        // Who went away needs no answer.
        let _ = self.guest.write_all(&answer).await;
    }
}

/// Whether what was said to the proxy fits to how the place is spoken to.
pub fn suits(greeting: &Greeting, route: &Route) -> Result<(), Reason> {
    match greeting {
        Greeting::Forward if route.way != Way::Http => Err(Reason::ProxyMalformed),
        _ => Ok(()),
    }
}

/// Reads it.
pub async fn read(guest: UnixStream) -> Result<Greeted, Reason> {
    let mut guest = Held::new(guest);
    let first = guest
        .peek_more()
        .await
        .ok()
        .and_then(|piece| piece.first().copied());
    match first {
        None => Err(Reason::ProxyMalformed),
        Some(SOCKS5) => socks(guest).await,
        Some(_) => http(guest).await,
    }
}

async fn socks(mut guest: Held<UnixStream>) -> Result<Greeted, Reason> {
    let acceptable = match whole(&mut guest, socks5::greeting).await? {
        true => Acceptable::NoPassword,
        false => Acceptable::Nothing,
    };
    let answered = guest.write_all(&socks5::method_reply(acceptable)).await;
    if answered.is_err() || acceptable == Acceptable::Nothing {
        return Err(Reason::ProxyMalformed);
    }
    match whole(&mut guest, socks5::request).await {
        Ok(request) => Ok(Greeted {
            guest,
            target: request.target,
            port: request.port,
            greeting: Greeting::Socks5,
        }),
        Err(reason) => {
            let _ = guest.write_all(&socks5::reply(Err(reason))).await;
            Err(reason)
        }
    }
}

/// A whole message; what follows it stays.
async fn whole<T>(
    guest: &mut Held<UnixStream>,
    read: impl Fn(&[u8]) -> Progress<T>,
) -> Result<T, Reason> {
    loop {
        match read(guest.held()) {
            Progress::Whole { message, length } => {
                guest.consume(length);
                return Ok(message);
            }
            Progress::Refused(reason) => return Err(reason),
            Progress::Incomplete if guest.held().len() > MAX_SOCKS_BYTES => {
                return Err(Reason::ProxyMalformed);
            }
            Progress::Incomplete => match guest.peek_more().await {
                Ok(piece) if !piece.is_empty() => {}
                _ => return Err(Reason::ProxyMalformed),
            },
        }
    }
}

async fn http(mut guest: Held<UnixStream>) -> Result<Greeted, Reason> {
    let asked = match guest.head(MAX_PROXY_HEAD_BYTES).await {
        HeadProgress::Whole { length } => {
            connect::parse(&guest.held()[..length]).map(|asked| (asked, length))
        }
        HeadProgress::TooLong => Err(Reason::RequestTooLong),
        HeadProgress::NotHttp | HeadProgress::Incomplete => Err(Reason::ProxyMalformed),
    };
    match asked {
        Ok((ProxyRequest::Tunnel { target, port }, length)) => {
            guest.consume(length);
            Ok(Greeted {
                guest,
                target,
                port,
                greeting: Greeting::Tunnel,
            })
        }
        Ok((ProxyRequest::Forward { target, port }, _)) => Ok(Greeted {
            guest,
            target,
            port,
            greeting: Greeting::Forward,
        }),
        Err(reason) => {
            let _ = guest.write_all(&http1::refusal(reason)).await;
            Err(reason)
        }
    }
}
