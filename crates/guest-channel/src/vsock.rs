//! A vsock socket on our port. The host connects; a guest's own dialling out finds nobody.

use crate::{ChannelError, Step};
use nix::libc::VMADDR_CID_ANY;
use nix::sys::socket::{self, AddressFamily, Backlog, SockFlag, SockType, VsockAddr};
use protocol::wire::VSOCK_PORT;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

/// Connections that wait: a restored VM's last host and its next.
const BACKLOG: i32 = 4;

/// Listens for the host, and whoever else there is: who connected is for the caller to ask.
pub fn listen() -> Result<OwnedFd, ChannelError> {
    if !Path::new("/dev/vsock").exists() {
        return Err(ChannelError::NoDevice);
    }
    let listener = socket::socket(
        AddressFamily::Vsock,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC,
        None,
    )
    .step(|| "vsock socket")?;
    let address = VsockAddr::new(VMADDR_CID_ANY, VSOCK_PORT);
    socket::bind(listener.as_raw_fd(), &address)
        .step(|| format!("bind vsock port {VSOCK_PORT}"))?;
    let backlog = Backlog::new(BACKLOG).step(|| "backlog")?;
    socket::listen(&listener, backlog).step(|| "listen on vsock")?;
    Ok(listener)
}
