//! Words about what a job left, on the stream that the host asked for it on and within its credit.
//!
//! ```text
//!   asked                     waits until the host asks
//!   artifact JSON-STRING      a file of this path, with one byte in it
//!   artifact-hex HEX          a file whose path is these bytes
//!   artifact-long N           a file with a path of N bytes
//!   artifacts N BYTES         N files of BYTES each
//!   left HEX                  these bytes
//!   handed [JSON]             the end of all files, then as `answered`
//!   answered [JSON]           the answer, that of a good agent or JSON, and the stream's end
//! ```

use crate::error::Broken;
use crate::script::{Action, Speaker, number, unhex};
use protocol::collection;
use protocol::link::{Frame, StreamId};

/// What was asked for, and how much of it was sent.
#[derive(Debug, Default)]
pub struct Left {
    /// The host's name for it.
    pub request: u32,
    /// Brings it.
    pub stream: StreamId,
    /// Bytes.
    sent: usize,
}

/// What each does.
pub const WORDS: &[(&str, Action)] = &[
    ("asked", |speaker, _| {
        let (request, stream) = speaker.line.collecting()?;
        let sent = 0;
        speaker.scene.left = Left {
            request,
            stream,
            sent,
        };
        Ok(())
    }),
    ("artifact", |speaker, rest| {
        let path: String = serde_json::from_str(rest).unwrap_or_default();
        file(speaker, path.as_bytes(), b"A")
    }),
    ("artifact-hex", |speaker, rest| {
        file(speaker, &unhex(rest), b"A")
    }),
    ("artifact-long", |speaker, rest| {
        file(speaker, &vec![b'x'; number(rest)], b"A")
    }),
    ("artifacts", |speaker, rest| {
        let (count, bytes) = rest.split_once(' ').unwrap_or((rest, "1"));
        let content = vec![b'A'; number(bytes)];
        let paths = (0..number(count)).map(|n| format!("file-{n}"));
        paths
            .into_iter()
            .try_for_each(|path| file(speaker, path.as_bytes(), &content))
    }),
    ("left", |speaker, rest| send(speaker, &unhex(rest))),
    ("handed", |speaker, rest| {
        let mut end = Vec::new();
        collection::end(&mut end);
        send(speaker, &end)?;
        answered(speaker, rest)
    }),
    ("answered", answered),
];

fn file(speaker: &mut Speaker<'_>, path: &[u8], content: &[u8]) -> Result<(), Broken> {
    // No script has a longer path than the header can tell.
    let mut bytes = (path.len() as u16).to_be_bytes().to_vec();
    bytes.extend_from_slice(path);
    for piece in content.chunks(collection::MAX_PIECE_BYTES) {
        collection::piece(piece, &mut bytes);
    }
    collection::piece(&[], &mut bytes);
    send(speaker, &bytes)
}

fn send(speaker: &mut Speaker<'_>, bytes: &[u8]) -> Result<(), Broken> {
    let left = &mut speaker.scene.left;
    left.sent += bytes.len();
    speaker.line.put_all(left.stream, bytes)
}

fn answered(speaker: &mut Speaker<'_>, rest: &str) -> Result<(), Broken> {
    let Left {
        request,
        stream,
        sent,
    } = speaker.scene.left;
    let proper = format!(r#"{{"type":"done","bytes":{sent}}}"#);
    let answer = if rest.is_empty() { &proper } else { rest };
    let text = format!(r#"{{"type":"file_done","request":{request},"answer":{answer}}}"#);
    let answer = Frame::Control(text.into());
    speaker.line.send(&[answer, Frame::End(stream)]);
    Ok(())
}
