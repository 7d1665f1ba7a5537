//! The same stream to the host that the real agent has, without its manners.

use crate::error::{Broken, Tried as _};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, VsockAddr, accept, bind, listen, socket,
};
use protocol::frame::{FrameDecoder, encode};
use protocol::wire::{CHANNEL_NAME, GuestMessage, HostMessage, VSOCK_PORT};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

/// virtio's number of a console, which a serial device is (Virtual I/O Device 1.2, section 5).
const CONSOLE_DEVICE: &str = "0x0003";

/// From the driver's loading to the port's name, on an emulated machine on a loaded host.
const PORT_DEADLINE: Duration = Duration::from_secs(20);

/// How often a port is looked for until it has its name, and looked at while it has no host: it reads as
/// ended and wakes nobody.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// The stream, and how to get the next one when the host comes anew.
pub struct Channel {
    stream: File,
    listener: Option<OwnedFd>,
    decoder: FrameDecoder,
}

impl Channel {
    /// Opens the virtio port of a machine that has such a device, or waits for the host on vsock.
    pub fn open() -> Result<Channel, Broken> {
        if has_port_device() {
            return Ok(Channel {
                stream: open_port()?,
                listener: None,
                decoder: FrameDecoder::new(),
            });
        }
        let listener = open_vsock()?;
        Ok(Channel {
            stream: next_host(&listener)?,
            listener: Some(listener),
            decoder: FrameDecoder::new(),
        })
    }

    /// The next thing the host says.
    pub fn hear(&mut self) -> Result<HostMessage, Broken> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            if let Some(message) = self.decoder.next_message()? {
                return Ok(message);
            }
            match (self.stream.read(&mut buffer), &self.listener) {
                (Ok(count), _) if count > 0 => self.decoder.feed(&buffer[..count]),
                (_, Some(listener)) => {
                    self.stream = next_host(listener)?;
                    self.decoder = FrameDecoder::new();
                }
                (_, None) => {
                    self.decoder = FrameDecoder::new();
                    std::thread::sleep(LOOK_AGAIN);
                }
            }
        }
    }

    /// Says a proper message.
    pub fn say(&mut self, message: &GuestMessage) -> Result<(), Broken> {
        let frame = encode(message)?;
        self.shout(&frame)
    }

    /// Says these bytes, whatever they are. A host that hangs up is no reason to stop.
    pub fn shout(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let _ = self.stream.write_all(bytes);
        Ok(())
    }

    /// Says whether the host still takes what is said.
    pub fn is_heard(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Hangs up where that is possible; a port's host learns it from the VM's end.
    pub fn hang_up(&mut self) {
        let _ =
            nix::sys::socket::shutdown(self.stream.as_raw_fd(), nix::sys::socket::Shutdown::Both);
    }
}

fn has_port_device() -> bool {
    let devices = std::fs::read_dir("/sys/bus/virtio/devices").into_iter();
    devices.flatten().flatten().any(|device| {
        let number = std::fs::read_to_string(device.path().join("device")).unwrap_or_default();
        number.trim_end() == CONSOLE_DEVICE
    })
}

/// The driver learns a port's name from the VMM some time after it was loaded.
fn open_port() -> Result<File, Broken> {
    let deadline = Instant::now() + PORT_DEADLINE;
    loop {
        match find_port()? {
            None if Instant::now() < deadline => std::thread::sleep(LOOK_AGAIN),
            None => return Err(Errno::ENODEV).tried("wait for the port's name"),
            Some(port) => return Ok(port),
        }
    }
}

fn find_port() -> Result<Option<File>, Broken> {
    let Ok(ports) = std::fs::read_dir("/sys/class/virtio-ports") else {
        return Ok(None);
    };
    for port in ports.flatten() {
        let name = std::fs::read_to_string(port.path().join("name")).unwrap_or_default();
        if name.trim_end() == CHANNEL_NAME {
            let path = std::path::Path::new("/dev").join(port.file_name());
            let file = File::options().read(true).write(true).open(&path);
            return file.tried(format!("open {}", path.display())).map(Some);
        }
    }
    Ok(None)
}

fn open_vsock() -> Result<OwnedFd, Broken> {
    let listener = socket(
        AddressFamily::Vsock,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC,
        None,
    )
    .tried("vsock socket")?;
    let address = VsockAddr::new(nix::libc::VMADDR_CID_ANY, VSOCK_PORT);
    bind(listener.as_raw_fd(), &address).tried("vsock bind")?;
    listen(&listener, Backlog::MAXCONN).tried("vsock listen")?;
    Ok(listener)
}

fn next_host(listener: &OwnedFd) -> Result<File, Broken> {
    accept(listener).tried("vsock accept").map(File::from)
}
