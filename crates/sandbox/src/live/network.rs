//! The outside, as a sandbox's programs ask for it: who holds a [`Network`] hears of each connection and each question for
//! a name, and decides. What is not taken is reset. Nothing here knows a policy.
//!
//! ```text
//!   guest ──Dial──> state: was a network opened? ──> desk: a place, two streams ──Dialled──> guest
//!                                                        └──> Network::next ──> Connection
//! ```

use super::connection::{Connection, Held, Streams, Windows};
use super::desk::Desk;
use super::error::LiveError;
use super::guest::Guest;
use super::line::{Command, Line};
use protocol::supervisor::{
    Destination, HostControl, MAX_CONNECTIONS, MAX_OUTBOUND, MAX_QUERIES, MAX_QUERY_BYTES,
    OUTBOUND_WINDOW_BYTES,
};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

/// What the desk passes on.
#[derive(Debug)]
pub(super) enum Heard {
    Dial(Destination, Held),
    Query(u32, Vec<u8>),
}

/// Whom the desk tells, and the places of what is open.
#[derive(Debug)]
pub(super) struct Outside {
    heard: mpsc::Sender<Heard>,
    places: Arc<Semaphore>,
}

/// What a program asks for.
#[derive(Debug)]
pub enum Asked {
    /// It connected to this; dropped, the connection is reset.
    Dial(Destination, Connection),
    /// It asks for a name: the question's number, and the DNS message, at most 512 bytes.
    Query(u32, Vec<u8>),
}

/// A guest's way out, for as long as it is held.
#[derive(Debug)]
pub struct Network {
    line: Line,
    heard: mpsc::Receiver<Heard>,
}

impl Guest {
    /// Has what programs connect to at these ports captured, and shows them the certificates (PEM) that they are to
    /// believe. Once for a guest, after its bounds.
    pub async fn open_network(
        &self,
        ports: Vec<u16>,
        trust: Vec<u8>,
    ) -> Result<Network, LiveError> {
        // What has no place here is not dialled, or asked again.
        let (tell, heard) = mpsc::channel(MAX_OUTBOUND + MAX_QUERIES);
        let outside = Outside {
            heard: tell,
            places: Arc::new(Semaphore::new(MAX_OUTBOUND)),
        };
        self.ask(|reply| Command::OpenNetwork {
            ports,
            trust,
            outside,
            reply,
        })
        .await?;
        Ok(Network {
            line: self.line.clone(),
            heard,
        })
    }
}

impl Network {
    /// What is asked for next; `None`: the guest is gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<Asked> {
        Some(match self.heard.recv().await? {
            Heard::Dial(to, held) => Asked::Dial(to, Connection::open(held, self.line.clone())),
            Heard::Query(query, message) => Asked::Query(query, message),
        })
    }

    /// Answers for a name, with a DNS message of at most 512 bytes.
    pub async fn answer(&self, query: u32, message: Vec<u8>) -> Result<(), LiveError> {
        if message.len() > MAX_QUERY_BYTES {
            let (what, max) = ("bytes of an answer for a name", MAX_QUERY_BYTES);
            return Err(LiveError::TooMany { what, max });
        }
        let message = HostControl::Answer {
            query,
            message: message.into(),
        };
        self.line
            .ask(|reply| Command::Tell { message, reply })
            .await
    }
}

impl Desk {
    pub(super) fn open_network(
        &mut self,
        (ports, trust): (Vec<u16>, Vec<u8>),
        outside: Outside,
    ) -> Result<(), LiveError> {
        let trust = trust.into();
        self.say(&HostControl::OpenNetwork { ports, trust })?;
        self.expected.open_network();
        self.outside = Some(outside);
        Ok(())
    }

    /// A program connected to something: carried where somebody hears of it and there is a place.
    pub(super) fn dialled(&mut self, dial: u32, to: Destination) {
        // A small message: it can be said.
        let _ = match self.carry(dial, to) {
            Some(()) => Ok(()),
            None => self.say(&HostControl::NotDialled { dial }),
        };
    }

    fn carry(&mut self, dial: u32, to: Destination) -> Option<()> {
        let outside = self.outside.as_ref()?;
        let place = outside.places.clone().try_acquire_owned().ok()?;
        let tell = outside.heard.clone().try_reserve_owned().ok()?;
        let link = &self.link;
        // Those that were left are open until the guest says so.
        let open = self.expected.connections.count(|it| link.is_open(it));
        if open >= 2 * (MAX_CONNECTIONS + MAX_OUTBOUND) {
            return None;
        }
        let streams = self.free_streams();
        let Streams { to_guest, to_host } = streams;
        let dialled = HostControl::Dialled {
            dial,
            to_guest,
            to_host,
        };
        self.say(&dialled).ok()?;
        self.expected.connections.add_open(to_host);
        let windows = Windows {
            to_guest: OUTBOUND_WINDOW_BYTES,
            to_host: OUTBOUND_WINDOW_BYTES,
        };
        tell.send(Heard::Dial(to, self.hold(streams, windows, place)));
        Some(())
    }

    /// A program asks for a name. Where nobody has time for it, it asks again.
    pub(super) fn queried(&mut self, query: u32, message: Vec<u8>) {
        if let Some(outside) = &self.outside {
            let _ = outside.heard.try_send(Heard::Query(query, message));
        }
    }
}
