//! What a guest puts on its channel, as bytes, and what a VMM says.

use protocol::collection::{Collection, CollectionBounds, CollectionError, Collector};
use protocol::link::{Event, Link, MAX_CONTROL_BYTES, QUEUE_BYTES, parse_control};
use protocol::path::check_relative;
use protocol::supervisor::{GuestControl, OutputKind};
use sandbox::live::contexts::{Heard, Hearing, Nonsense};
use std::collections::BTreeSet;
use vmm::qmp::message::Message;

/// A link with one stream each way: in whatever pieces it comes, it tells the same and keeps no more than it may, and a
/// control message survives being said again.
pub fn link(bytes: &[u8]) {
    let whole = hear(bytes, usize::MAX);
    let piece = bytes.first().map_or(1, |first| usize::from(*first) + 1);
    assert_eq!(whole, hear(bytes, piece), "in pieces of {piece}");
    for event in whole.0 {
        let Event::Control(body) = event else {
            continue;
        };
        if let Ok(message) = parse_control::<GuestControl>(&body) {
            let again = serde_json::to_vec(&message).unwrap_or_default();
            assert_eq!(parse_control::<GuestControl>(&again).ok(), Some(message));
        }
    }
}

/// Bytes that the peer may be ahead on the stream that comes in.
const WINDOW_BYTES: u32 = 4096;

/// What arrived, and whether it ended well.
fn hear(bytes: &[u8], piece: usize) -> (Vec<Event>, bool) {
    let mut link = Link::new();
    link.open_incoming(1, WINDOW_BYTES);
    link.open_outgoing(2);
    let mut events = Vec::new();
    let mut taken_bytes = 0;
    for chunk in bytes.chunks(piece) {
        link.feed(chunk);
        loop {
            match link.next_event() {
                Ok(Some(event)) => {
                    if let Event::Data(_, data) = &event {
                        taken_bytes += data.len();
                    }
                    events.push(event);
                }
                Ok(None) => break,
                Err(_) => return (events, false),
            }
        }
        assert!(
            taken_bytes <= WINDOW_BYTES as usize,
            "nothing was given back"
        );
        assert!(link.buffered_bytes() <= MAX_CONTROL_BYTES + QUEUE_BYTES + chunk.len());
    }
    (events, true)
}

/// What may come of a job's files, so that a short input reaches it.
const COLLECTION_BOUNDS: CollectionBounds = CollectionBounds {
    bytes: 4096,
    files: 8,
};

/// A collection of files: in whatever pieces it comes, it tells the same, and what it holds is within its bounds.
pub fn collection(bytes: &[u8]) {
    let whole = collect(bytes, usize::MAX);
    let piece = bytes.first().map_or(1, |first| usize::from(*first) + 1);
    assert_eq!(whole, collect(bytes, piece), "in pieces of {piece}");
    let Ok(Collection { files, .. }) = whole else {
        return;
    };
    assert!(files.len() <= COLLECTION_BOUNDS.files);
    let held: usize = files.iter().map(|file| file.data.len()).sum();
    assert!(held as u64 <= COLLECTION_BOUNDS.bytes);
    assert!(files.iter().all(|file| check_relative(&file.path).is_ok()));
    let paths: BTreeSet<_> = files.iter().map(|file| &file.path).collect();
    assert_eq!(paths.len(), files.len());
}

fn collect(bytes: &[u8], piece: usize) -> Result<Collection, CollectionError> {
    let mut collector = Collector::new(COLLECTION_BOUNDS);
    for part in bytes.chunks(piece) {
        collector.feed(part)?;
    }
    collector.finish()
}

/// A line of QMP from a VMM that was taken over.
pub fn qmp(bytes: &[u8]) {
    if let Err(why) = Message::parse(bytes) {
        assert!(!why.is_empty());
    }
}

/// An interpreter that was given a cell (key `k`): in whatever pieces it comes, it tells the same, keeps no more than a
/// line, and begins and ends the cell once at most.
pub fn interpreter(bytes: &[u8]) {
    let piece = bytes.first().map_or(1, |first| usize::from(*first) + 1);
    let (told, fine) = heard(bytes, usize::MAX);
    let (in_pieces, also_fine) = heard(bytes, piece);
    assert_eq!(
        (&told, fine),
        (&in_pieces, also_fine),
        "in pieces of {piece}"
    );
    let begun = told.iter().filter(|heard| **heard == Heard::Begun).count();
    let ended = told.iter().filter(|heard| matches!(heard, Heard::Ended(_)));
    assert!(ended.count() <= begun && begun <= 1);
}

fn heard(bytes: &[u8], piece: usize) -> (Vec<Heard>, Result<(), Nonsense>) {
    let (mut hearing, mut told) = (Hearing::default(), Vec::new());
    hearing.order("k".into(), 1);
    for chunk in bytes.chunks(piece) {
        let fed = hearing.take(OutputKind::Control, chunk, &mut |heard| told.push(heard));
        if fed.is_err() {
            return (told, fed);
        }
        assert!(hearing.buffered_bytes() <= bytes.len());
    }
    (told, Ok(()))
}
