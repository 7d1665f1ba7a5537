//! Whether the client at the other end is still there, told by the kernel and not by what can be read:
//! hyper reads no further while a request is under way, so bytes that a client sent ahead hide its
//! leaving from it, for as long as its job runs.

use std::io::{ErrorKind, Result};
use std::os::fd::AsFd;
use tokio::io::Interest;
use tokio::net::TcpStream;

/// The other end of a connection.
pub struct Peer(TcpStream);

impl Peer {
    /// That of this stream. It takes a descriptor of its own, for the kernel tells each of its events.
    pub fn of(stream: &TcpStream) -> Result<Peer> {
        let own = stream.as_fd().try_clone_to_owned()?;
        TcpStream::from_std(own.into()).map(Peer)
    }

    /// Resolves when it sends nothing any more: it closed the connection, or its half of it.
    pub async fn gone(&self) {
        // An error means that nothing will be told of it any more.
        while let Ok(ready) = self.0.ready(Interest::READABLE).await {
            if ready.is_read_closed() {
                return;
            }
            // Bytes are there, and more may come: only the end is waited for, so they are noted as seen.
            let seen = || Err::<(), _>(ErrorKind::WouldBlock.into());
            let _ = self.0.try_io(Interest::READABLE, seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    #[tokio::test]
    async fn a_client_that_goes_is_seen_behind_bytes_that_nobody_reads() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (server, _) = listener.accept().await.unwrap();
        let peer = Peer::of(&server).unwrap();
        let soon = Duration::from_millis(50);
        for _ in 0..3 {
            client.write_all(&[b'x'; 1000]).await.unwrap();
            assert!(timeout(soon, peer.gone()).await.is_err());
        }
        drop(client);
        timeout(Duration::from_secs(5), peer.gone()).await.unwrap();
    }
}
