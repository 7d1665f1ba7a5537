//! One connection to what listens on a port of the sandbox, or of a program of it to the outside, and its bytes between
//! socket and link.
//!
//! ```text
//!   Connecting ──> Open ──> both directions over
//!       │            ^ a program's own is
//!       │ refused at 127.0.0.1: [::1], then NotConnected
//! ```
//!
//! The agent connects by itself: the sandbox's programs have its loopback device, a TCP peer learns nothing of who
//! connects, and no image needs a program for it.

use super::network::reset;
use super::operation::Interest;
use crate::error::{AgentError, Step};
use nix::errno::Errno;
use nix::sys::socket::sockopt::{RcvBuf, SndBuf, SocketError};
use nix::sys::socket::{
    AddressFamily, Shutdown, SockFlag, SockType, SockaddrIn, SockaddrIn6, SockaddrLike,
    SockaddrStorage, connect, getpeername, getsockname, getsockopt, setsockopt, shutdown, socket,
};
use protocol::link::{Link, MAX_DATA_BYTES, StreamId};
use protocol::supervisor::OUTBOUND_WINDOW_BYTES;
use std::collections::VecDeque;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// Bytes that the kernel holds for each direction: it is nobody's memory but the VM's.
const SOCKET_BYTES: usize = 64 * 1024;

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Asked at one address.
    Connecting(Loopback),
    /// Something has it.
    Open,
}

/// Where it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loopback {
    V4,
    V6,
}

/// What became of it in a turn.
#[derive(Debug, PartialEq, Eq)]
pub enum Turned {
    /// Nothing that anybody needs to hear of.
    Goes,
    /// Something has it now.
    Connected,
    /// Nothing takes it.
    NotConnected(Errno),
    /// Both directions are over.
    Over,
}

/// One connection.
pub struct Connection {
    port: u16,
    socket: OwnedFd,
    stage: Stage,
    /// Goes to the guest, until it is over.
    to_guest: Option<StreamId>,
    waiting: VecDeque<u8>,
    /// The host sends nothing more.
    ended: bool,
    /// Comes in at the host, until it is over.
    to_host: Option<StreamId>,
    opened: Opened,
}

/// Who opened it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opened {
    ByHost,
    /// A program, which is to see a failure where the host gives it up.
    ByProgram,
}

impl Connection {
    /// Begins to connect.
    pub fn begin(port: u16, to_guest: StreamId, to_host: StreamId) -> Result<Connection, Errno> {
        Ok(Connection {
            port,
            socket: ask(Loopback::V4, port)?,
            stage: Stage::Connecting(Loopback::V4),
            to_guest: Some(to_guest),
            waiting: VecDeque::new(),
            ended: false,
            to_host: Some(to_host),
            opened: Opened::ByHost,
        })
    }

    /// One that a program opened, and the host carries.
    pub fn adopt(
        socket: OwnedFd,
        (to_guest, to_host): (StreamId, StreamId),
        link: &mut Link,
    ) -> Connection {
        link.open_incoming_granted(to_guest, OUTBOUND_WINDOW_BYTES);
        link.open_outgoing(to_host);
        Connection {
            port: 0,
            socket,
            stage: Stage::Open,
            to_guest: Some(to_guest),
            waiting: VecDeque::new(),
            ended: false,
            to_host: Some(to_host),
            opened: Opened::ByProgram,
        }
    }

