//! Ports of the host's that nobody has any business with: what arrives there got out of a guest.

use crate::error::SelftestError;
use std::net::{TcpListener, UdpSocket};

/// Listens on loopback, where a guest with any way to the host would come out.
pub struct Canary {
    tcp: TcpListener,
    udp: UdpSocket,
}

impl Canary {
    /// Listens.
    pub fn open() -> Result<Canary, SelftestError> {
        Canary::listen().map_err(|error| SelftestError::Host {
            what: "a port of its own on 127.0.0.1",
            source: error.into(),
        })
    }

    fn listen() -> std::io::Result<Canary> {
        let canary = Canary {
            tcp: TcpListener::bind("127.0.0.1:0")?,
            udp: UdpSocket::bind("127.0.0.1:0")?,
        };
        canary.tcp.set_nonblocking(true)?;
        canary.udp.set_nonblocking(true)?;
        Ok(canary)
    }

    /// The TCP and the UDP port.
    pub fn ports(&self) -> (u16, u16) {
        let port = |address: std::io::Result<std::net::SocketAddr>| {
            address.map_or(0, |address| address.port())
        };
        (port(self.tcp.local_addr()), port(self.udp.local_addr()))
    }

    /// What has arrived since the last time.
    pub fn arrived(&self) -> Vec<String> {
        let mut arrived = Vec::new();
        while let Ok((_, from)) = self.tcp.accept() {
            arrived.push(format!("a TCP connection from {from}"));
        }
        let mut buffer = [0; 64];
        while let Ok((count, from)) = self.udp.recv_from(&mut buffer) {
            arrived.push(format!("{count} bytes by UDP from {from}"));
        }
        arrived
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_knocks_is_told() {
        let canary = Canary::open().unwrap();
        assert!(canary.arrived().is_empty());
        let (tcp, udp) = canary.ports();
        let _open = std::net::TcpStream::connect(("127.0.0.1", tcp)).unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.send_to(b"out", ("127.0.0.1", udp)).unwrap();
        assert_eq!(canary.arrived().len(), 2);
        assert!(canary.arrived().is_empty());
    }
}
