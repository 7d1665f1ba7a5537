//! What programs reach: listeners at any address, and a resolver that knows nothing.

use super::is_passing;
use crate::error::{AgentError, Step};
use nix::errno::Errno;
use protocol::bytes::Bytes;
use protocol::supervisor::{Destination, MAX_QUERY_BYTES};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Where programs ask for names: libraries do without a `resolv.conf`.
const RESOLVER: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 53);

/// Listens at one port.
pub struct Listener {
    socket: TcpListener,
    takes: Takes,
}

/// What its connections mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// The address that they were to.
    Captured,
    /// A proxy is asked.
    Proxied,
}

impl Listener {
    /// At every address there is, of both families.
    pub fn anywhere(port: u16) -> Result<Listener, AgentError> {
        let both = TcpListener::bind((Ipv6Addr::UNSPECIFIED, port));
        let bound = both.or_else(|_| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)));
        Listener::new(bound, port, Takes::Captured)
    }

    /// Where programs that know of a proxy look for it.
    pub fn proxy(port: u16) -> Result<Listener, AgentError> {
        let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        Listener::new(bound, port, Takes::Proxied)
    }

    fn new(
        bound: io::Result<TcpListener>,
        port: u16,
        takes: Takes,
    ) -> Result<Listener, AgentError> {
        let socket = bound.step(|| format!("listen at port {port}"))?;
        socket.set_nonblocking(true).step(|| "do not wait")?;
        Ok(Listener { socket, takes })
    }

    /// The next connection, and what was meant by it. One to this machine itself meant nothing.
    pub fn accept(&self) -> Result<Option<(OwnedFd, Destination)>, AgentError> {
        loop {
            let socket = match self.socket.accept() {
                Ok((socket, _)) => socket,
                Err(error) if is_passing(errno_of(&error)) => return Ok(None),
                Err(source) => return Err(source).step(|| "accept a connection"),
            };
            let Ok(to) = socket.local_addr() else {
                continue;
            };
            let address = to.ip().to_canonical();
            let is_nobodys = self.takes == Takes::Captured && is_own(address);
            if socket.set_nonblocking(true).is_err() || is_nobodys {
                reset(socket.into());
                continue;
            }
            let to = match self.takes {
                Takes::Proxied => Destination::Proxy,
                Takes::Captured => Destination::Address {
                    address,
                    port: to.port(),
                },
            };
            return Ok(Some((socket.into(), to)));
        }
    }

    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn is_own(address: IpAddr) -> bool {
    address.is_loopback() || address.is_unspecified()
}

/// Takes questions for names.
pub struct Resolver(UdpSocket);

impl Resolver {
    /// Takes them from here on.
    pub fn open() -> Result<Resolver, AgentError> {
        let socket = UdpSocket::bind(RESOLVER).step(|| "listen for names")?;
        socket.set_nonblocking(true).step(|| "do not wait")?;
        Ok(Resolver(socket))
    }

    /// The next question, and whose. What is longer than one may be is cut, and so none.
    pub fn receive(&self) -> Result<Option<(SocketAddr, Bytes)>, AgentError> {
        let mut buffer = [0u8; MAX_QUERY_BYTES];
        loop {
            match self.0.recv_from(&mut buffer) {
                Ok((0, _)) => {}
                Ok((count, from)) => return Ok(Some((from, buffer[..count].into()))),
                Err(error) if is_passing(errno_of(&error)) => return Ok(None),
                Err(source) => return Err(source).step(|| "read a question for a name"),
            }
        }
    }

    /// Answers; who went away hears nothing.
    pub fn send(&self, to: SocketAddr, message: &[u8]) -> Result<(), AgentError> {
        match self.0.send_to(message, to) {
            Ok(_) => Ok(()),
            Err(error) if is_passing(errno_of(&error)) => Ok(()),
            Err(source) => Err(source).step(|| "answer for a name"),
        }
    }

    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn errno_of(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or_default())
}

/// Closes it so that its other end sees a failure.
pub fn reset(socket: OwnedFd) {
    let at_once = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    let _ = nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::Linger, &at_once);
    drop(TcpStream::from(socket));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn what_is_reset_fails_at_the_other_end() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        reset(server.into());
        let error = client.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[test]
    fn what_goes_to_this_machine_itself_is_reset() {
        let listener = Listener::new(TcpListener::bind("127.0.0.1:0"), 0, Takes::Captured).unwrap();
        let at = listener.socket.local_addr().unwrap();
        let mut client = TcpStream::connect(at).unwrap();
        assert!(listener.accept().unwrap().is_none());
        assert!(client.read(&mut [0]).is_err());
        let proxy = Listener::new(TcpListener::bind("127.0.0.1:0"), 0, Takes::Proxied).unwrap();
        let _client = TcpStream::connect(proxy.socket.local_addr().unwrap()).unwrap();
        let (_, to) = proxy.accept().unwrap().unwrap();
        assert_eq!(to, Destination::Proxy);
    }
}