    /// What there is to wait for. A socket is not waited for where nothing could be done: its hang-up would wake for ever.
    pub fn interests(&self, link: &Link) -> Vec<Interest<'_>> {
        let fd = self.socket.as_fd();
        if let Stage::Connecting(_) = self.stage {
            return vec![Interest::Write(fd)];
        }
        let has_room = self.to_host.is_some_and(|stream| link.room(stream) > 0);
        let reads = has_room.then_some(Interest::Read(fd));
        let writes = (!self.waiting.is_empty()).then_some(Interest::Write(fd));
        reads.into_iter().chain(writes).collect()
    }

    /// Takes in bytes of this stream; `false`: it is not this connection's.
    pub fn feed(&mut self, of: StreamId, data: &[u8]) -> bool {
        let is_its = self.to_guest == Some(of);
        if is_its {
            self.waiting.extend(data);
        }
        is_its
    }

    /// The host sends nothing more on this stream.
    pub fn end(&mut self, of: StreamId) {
        self.ended |= self.to_guest == Some(of);
    }

    /// Its streams mean nothing any more.
    pub fn close(&mut self, link: &mut Link) {
        self.stop_reading(link);
        self.stop_writing(link);
    }

    /// The host gave it up: nobody is there for the rest.
    pub fn give_up(mut self, link: &mut Link) {
        self.close(link);
        if self.opened == Opened::ByProgram {
            reset(self.socket);
        }
    }

    /// Goes on as far as it does now.
    pub fn turn(&mut self, link: &mut Link) -> Result<Turned, AgentError> {
        let mut turned = Turned::Goes;
        if let Stage::Connecting(at) = self.stage {
            match self.asked() {
                None => return Ok(Turned::Goes),
                Some(Ok(())) => (self.stage, turned) = (Stage::Open, Turned::Connected),
                Some(Err(Errno::ECONNREFUSED)) if at == Loopback::V4 => {
                    // Without IPv6 the first answer stands.
                    let Ok(socket) = ask(Loopback::V6, self.port) else {
                        return Ok(Turned::NotConnected(Errno::ECONNREFUSED));
                    };
                    (self.socket, self.stage) = (socket, Stage::Connecting(Loopback::V6));
                    return Ok(Turned::Goes);
                }
                Some(Err(errno)) => return Ok(Turned::NotConnected(errno)),
            }
        }
        self.write(link)?;
        self.read(link)?;
        // What listened wants no more of it and the host neither: what still waits is nobody's.
        let is_over = self.to_host.is_none() && (self.to_guest.is_none() || self.ended);
        Ok(match turned {
            Turned::Goes if is_over => Turned::Over,
            turned => turned,
        })
    }

    /// What came of asking; `None`: nothing yet.
    fn asked(&self) -> Option<Result<(), Errno>> {
        match getsockopt(&self.socket, SocketError) {
            Ok(0) => {}
            Ok(errno) => return Some(Err(Errno::from_raw(errno))),
            Err(errno) => return Some(Err(errno)),
        }
        let fd = self.socket.as_raw_fd();
        match getpeername::<SockaddrStorage>(fd) {
            Err(Errno::ENOTCONN) => None,
            Err(errno) => Some(Err(errno)),
            // Where nothing listens, a port that the kernel chose for this end can be the one that is asked for: TCP then
            // connects a socket to itself.
            Ok(peer) if getsockname::<SockaddrStorage>(fd) == Ok(peer) => {
                Some(Err(Errno::ECONNREFUSED))
            }
            Ok(_) => Some(Ok(())),
        }
    }

    fn write(&mut self, link: &mut Link) -> Result<(), AgentError> {
        let Some(stream) = self.to_guest else {
            return Ok(());
        };
        while !self.waiting.is_empty() {
            match nix::unistd::write(&self.socket, self.waiting.as_slices().0) {
                Ok(count) => {
                    self.waiting.drain(..count);
                    link.used(stream, count);
                }
                Err(Errno::EAGAIN) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(Errno::EPIPE | Errno::ECONNRESET | Errno::ETIMEDOUT) => {
                    self.stop_writing(link);
                    return Ok(());
                }
                Err(source) => return Err(source).step(|| "write to a port"),
            }
        }
        if self.ended {
            // Whoever is gone needs to hear nothing.
            let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Write);
            self.to_guest = None;
        }
        Ok(())
    }

    fn read(&mut self, link: &mut Link) -> Result<(), AgentError> {
        let mut buffer = [0u8; MAX_DATA_BYTES];
        while let Some(stream) = self.to_host {
            let room = link.room(stream).min(MAX_DATA_BYTES);
            if room == 0 {
                return Ok(());
            }
            match nix::unistd::read(&self.socket, &mut buffer[..room]) {
                Ok(0) => self.stop_reading(link),
                Ok(count) => link.push(stream, &buffer[..count])?,
                Err(Errno::EAGAIN) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(Errno::ECONNRESET | Errno::EPIPE | Errno::ETIMEDOUT) => self.close(link),
                Err(source) => return Err(source).step(|| "read from a port"),
            }
        }
        Ok(())
    }

    fn stop_reading(&mut self, link: &mut Link) {
        if let Some(stream) = self.to_host.take() {
            link.end(stream);
        }
    }

    fn stop_writing(&mut self, link: &mut Link) {
        self.waiting.clear();
        if let Some(stream) = self.to_guest.take()
            && !self.ended
        {
            link.refuse(stream);
        }
    }
}

