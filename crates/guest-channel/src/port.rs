//! The virtio-serial port with our name. Its driver learns ports and their names from the VMM some
//! time after it was loaded, over a queue of its own: where the machine has such a device, the port is
//! waited for.

use crate::{ChannelError, Step};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, socket,
};
use protocol::wire::CHANNEL_NAME;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// virtio's number of a console, which a serial device is (Virtual I/O Device 1.2, section 5).
const CONSOLE_DEVICE: &str = "0x0003";
/// The multicast group of the kernel's own events (`lib/kobject_uevent.c`).
const KERNEL_EVENTS: u32 = 1;
/// From the driver's loading to the port's name, on an emulated machine on a loaded host.
const DEADLINE: Duration = Duration::from_secs(20);

/// Opens it; `None`: this machine has no virtio-serial device.
pub fn open() -> Result<Option<OwnedFd>, ChannelError> {
    if !has_device() {
        return Ok(None);
    }
    // Before the first look, so that no name comes between the two.
    let events = kernel_events()?;
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(port) = find()? {
            return Ok(Some(port));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let seconds = DEADLINE.as_secs();
            return Err(ChannelError::NoPort { seconds });
        }
        wait(&events, left)?;
    }
}

fn has_device() -> bool {
    let devices = std::fs::read_dir("/sys/bus/virtio/devices").into_iter();
    devices.flatten().flatten().any(|device| {
        let number = std::fs::read_to_string(device.path().join("device")).unwrap_or_default();
        number.trim_end() == CONSOLE_DEVICE
    })
}

fn find() -> Result<Option<OwnedFd>, ChannelError> {
    let ports = std::fs::read_dir("/sys/class/virtio-ports").into_iter();
    for port in ports.flatten().flatten() {
        let name = std::fs::read_to_string(port.path().join("name")).unwrap_or_default();
        if name.trim_end() != CHANNEL_NAME {
            continue;
        }
        let device = Path::new("/dev").join(port.file_name());
        let file = File::options()
            .read(true)
            .write(true)
            .open(&device)
            .step(|| format!("open {}", device.display()))?;
        return Ok(Some(file.into()));
    }
    Ok(None)
}

fn kernel_events() -> Result<OwnedFd, ChannelError> {
    let events = socket(
        AddressFamily::Netlink,
        SockType::Datagram,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
        SockProtocol::NetlinkKObjectUEvent,
    )
    .step(|| "a socket of kernel events")?;
    bind(events.as_raw_fd(), &NetlinkAddr::new(0, KERNEL_EVENTS))
        .step(|| "subscribe to kernel events")?;
    Ok(events)
}

/// Until anything happened to any device: what it was is found by looking.
fn wait(events: &OwnedFd, left: Duration) -> Result<(), ChannelError> {
    let millis = u16::try_from(left.as_millis() + 1).unwrap_or(u16::MAX);
    let mut fds = [PollFd::new(events.as_fd(), PollFlags::POLLIN)];
    match poll(&mut fds, PollTimeout::from(millis)) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(source) => return Err(source).step(|| "wait for kernel events"),
    }
    let mut buffer = [0u8; 4096];
    while recv(events.as_raw_fd(), &mut buffer, MsgFlags::empty()).is_ok() {}
    Ok(())
}
