//! The serial line that the kernel's command line names: User-Mode Linux has no virtio, and its lines are
//! descriptors that its host opened.

use crate::{ChannelError, Step, kernel_word};
use nix::fcntl::OFlag;
use nix::sys::termios::{ControlFlags, SetArg, cfmakeraw, tcgetattr, tcsetattr};
use protocol::wire::CHANNEL_WORD;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;

/// Opens it; `None`: the command line names none.
pub fn open() -> Result<Option<OwnedFd>, ChannelError> {
    let Some(device) = kernel_word(CHANNEL_WORD)? else {
        return Ok(None);
    };
    let line = File::options()
        .read(true)
        .write(true)
        .custom_flags(OFlag::O_NOCTTY.bits())
        .open(&device)
        .step(|| format!("open {device}"))?;
    // Bytes as they are: no echo, no line ends, no signals, and nobody to hang up.
    let mut settings = tcgetattr(&line).step(|| "the line's settings")?;
    cfmakeraw(&mut settings);
    settings.control_flags |= ControlFlags::CLOCAL;
    tcsetattr(&line, SetArg::TCSANOW, &settings).step(|| "make the line raw")?;
    Ok(Some(line.into()))
}
