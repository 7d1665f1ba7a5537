//! Sockets, of whatever kind.

use super::{
    Attack, Refused, SYS, Succeeds, Targets, attack, call, ends, every, sealed, uml, unproven,
};
use std::io::{Error, Result};
use std::net::{TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};

pub const ROWS: &[Attack] = &[
    attack("other-vms-socket", ends(Refused, SYS, SYS), |t| {
        UnixStream::connect(t.get("socket")).map(drop)
    }),
    attack("abstract-socket", ends(Refused, SYS, SYS), |t| {
        let address = SocketAddr::from_abstract_name(t.get("abstract"))?;
        UnixStream::connect_addr(&address).map(drop)
    }),
    attack("tcp", every(SYS), |t| {
        TcpStream::connect(t.get("tcp")).map(drop)
    }),
    attack("udp", every(SYS), |_| {
        UdpSocket::bind("127.0.0.1:0").map(drop)
    }),
    attack("netlink", every(SYS), |_| {
        let (family, kind) = (libc::AF_NETLINK as i64, libc::SOCK_RAW as i64);
        call(libc::SYS_socket, [family, kind, 0, 0, 0])
    }),
    // What a kernel starts its processes with is a pair of streams; another pair is somebody else's.
    unproven("stream-pair", sealed(Succeeds), |_| {
        pair(libc::AF_UNIX, libc::SOCK_STREAM)
    }),
    attack("datagram-pair", uml(Succeeds, SYS), |_| {
        pair(libc::AF_UNIX, libc::SOCK_DGRAM)
    }),
    unproven("pair-of-another-family", sealed(SYS), |_| {
        pair(libc::AF_TIPC, libc::SOCK_STREAM)
    }),
    // With it a descriptor could be handed on.
    attack("send-a-message", uml(SYS, SYS), |_| send_nothing()),
    attack("send-by-address", uml(SYS, SYS), send_to_tcp),
];

fn pair(family: libc::c_int, kind: libc::c_int) -> Result<()> {
    let mut ends = [0i32; 2];
    let at = (&raw mut ends) as i64;
    call(libc::SYS_socketpair, [family.into(), kind.into(), 0, at, 0])
}

/// To no socket: whether it is one is looked at after the filter.
fn send_nothing() -> Result<()> {
    // SAFETY: all bytes zero is a message without anything.
    let message: libc::msghdr = unsafe { std::mem::zeroed() };
    call(libc::SYS_sendmsg, [0, (&raw const message) as i64, 0, 0, 0]).or_else(reached)
}

fn send_to_tcp(_: &Targets) -> Result<()> {
    call(libc::SYS_sendto, [0, 0, 0, 0, 0]).or_else(reached)
}

fn reached(error: Error) -> Result<()> {
    match error.raw_os_error() {
        Some(libc::ENOTSOCK) => Ok(()),
        _ => Err(error),
    }
}