/// A socket that is being connected, and never waits.
fn ask(at: Loopback, port: u16) -> Result<OwnedFd, Errno> {
    match at {
        Loopback::V4 => {
            let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
            ask_at(AddressFamily::Inet, &SockaddrIn::from(address))
        }
        Loopback::V6 => {
            let address = SocketAddrV6::new(Ipv6Addr::LOCALHOST, port, 0, 0);
            ask_at(AddressFamily::Inet6, &SockaddrIn6::from(address))
        }
    }
}

fn ask_at(family: AddressFamily, address: &impl SockaddrLike) -> Result<OwnedFd, Errno> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(family, SockType::Stream, flags, None)?;
    setsockopt(&socket, SndBuf, &SOCKET_BYTES)?;
    setsockopt(&socket, RcvBuf, &SOCKET_BYTES)?;
    match connect(socket.as_raw_fd(), address) {
        Ok(()) | Err(Errno::EINPROGRESS) => Ok(socket),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::time::{Duration, Instant};

    const TO_GUEST: StreamId = 1;
    const TO_HOST: StreamId = 2;

    /// A connection and a link on which the host gave it all credit.
    fn begun(port: u16) -> (Connection, Link) {
        let mut link = Link::new();
        link.open_incoming_granted(TO_GUEST, 64 * 1024);
        link.open_outgoing_granted(TO_HOST, 64 * 1024);
        (Connection::begin(port, TO_GUEST, TO_HOST).unwrap(), link)
    }

    /// Turns until something is to be told.
    fn told(connection: &mut Connection, link: &mut Link) -> Turned {
        let late = Instant::now() + Duration::from_secs(10);
        loop {
            match connection.turn(link).unwrap() {
                Turned::Goes => assert!(Instant::now() < late, "nothing is told"),
                turned => return turned,
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn bytes_go_both_ways_until_both_ends_are_done() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else {
                println!("not run: no {address} here");
                continue;
            };
            let port = listener.local_addr().unwrap().port();
            let (mut connection, mut link) = begun(port);
            assert_eq!(told(&mut connection, &mut link), Turned::Connected);
            let (mut server, _) = listener.accept().unwrap();
            assert!(connection.feed(TO_GUEST, b"ping") && !connection.feed(TO_HOST, b"x"));
            connection.end(TO_GUEST);
            assert_eq!(connection.turn(&mut link).unwrap(), Turned::Goes);
            let mut asked = String::new();
            server.read_to_string(&mut asked).unwrap();
            assert_eq!(asked, "ping");
            server.write_all(b"pong").unwrap();
            drop(server);
            assert_eq!(told(&mut connection, &mut link), Turned::Over);
            let mut out = Vec::new();
            link.take_output(&mut out, 1 << 20);
            assert!(out.windows(4).any(|four| four == b"pong"));
        }
    }

    #[test]
    fn where_nothing_listens_it_is_refused() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let (mut connection, mut link) = begun(port);
        let refused = Turned::NotConnected(Errno::ECONNREFUSED);
        assert_eq!(told(&mut connection, &mut link), refused);
    }

    #[test]
    fn a_server_that_reads_nothing_is_not_written_to_without_end() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (mut connection, mut link) = begun(port);
        assert_eq!(told(&mut connection, &mut link), Turned::Connected);
        let (server, _) = listener.accept().unwrap();
        for _ in 0..2048 {
            connection.feed(TO_GUEST, &[7; 1024]);
            connection.turn(&mut link).unwrap();
        }
        assert!(
            !connection.waiting.is_empty(),
            "no more than buffers is taken"
        );
        drop(server);
        assert_eq!(told(&mut connection, &mut link), Turned::Over);
    }
}
