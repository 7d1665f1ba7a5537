//! The lines of a watch, as they come: each is judged before anybody has it.

use super::misbehaved;
use crate::live::error::Broken;
use protocol::link::parse_control;
use protocol::supervisor::{MAX_EVENT_BYTES, WatchEvent};

/// The line that is not whole yet.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    part: Vec<u8>,
}

impl Lines {
    /// Judges the next bytes.
    pub(super) fn judge(&mut self, mut data: &[u8]) -> Result<(), Broken> {
        while let Some(end) = data.iter().position(|byte| *byte == b'\n') {
            self.add(&data[..end])?;
            parse_control::<WatchEvent>(&self.part)?;
            self.part.clear();
            data = &data[end + 1..];
        }
        self.add(data)
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        if self.part.len() + bytes.len() > MAX_EVENT_BYTES {
            return misbehaved("it sent a line of a watch that is too long");
        }
        self.part.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"type":"created","path":"/work/a"}"#;

    #[test]
    fn lines_are_judged_however_they_are_cut() {
        let whole = format!("{LINE}\n").repeat(3);
        for size in 1..whole.len() {
            let mut lines = Lines::default();
            for piece in whole.as_bytes().chunks(size) {
                assert!(lines.judge(piece).is_ok());
            }
            assert!(lines.part.is_empty());
        }
    }

    #[test]
    fn what_is_no_line_ends_it() {
        let long = format!(
            "{{\"type\":\"created\",\"path\":\"/{}\"}}\n",
            "x".repeat(MAX_EVENT_BYTES)
        );
        for text in [
            "\n",
            "null\n",
            "{\"type\":\"created\"}\n",
            "{\"type\":\"created\",\"path\":\"/a\",\"more\":1}\n",
            "{\"type\":\"exploded\",\"path\":\"/a\"}\n",
            &"[".repeat(60_000),
            &long,
        ] {
            let mut lines = Lines::default();
            let judged = lines
                .judge(text.as_bytes())
                .and_then(|()| lines.judge(b"\n"));
            assert!(judged.is_err(), "{text:.60}");
        }
    }
}
