//! All connections to ports of the sandbox, and of its programs to the outside, by the streams that come of them at the host.

use super::connection::{Connection, Turned};
use super::operation::Interest;
use crate::error::AgentError;
use nix::errno::Errno;
use protocol::link::{Link, StreamId};
use protocol::supervisor::{GuestControl, INPUT_WINDOW_BYTES, MAX_CONNECTIONS};
use std::collections::BTreeMap;

/// Those that are open, or about to be.
#[derive(Default)]
pub struct Connections(BTreeMap<StreamId, Connection>);

impl Connections {
    /// One more, on a stream to the guest and one to the host.
    pub fn begin(
        &mut self,
        port: u16,
        (to_guest, to_host): (StreamId, StreamId),
        link: &mut Link,
    ) -> Result<(), AgentError> {
        link.open_incoming_granted(to_guest, INPUT_WINDOW_BYTES);
        link.open_outgoing(to_host);
        let begun = match self.0.len() < 2 * MAX_CONNECTIONS {
            true => Connection::begin(port, to_guest, to_host),
            false => Err(Errno::EAGAIN),
        };
        match begun {
            Ok(connection) => {
                self.0.insert(to_host, connection);
                Ok(())
            }
            Err(errno) => {
                link.refuse(to_guest);
                link.end(to_host);
                not_connected(to_host, errno, link)
            }
        }
    }

    /// One that is open.
    pub fn adopt(&mut self, to_host: StreamId, connection: Connection) {
        self.0.insert(to_host, connection);
    }

    /// What there is to wait for.
    pub fn interests<'a>(&'a self, link: &'a Link) -> impl Iterator<Item = Interest<'a>> {
        self.0.values().flat_map(move |it| it.interests(link))
    }

    /// Takes in bytes; `false`: they are for something else.
    pub fn feed(&mut self, stream: StreamId, data: &[u8]) -> bool {
        self.0.values_mut().any(|it| it.feed(stream, data))
    }

    /// The host sends nothing more on this stream.
    pub fn end(&mut self, stream: StreamId) {
        for connection in self.0.values_mut() {
            connection.end(stream);
        }
    }

    /// The host wants no more of what comes of it: nobody is there for the rest either.
    pub fn refused(&mut self, to_host: StreamId, link: &mut Link) {
        if let Some(connection) = self.0.remove(&to_host) {
            connection.give_up(link);
        }
    }

    /// Goes on with each.
    pub fn turn(&mut self, link: &mut Link) -> Result<(), AgentError> {
        let mut over = Vec::new();
        for (&to_host, connection) in &mut self.0 {
            match connection.turn(link)? {
                Turned::Goes => {}
                Turned::Connected => link.control(&GuestControl::Connected { to_host })?,
                Turned::NotConnected(errno) => {
                    connection.close(link);
                    not_connected(to_host, errno, link)?;
                    over.push(to_host);
                }
                Turned::Over => over.push(to_host),
            }
        }
        for to_host in over {
            self.0.remove(&to_host);
        }
        Ok(())
    }
}

fn not_connected(to_host: StreamId, errno: Errno, link: &mut Link) -> Result<(), AgentError> {
    let errno = errno as i32;
    Ok(link.control(&GuestControl::NotConnected { to_host, errno })?)
}
