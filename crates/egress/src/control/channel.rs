//! One end of the control channel: a socket of packets that also carries descriptors.

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use tokio::io::unix::AsyncFd;

/// The longest message, in bytes (128 KiB): policies of some hundred rules, a bundle of a hundred certificates is none of
/// them.
pub const MAX_MESSAGE_BYTES: usize = 128 * 1024;

/// Why a channel is of no use any more.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The other end is gone.
    #[error("the other end of the control channel is gone")]
    Closed,
    /// The kernel's word.
    #[error("control channel")]
    Io(#[from] io::Error),
    /// What came is no message.
    #[error("control channel: no message: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It does not fit.
    #[error("control channel: a message of more than {MAX_MESSAGE_BYTES} bytes")]
    TooLong,
}

/// One end.
#[derive(Debug)]
pub struct Channel(AsyncFd<OwnedFd>);

impl Channel {
    /// Both ends; the second for another process.
    pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let kind = SocketType::SEQPACKET;
        Ok(rustix::net::socketpair(
            AddressFamily::UNIX,
            kind,
            flags,
            None,
        )?)
    }

    /// An end as it was handed over. Within a runtime.
    pub fn new(end: OwnedFd) -> io::Result<Channel> {
        rustix::io::ioctl_fionbio(&end, true)?;
        // SAFETY: it owns the descriptor, which stays what it is until it is dropped.
        Ok(Channel(unsafe { AsyncFd::register(end) }?))
    }

    /// Sends one message, whole, and a descriptor with it. Cancel-safe.
    pub async fn send(
        &self,
        message: &impl Serialize,
        fd: Option<BorrowedFd<'_>>,
    ) -> Result<(), ChannelError> {
        let bytes = serde_json::to_vec(message)?;
        if bytes.len() > MAX_MESSAGE_BYTES {
            return Err(ChannelError::TooLong);
        }
        loop {
            let mut ready = self.0.writable().await?;
            match ready.try_io(|end| send_packet(end.get_ref().as_fd(), &bytes, fd)) {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) if is_gone(&error) => return Err(ChannelError::Closed),
                Ok(Err(error)) => return Err(error.into()),
                Err(_would_block) => {}
            }
        }
    }

    /// The next message, and its descriptor. Cancel-safe.
    pub async fn receive<T: DeserializeOwned>(&self) -> Result<(T, Option<OwnedFd>), ChannelError> {
        let mut bytes = vec![0; MAX_MESSAGE_BYTES];
        loop {
            let mut ready = self.0.readable().await?;
            match ready.try_io(|end| receive_packet(end.get_ref().as_fd(), &mut bytes)) {
                Ok(Ok((0, _))) => return Err(ChannelError::Closed),
                Ok(Ok((count, fd))) => return Ok((serde_json::from_slice(&bytes[..count])?, fd)),
                Ok(Err(error)) if is_gone(&error) => return Err(ChannelError::Closed),
                Ok(Err(error)) => return Err(error.into()),
                Err(_would_block) => {}
            }
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
    )
}

fn send_packet(to: BorrowedFd<'_>, bytes: &[u8], fd: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds = fd.map(|fd| [fd]);
    if let Some(fds) = &fds {
        control.push(SendAncillaryMessage::ScmRights(fds));
    }
    let data = [IoSlice::new(bytes)];
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    rustix::net::sendmsg(to, &data, &mut control, flags)?;
    Ok(())
}

fn receive_packet(from: BorrowedFd<'_>, bytes: &mut [u8]) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let mut data = [IoSliceMut::new(bytes)];
    let received = rustix::net::recvmsg(from, &mut data, &mut control, flags)?;
    if received.flags.contains(ReturnFlags::TRUNC) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a message was cut",
        ));
    }
    let fd = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    Ok((received.bytes, fd))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;

    #[tokio::test]
    async fn messages_keep_their_bounds_and_carry_a_descriptor() {
        let (one, other) = Channel::pair().unwrap();
        let (one, other) = (Channel::new(one).unwrap(), Channel::new(other).unwrap());
        let (mut near, far) = UnixStream::pair().unwrap();
        one.send(&"a", None).await.unwrap();
        one.send(&"b", Some(far.as_fd())).await.unwrap();
        drop(far);
        let (a, none): (String, _) = other.receive().await.unwrap();
        let (b, fd): (String, _) = other.receive().await.unwrap();
        assert_eq!((a.as_str(), b.as_str(), none.is_none()), ("a", "b", true));
        UnixStream::from(fd.unwrap()).write_all(b"x").unwrap();
        let mut came = String::new();
        near.read_to_string(&mut came).unwrap();
        assert_eq!(came, "x");
    }

    #[tokio::test]
    async fn who_is_gone_and_what_is_no_message_is_an_error() {
        let (one, other) = Channel::pair().unwrap();
        let (one, other) = (Channel::new(one).unwrap(), Channel::new(other).unwrap());
        let long = "x".repeat(MAX_MESSAGE_BYTES);
        assert!(matches!(
            one.send(&long, None).await,
            Err(ChannelError::TooLong)
        ));
        one.send(&"text", None).await.unwrap();
        let number = other.receive::<u32>().await;
        assert!(matches!(number, Err(ChannelError::Malformed(_))));
        drop(one);
        let gone = other.receive::<u32>().await;
        assert!(matches!(gone, Err(ChannelError::Closed)));
        let sent = other.send(&1, None).await;
        assert!(matches!(sent, Err(ChannelError::Closed)));
    }
}
