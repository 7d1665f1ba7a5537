//! Floods: each goes on until the host hangs up or ends the VM.
//!
//! ```text
//!   flood STREAM [stderr|tiny]   output within its credit, in records of 32 KiB, or of one byte
//!   events STREAM                a watch's events, within its credit
//!   over STREAM                  records of 32 KiB, whatever the credit
//!   again HEX                    these bytes
//! ```

use crate::honest::record;
use crate::line::bytes;
use crate::script::{Action, numbered, unhex};
use protocol::link::{Frame, MAX_DATA_BYTES};
use protocol::supervisor::OutputKind;

/// Frames that are written at one time where there are very many.
const AT_ONCE: usize = 4096;

/// What each does.
pub const WORDS: &[(&str, Action)] = &[
    ("flood", |speaker, rest| {
        let (stream, how) = numbered(rest);
        let (_, kind, count) = FLOODS
            .iter()
            .find(|(name, ..)| *name == how)
            .unwrap_or(&FLOODS[0]);
        let data = record(*kind, &vec![b'A'; *count]);
        loop {
            speaker.line.put(stream, data.clone())?;
        }
    }),
    ("events", |speaker, rest| {
        let data = EVENT.repeat(MAX_DATA_BYTES / EVENT.len());
        loop {
            speaker.line.put(numbered(rest).0, data.clone())?;
        }
    }),
    ("over", |speaker, rest| {
        let data = record(OutputKind::Stdout, &vec![b'A'; LARGEST]);
        let frame = Frame::Data(numbered(rest).0, data);
        speaker.line.shout_on(&bytes(&[frame]));
        Ok(())
    }),
    ("again", |speaker, rest| {
        speaker.line.shout_on(&unhex(rest).repeat(AT_ONCE));
        Ok(())
    }),
];

/// One thing that a watch tells.
const EVENT: &[u8] = b"{\"type\":\"modified\",\"path\":\"/work/a\"}\n";
/// Bytes of the largest record.
const LARGEST: usize = MAX_DATA_BYTES - 1;

/// Which output, and bytes of each record.
const FLOODS: [(&str, OutputKind, usize); 3] = [
    ("", OutputKind::Stdout, LARGEST),
    ("stderr", OutputKind::Stderr, LARGEST),
    ("tiny", OutputKind::Stdout, 1),
];
