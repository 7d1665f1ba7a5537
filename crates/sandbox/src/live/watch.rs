//! What changes in a folder of a sandbox, as it is told.

use super::error::LiveError;
use super::file_system::checked;
use super::files::FileReader;
use super::guest::Guest;
use super::line::Command;
use protocol::link::parse_control;
use protocol::supervisor::{MAX_WATCHES, WatchEvent};

/// Bytes that a watch may be ahead of who takes its events (64 KiB).
pub(super) const WATCH_WINDOW_BYTES: u32 = 64 * 1024;

/// A watch on a folder. Dropped: the guest stops watching.
#[derive(Debug)]
pub struct Watch {
    lines: FileReader,
    /// What came, from `at` on not handed out.
    held: Vec<u8>,
    at: usize,
}

impl Guest {
    /// Tells what changes in a folder, so many levels of folders, from the first event on, which is
    /// [`WatchEvent::Watching`]. An error here says that the guest was not asked, as where there are
    /// [`MAX_WATCHES`] already; why a folder cannot be watched, [`Watch::next`] says.
    pub async fn watch(&self, path: &str, depth: u32) -> Result<Watch, LiveError> {
        let path = checked(path)?;
        let place = self.watches.clone().try_acquire_owned();
        let place = place.map_err(|_| LiveError::TooMany {
            what: "watches",
            max: MAX_WATCHES,
        })?;
        self.ask(|reply| Command::Watch {
            path,
            depth,
            place,
            reply,
        })
        .await
    }
}

impl Watch {
    pub(super) fn new(lines: FileReader) -> Watch {
        Watch {
            lines,
            held: Vec::new(),
            at: 0,
        }
    }

    /// What happened next; `None`: the folder is gone, and was told as removed. Cancel-safe.
    pub async fn next(&mut self) -> Result<Option<WatchEvent>, LiveError> {
        loop {
            if let Some(event) = self.next_held() {
                return Ok(Some(event));
            }
            let Some(more) = self.lines.next().await? else {
                return Ok(None);
            };
            self.held.drain(..self.at);
            self.at = 0;
            self.held.extend(more);
        }
    }

    /// The next whole line; each was judged when it came.
    fn next_held(&mut self) -> Option<WatchEvent> {
        loop {
            let left = self.held.get(self.at..)?;
            let end = left.iter().position(|byte| *byte == b'\n')?;
            let event = parse_control(&left[..end]);
            self.at += end + 1;
            if let Ok(event) = event {
                return Some(event);
            }
        }
    }
}
