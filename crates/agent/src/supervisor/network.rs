//! The outside, as the sandbox's programs see it: whatever address they connect to is this machine's, and the agent has
//! the connection. It parses nothing: bytes go over the link, and the host decides.
//!
//! ```text
//!   program ── connect 198.18.0.1:443 ──> lo ──> listener ──Dial──> host
//!                                                   │ Dialled: a stream each way
//!                                                   │ NotDialled: reset
//!   program ── UDP 127.0.0.1:53 ──> resolver ──Query──> host ──Answer──> program
//! ```
//!
//! There is no interface but `lo`, and no route but to it. Ports that no policy has are refused by the kernel, at once.

mod routes;
mod sockets;

pub use sockets::reset;

use super::connection::Connection;
use super::connections::Connections;
use super::operation::Interest;
use crate::devices;
use crate::error::AgentError;
use nix::errno::Errno;
use protocol::link::{Link, StreamId};
use protocol::supervisor::{
    Destination, GuestControl, MAX_DIALS, MAX_PORTS, MAX_QUERIES, MAX_QUERY_BYTES, PROXY_PORT,
};
use sockets::{Listener, Resolver};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

/// What captures connections, and what waits for the host.
pub struct Network {
    listeners: Vec<Listener>,
    resolver: Resolver,
    /// Taken, and not answered for.
    dials: BTreeMap<u32, OwnedFd>,
    /// Who asked for a name. The oldest gives way: who hears nothing asks again.
    queries: BTreeMap<u32, SocketAddr>,
    last: u32,
}

impl Network {
    /// Captures what goes to these ports from here on; programs find the certificates that they are to believe.
    pub fn open(ports: &[u16], trust: &[u8]) -> Result<Network, AgentError> {
        if ports.len() > MAX_PORTS {
            return Err(AgentError::OutOfTurn("more ports than a policy has"));
        }
        devices::write_trust(trust)?;
        routes::everything_is_here()?;
        let captured = ports
            .iter()
            .filter(|port| **port != PROXY_PORT)
            .map(|port| Listener::anywhere(*port));
        let listeners = captured.chain([Listener::proxy(PROXY_PORT)]);
        Ok(Network {
            listeners: listeners.collect::<Result<_, _>>()?,
            resolver: Resolver::open()?,
            dials: BTreeMap::new(),
            queries: BTreeMap::new(),
            last: 0,
        })
    }

    /// What there is to wait for. What has no place waits in the kernel's queue.
    pub fn interests(&self) -> impl Iterator<Item = Interest<'_>> {
        let has_place = self.dials.len() < MAX_DIALS;
        let listeners = self.listeners.iter().filter(move |_| has_place);
        let listeners = listeners.map(|listener| Interest::Read(listener.as_fd()));
        listeners.chain([Interest::Read(self.resolver.as_fd())])
    }

    /// Tells the host what came.
    pub fn turn(&mut self, link: &mut Link) -> Result<(), AgentError> {
        for place in 0..self.listeners.len() {
            while self.dials.len() < MAX_DIALS
                && let Some((socket, to)) = self.listeners[place].accept()?
            {
                self.dial(socket, to, link)?;
            }
        }
        while let Some((from, message)) = self.resolver.receive()? {
            let query = self.next();
            if self.queries.len() >= MAX_QUERIES {
                self.queries.pop_first();
            }
            self.queries.insert(query, from);
            link.control(&GuestControl::Query { query, message })?;
        }
        Ok(())
    }

    fn dial(
        &mut self,
        socket: OwnedFd,
        to: Destination,
        link: &mut Link,
    ) -> Result<(), AgentError> {
        let dial = self.next();
        self.dials.insert(dial, socket);
        Ok(link.control(&GuestControl::Dial { dial, to })?)
    }

    /// The host carries one.
    pub fn dialled(
        &mut self,
        dial: u32,
        streams: (StreamId, StreamId),
        link: &mut Link,
    ) -> Option<Connection> {
        let socket = self.dials.remove(&dial)?;
        Some(Connection::adopt(socket, streams, link))
    }

    /// The host does not carry one: its program sees a reset, not an end.
    pub fn not_dialled(&mut self, dial: u32) {
        if let Some(socket) = self.dials.remove(&dial) {
            reset(socket);
        }
    }

    /// What a program is answered.
    pub fn answer(&mut self, query: u32, message: &[u8]) -> Result<(), AgentError> {
        match self.queries.remove(&query) {
            Some(to) if message.len() <= MAX_QUERY_BYTES => self.resolver.send(to, message),
            _ => Ok(()),
        }
    }

    /// Numbers that are waited for are of the last few hundred.
    fn next(&mut self) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.last
    }
}

/// Opens what was answered for, among all connections; where the guest has no place, both streams are over.
pub fn begin(
    network: Option<&mut Network>,
    connections: &mut Connections,
    (dial, streams): (u32, (StreamId, StreamId)),
    link: &mut Link,
) {
    let connection = network.and_then(|network| network.dialled(dial, streams, link));
    match connection {
        Some(connection) => connections.adopt(streams.1, connection),
        None => {
            let (to_guest, to_host) = streams;
            link.open_incoming(to_guest, 1);
            link.refuse(to_guest);
            link.open_outgoing(to_host);
            link.end(to_host);
        }
    }
}

/// Whether a program has to try again, or nobody is there any more: nothing that a listener is of less use for.
fn is_passing(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::EAGAIN
            | Errno::EINTR
            | Errno::ECONNABORTED
            | Errno::ECONNREFUSED
            | Errno::EMFILE
            | Errno::ENFILE
            | Errno::ENOBUFS
            | Errno::ENOMEM
            | Errno::EPERM
            | Errno::EPROTO
    )
}
