//! Files between host and work folder, while no program runs (sessions).

use crate::artifacts;
use crate::channel::Channel;
use crate::error::{AgentError, Step};
use crate::files::Folder;
use protocol::language::WORK_DIR;
use protocol::wire::{GuestMessage, InputFile};

/// Puts a file in; one that is there is replaced.
pub fn put(file: &InputFile, channel: &mut Channel) -> Result<(), AgentError> {
    let error = match work()?.put(&file.path, &file.data.0) {
        Ok(()) => None,
        Err(refused @ AgentError::InputFile { .. }) => Some(refused.to_string()),
        Err(error) => return Err(error),
    };
    channel.send(&GuestMessage::FileDone { error })
}

/// Lists the regular files, up to the number that one message holds.
pub fn list(channel: &mut Channel) -> Result<(), AgentError> {
    let files = artifacts::list(&work()?, artifacts::EVER).files;
    channel.send(&GuestMessage::Files { files })
}

/// Sends one file out.
pub fn get(path: &str, channel: &mut Channel) -> Result<(), AgentError> {
    let sent = artifacts::send(&work()?, path, u64::MAX, channel)?;
    let error = (!sent).then(|| "there is no such file".to_owned());
    channel.send(&GuestMessage::FileDone { error })
}

fn work() -> Result<Folder, AgentError> {
    Folder::open(WORK_DIR).step(|| format!("open {WORK_DIR}"))
}
