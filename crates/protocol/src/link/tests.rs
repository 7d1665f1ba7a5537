//! Two ends that talk, and what a hostile one gets.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Everything that one end has to say, to the other.
fn carry(from: &mut Link, to: &mut Link) -> Vec<Event> {
    let mut bytes = Vec::new();
    while from.has_output() {
        from.take_output(&mut bytes, usize::MAX);
    }
    to.feed(&bytes);
    let mut events = Vec::new();
    while let Some(event) = to.next_event().unwrap() {
        events.push(event);
    }
    events
}

/// A sender and a receiver with stream 7 open between them.
fn open(window: u32) -> (Link, Link) {
    let (mut sender, mut receiver) = (Link::new(), Link::new());
    sender.open_outgoing(7);
    receiver.open_incoming(7, window);
    assert_eq!(carry(&mut receiver, &mut sender), [Event::Room(7)]);
    (sender, receiver)
}

fn received(bytes: &[u8]) -> Result<Option<Event>, LinkError> {
    let mut link = Link::new();
    link.open_incoming(7, 10);
    link.open_outgoing(8);
    link.feed(bytes);
    link.next_event()
}

fn bytes_of(frame: &Frame) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.write_to(&mut bytes);
    bytes
}

#[test]
fn the_wire_is_what_it_was() {
    let frames = [
        (Frame::Control(b"{}".to_vec()), "00000002 00 00000000 7b7d"),
        (Frame::Data(7, b"ab".to_vec()), "00000002 01 00000007 6162"),
        (Frame::Credit(7, 256), "00000004 02 00000007 00000100"),
        (Frame::End(7), "00000000 03 00000007"),
        (Frame::Refuse(0x0102_0304), "00000000 04 01020304"),
    ];
    for (frame, expected) in frames {
        let hex: String = bytes_of(&frame)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hex, expected.replace(' ', ""));
    }
}

#[test]
fn a_sender_keeps_to_its_credit_and_gets_more_as_it_is_used() {
    let (mut sender, mut receiver) = open(10);
    assert_eq!(sender.room(7), 10);
    sender.push(7, b"0123456789").unwrap();
    assert_eq!(sender.room(7), 0);
    assert!(sender.push(7, b"x").is_err());
    let events = carry(&mut sender, &mut receiver);
    assert_eq!(events, [Event::Data(7, b"0123456789".to_vec())]);
    receiver.used(7, 4);
    assert!(!receiver.has_output(), "less than half of the window");
    receiver.used(7, 1);
    assert_eq!(carry(&mut receiver, &mut sender), [Event::Room(7)]);
    assert_eq!(sender.room(7), 5);
    sender.end(7);
    assert_eq!(carry(&mut sender, &mut receiver), [Event::End(7)]);
    assert_eq!(sender.open_streams() + receiver.open_streams(), 0);
}

