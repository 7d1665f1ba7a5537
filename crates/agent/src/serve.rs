//! One message of the host's after another, for as long as the VM lives.

use crate::cgroup;
use crate::channel::Channel;
use crate::error::AgentError;
use crate::session::{self, Session};
use crate::waiting::WaitingRoom;
use crate::{job, root, transfer, wake};
use protocol::wire::{GuestMessage, HostMessage, PROTOCOL_VERSION};

/// What a cell reads as boot id before the first `Wake`.
const NO_BOOT_ID: &str = "00000000-0000-0000-0000-000000000000";

/// Says hello and serves; only an error ends it.
pub fn serve(channel: &mut Channel) -> Result<(), AgentError> {
    cgroup::mount_hierarchy()?;
    wake::write_boot_id(NO_BOOT_ID)?;
    wake::write_names("localhost")?;
    channel.send(&GuestMessage::Hello {
        protocol: PROTOCOL_VERSION,
    })?;
    let mut waiting = WaitingRoom::default();
    let mut session: Option<Session> = None;
    loop {
        match channel.receive()? {
            HostMessage::Warm { language } => {
                waiting.load(language)?;
                channel.send(&GuestMessage::Warmed)?;
            }
            HostMessage::Wake(request) => {
                wake::wake(&request)?;
                channel.send(&GuestMessage::Awake)?;
            }
            HostMessage::Run(request) if request.session => {
                session = session::run(&request, session.take(), &mut waiting, channel)?;
            }
            HostMessage::Run(request) => {
                job::run(&request, waiting.take(), channel)?;
                match waiting.is_empty() {
                    true => root::renew()?,
                    // Who waits has the folders of before in its own mount namespace.
                    false => root::empty()?,
                }
            }
            // On its way when its job ended.
            HostMessage::Stdin { .. } | HostMessage::StdinEnd | HostMessage::Interrupt => {}
            HostMessage::PutFile(file) => transfer::put(&file, channel)?,
            HostMessage::ListFiles => transfer::list(channel)?,
            HostMessage::GetFile { path } => transfer::get(&path, channel)?,
        }
    }
}
