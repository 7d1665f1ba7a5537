//! The stream to the agent: the host connects to Firecracker's socket and asks for the guest's port.
//! The other direction does not exist: nothing listens at `v.sock_PORT`, so Firecracker refuses a
//! guest that dials.

use protocol::wire::VSOCK_PORT;
use std::io::{Error, ErrorKind, Result};
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// How long to wait before asking again for a port that nobody listens at yet: Firecracker can
/// only say 'no', not 'now'.
const ASK_AGAIN: Duration = Duration::from_millis(3);

/// The longest answer: `OK 4294967295\n`.
const MAX_ANSWER_BYTES: usize = 14;

/// Connects to the agent, for as long as it takes; the caller's deadline ends it.
pub async fn connect(socket: &Path, pid: i32) -> Result<UnixStream> {
    loop {
        let mut stream = UnixStream::connect(socket).await?;
        // The VMM's uid owns the folder: a link to another socket of the host's is refused here.
        if stream.peer_cred()?.pid() != Some(pid) {
            let reason = format!("{} is not the VMM's", socket.display());
            return Err(Error::new(ErrorKind::PermissionDenied, reason));
        }
        match handshake(&mut stream).await {
            Ok(()) => return Ok(stream),
            Err(e) if nobody_listens(&e) => tokio::time::sleep(ASK_AGAIN).await,
            Err(e) => return Err(e),
        }
    }
}

fn nobody_listens(error: &Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | BrokenPipe)
}

/// `CONNECT 5000\n`, answered by `OK PORT\n`. Read byte by byte: what follows is the agent's.
async fn handshake(stream: &mut UnixStream) -> Result<()> {
    stream
        .write_all(format!("CONNECT {VSOCK_PORT}\n").as_bytes())
        .await?;
    let mut answer = Vec::with_capacity(MAX_ANSWER_BYTES);
    while answer.last() != Some(&b'\n') && answer.len() < MAX_ANSWER_BYTES {
        answer.push(stream.read_u8().await?);
    }
    let port = std::str::from_utf8(&answer)
        .ok()
        .and_then(|text| text.strip_prefix("OK ")?.strip_suffix('\n'))
        .and_then(|port| port.parse::<u32>().ok());
    match port {
        Some(_) => Ok(()),
        None => Err(Error::new(
            ErrorKind::InvalidData,
            format!("{:?} for an answer", String::from_utf8_lossy(&answer)),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UnixListener;

    /// A listener that gives each of the answers to one connection, then the agent's first byte.
    async fn against(answers: &'static [&'static str]) -> Result<(UnixStream, Vec<String>)> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("v.sock");
        let listener = UnixListener::bind(&path)?;
        let peer = tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut line = [0u8; 64];
                let count = stream.read(&mut line).await.unwrap();
                asked.push(String::from_utf8_lossy(&line[..count]).into_owned());
                let _ = stream.write_all(answer.as_bytes()).await;
            }
            asked
        });
        let stream = connect(&path, std::process::id() as i32).await?;
        Ok((stream, peer.await.unwrap()))
    }

    #[tokio::test]
    async fn the_port_is_asked_for_until_somebody_listens_and_nothing_of_the_agents_is_lost() {
        let (mut stream, asked) = against(&["", "", "OK 1073741824\nhello"]).await.unwrap();
        assert_eq!(asked, vec!["CONNECT 5000\n"; 3]);
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "hello");
    }

    #[tokio::test]
    async fn another_answer_is_an_error() {
        for answer in [
            ["NO\n"],
            ["OK x\n"],
            ["OK 99999999999999999999\n"],
            ["OK -1\n"],
        ] {
            let answer: &'static [&'static str] = Box::leak(Box::new(answer));
            let error = against(answer).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{answer:?}");
        }
    }

    #[tokio::test]
    async fn another_processs_socket_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v.sock");
        let _listener = UnixListener::bind(&path).unwrap();
        let error = connect(&path, 1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    }
}