#[test]
fn what_is_urgent_goes_first_and_streams_take_turns() {
    let (mut sender, mut receiver) = (Link::new(), Link::new());
    for stream in 1..=3 {
        sender.open_outgoing(stream);
        receiver.open_incoming(stream, 100);
    }
    carry(&mut receiver, &mut sender);
    for stream in [1, 1, 2, 3] {
        sender.push(stream, &[stream as u8]).unwrap();
    }
    sender.control(&"first").unwrap();
    let order: Vec<_> = carry(&mut sender, &mut receiver)
        .into_iter()
        .map(|event| match event {
            Event::Data(stream, _) => stream,
            Event::Control(_) => 0,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(order, [0, 1, 2, 3, 1]);
}

#[test]
fn a_refused_stream_ends_without_a_word_of_what_was_on_its_way() {
    let (mut sender, mut receiver) = open(100);
    sender.push(7, b"on its way").unwrap();
    receiver.refuse(7);
    assert_eq!(carry(&mut sender, &mut receiver), []);
    assert_eq!(carry(&mut receiver, &mut sender), [Event::Refused(7)]);
    assert_eq!(sender.room(7), 0);
    assert!(receiver.is_open(7), "until its end came");
    assert_eq!(carry(&mut sender, &mut receiver), []);
    assert!(!receiver.is_open(7));
}

#[test]
fn what_no_peer_of_ours_sends_ends_the_link() {
    let not_open = |stream| Err(LinkError::NotOpen { stream });
    let cases = [
        ("never opened", Frame::Data(9, vec![1]), not_open(9)),
        (
            "of the other direction",
            Frame::Data(8, vec![1]),
            not_open(8),
        ),
        ("ended, never opened", Frame::End(9), not_open(9)),
        (
            "beyond its credit",
            Frame::Data(7, vec![0; 11]),
            Err(LinkError::Credit { stream: 7 }),
        ),
        (
            "credit without end",
            Frame::Credit(8, u32::MAX),
            Err(LinkError::Credit { stream: 8 }),
        ),
        ("credit for nothing", Frame::Credit(9, 1), Ok(None)),
        ("refused, never opened", Frame::Refuse(9), Ok(None)),
    ];
    for (name, frame, expected) in cases {
        assert_eq!(received(&bytes_of(&frame)), expected, "{name}");
    }
    let twice = [bytes_of(&Frame::End(7)), bytes_of(&Frame::Data(7, vec![1]))].concat();
    let mut link = Link::new();
    link.open_incoming(7, 10);
    link.feed(&twice);
    assert_eq!(link.next_event(), Ok(Some(Event::End(7))));
    assert_eq!(link.next_event(), not_open(7));
}

#[test]
fn lengths_and_kinds_are_judged_before_the_payload_comes() {
    let header = |length: u32, kind: u8| [&length.to_be_bytes()[..], &[kind], &[0; 4]].concat();
    let length = |kind, length| LinkError::Length { kind, length };
    for (bytes, expected) in [
        (header(u32::MAX, 0), length(0, u32::MAX as usize)),
        (header(0, 0), length(0, 0)),
        (
            header(MAX_DATA_BYTES as u32 + 1, 1),
            length(1, MAX_DATA_BYTES + 1),
        ),
        (header(0, 1), length(1, 0)),
        (header(3, 2), length(2, 3)),
        (header(1, 3), length(3, 1)),
        (header(1, 5), LinkError::Kind { kind: 5 }),
    ] {
        assert_eq!(received(&bytes), Err(expected));
    }
    let many = format!("[{}1]", "1,".repeat(MAX_CONTROL_VALUES));
    assert!(parse_control::<serde_json::Value>(many.as_bytes()).is_err());
}

proptest! {
    #[test]
    fn every_byte_arrives_once_and_in_order_and_nothing_piles_up(
        writes in prop::collection::vec((1u32..4, 1usize..5000), 1..60),
        window in 1u32..9000,
        cut in 1usize..3000,
    ) {
        let (mut sender, mut receiver) = (Link::new(), Link::new());
        for stream in 1..4 {
            sender.open_outgoing(stream);
            receiver.open_incoming(stream, window);
        }
        carry(&mut receiver, &mut sender);
        let mut wanted: BTreeMap<StreamId, Vec<u8>> = BTreeMap::new();
        for (number, (stream, length)) in writes.iter().enumerate() {
            wanted.entry(*stream).or_default().extend(vec![number as u8; *length]);
        }
        let mut left = wanted.clone();
        let mut arrived: BTreeMap<StreamId, Vec<u8>> = BTreeMap::new();
        while left.values().any(|bytes| !bytes.is_empty()) || sender.has_output() {
            for (stream, bytes) in &mut left {
                let count = sender.room(*stream).min(bytes.len()).min(MAX_DATA_BYTES);
                if count > 0 {
                    sender.push(*stream, &bytes[..count]).unwrap();
                    bytes.drain(..count);
                }
            }
            let mut bytes = Vec::new();
            sender.take_output(&mut bytes, cut);
            for piece in bytes.chunks(cut) {
                receiver.feed(piece);
                while let Some(event) = receiver.next_event().unwrap() {
                    let Event::Data(stream, data) = event else { panic!("{event:?}") };
                    receiver.used(stream, data.len());
                    arrived.entry(stream).or_default().extend(data);
                }
            }
            prop_assert!(sender.buffered_bytes() <= 3 * QUEUE_BYTES + cut + MAX_DATA_BYTES);
            carry(&mut receiver, &mut sender);
        }
        prop_assert_eq!(arrived, wanted);
    }

    #[test]
    fn any_bytes_cut_anywhere_are_told_the_same(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0usize..300) {
        let all = |pieces: [&[u8]; 2]| {
            let mut link = Link::new();
            link.open_incoming(7, 10);
            let mut events = Vec::new();
            for piece in pieces {
                link.feed(piece);
                loop {
                    match link.next_event() {
                        Ok(Some(event)) => events.push(event),
                        Ok(None) => break,
                        Err(error) => return (events, Some(error)),
                    }
                }
            }
            (events, None)
        };
        let cut = cut.min(bytes.len());
        prop_assert_eq!(all([&bytes[..cut], &bytes[cut..]]), all([&bytes, &[]]));
    }
}
