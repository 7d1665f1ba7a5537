//! Two routes: every IPv4 and every IPv6 address is this machine's own. As `ip route add local default dev lo`, and the same
//! of `::/0`: no image needs a program for it.

use crate::error::{AgentError, Step};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket,
};
use std::os::fd::AsRawFd;

/// A message's head, a route's, and one attribute: its interface.
const HEAD_BYTES: usize = 16;
const ROUTE_BYTES: usize = 12;
const MESSAGE_BYTES: usize = HEAD_BYTES + ROUTE_BYTES + 8;
/// The loopback device is the first that a kernel makes.
const LOOPBACK_INDEX: u32 = 1;

/// Sets both.
pub fn everything_is_here() -> Result<(), AgentError> {
    for family in [libc::AF_INET, libc::AF_INET6] {
        match set(family) {
            // A network that was open before.
            Ok(()) | Err(Errno::EEXIST) => {}
            // A kernel without IPv6 has no program that connects by it.
            Err(Errno::EAFNOSUPPORT | Errno::EOPNOTSUPP) if family == libc::AF_INET6 => {}
            Err(source) => return Err(source).step(|| format!("route family {family} to lo")),
        }
    }
    Ok(())
}

fn set(family: i32) -> Result<(), Errno> {
    let socket = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkRoute,
    )?;
    send(
        socket.as_raw_fd(),
        &message(family as u8),
        MsgFlags::empty(),
    )?;
    let mut answer = [0u8; 256];
    let count = recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    // The answer to a message that asks for one is `struct nlmsgerr`: the number comes after the head, negative.
    let number = answer[..count].get(HEAD_BYTES..HEAD_BYTES + 4);
    let number = number.and_then(|bytes| bytes.try_into().ok());
    match number.map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(number) => Err(Errno::from_raw(-number)),
        None => Err(Errno::EPROTO),
    }
}

/// `RTM_NEWROUTE` of the empty prefix, in the table of local addresses.
fn message(family: u8) -> [u8; MESSAGE_BYTES] {
    let flags = libc::NLM_F_REQUEST | libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL;
    let mut message = [0u8; MESSAGE_BYTES];
    let (head, rest) = message.split_at_mut(HEAD_BYTES);
    let (route, attribute) = rest.split_at_mut(ROUTE_BYTES);
    head[..4].copy_from_slice(&(MESSAGE_BYTES as u32).to_ne_bytes());
    head[4..6].copy_from_slice(&libc::RTM_NEWROUTE.to_ne_bytes());
    head[6..8].copy_from_slice(&(flags as u16).to_ne_bytes());
    // `struct rtmsg`: family, prefixes, type of service, table, who made it, scope, kind, flags.
    route[0] = family;
    route[4] = libc::RT_TABLE_LOCAL;
    route[5] = libc::RTPROT_BOOT;
    route[6] = libc::RT_SCOPE_HOST;
    route[7] = libc::RTN_LOCAL;
    attribute[..2].copy_from_slice(&8u16.to_ne_bytes());
    attribute[2..4].copy_from_slice(&libc::RTA_OIF.to_ne_bytes());
    attribute[4..].copy_from_slice(&LOOPBACK_INDEX.to_ne_bytes());
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_what_the_kernel_reads() {
        let message = message(libc::AF_INET as u8);
        assert_eq!(message[..4], 36u32.to_ne_bytes());
        assert_eq!(message[4..6], 24u16.to_ne_bytes());
        assert_eq!(message[16..24], [2, 0, 0, 0, 255, 3, 254, 2]);
        assert_eq!(message[28..30], 8u16.to_ne_bytes());
        assert_eq!(message[32..], 1u32.to_ne_bytes());
    }
}
