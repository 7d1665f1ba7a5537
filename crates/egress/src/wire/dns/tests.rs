#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use super::*;
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A query with these counts of records.
fn query(counts: [u16; 4], rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x12, 0x34, 1, 0];
    bytes.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
    bytes.extend_from_slice(rest);
    bytes
}

fn question(name: &str, kind: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.') {
        bytes.push(label.len() as u8);
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend([kind.to_be_bytes(), 1u16.to_be_bytes()].concat());
    bytes
}

fn asked(name: &str, kind: u16) -> Vec<u8> {
    query([1, 0, 0, 0], &question(name, kind))
}

const OPT: &[u8] = &[0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0];

#[test]
fn queries() {
    for (kind, expected) in [
        (1, QueryKind::A),
        (28, QueryKind::Aaaa),
        (16, QueryKind::Other(16)),
        (65, QueryKind::Other(65)),
    ] {
        let read = parse(&asked("Api.EXAMPLE", kind)).unwrap();
        assert_eq!(
            (read.id, read.name.as_str(), read.kind),
            (0x1234, "api.example", expected)
        );
    }
    let extended = query(
        [1, 0, 0, 1],
        &[question("a.example", 1), OPT.to_vec()].concat(),
    );
    assert!(parse(&extended).is_ok());
    assert!(parse(&asked("_sip._tcp.example", 33)).is_ok());
}

#[test]
fn answers_are_as_a_resolver_reads_them() {
    let read = parse(&asked("Api.EXAMPLE", 1)).unwrap();
    let addresses = Answer::Addresses(Ipv4Addr::new(198, 18, 0, 1), Ipv6Addr::LOCALHOST);
    let bytes = answer(&read, addresses);
    let asked_for = question("Api.EXAMPLE", 1);
    let expected = [
        &[0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0],
        asked_for.as_slice(),
        &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 198, 18, 0, 1],
    ];
    assert_eq!(bytes, expected.concat());
    let read = parse(&asked("a.example", 28)).unwrap();
    let bytes = answer(&read, addresses);
    assert!(bytes.ends_with(&Ipv6Addr::LOCALHOST.octets()) && bytes[7] == 1);
    let other = parse(&asked("a.example", 15)).unwrap();
    for (query, said, code) in [
        (&other, addresses, 0),
        (&read, Answer::NoData, 0),
        (&read, Answer::Failed, 2),
        (&read, Answer::NoSuchName, 3),
        (&read, Answer::Refused, 5),
    ] {
        let bytes = answer(query, said);
        assert_eq!((bytes[3] & 15, bytes[7]), (code, 0), "{said:?}");
    }
}

#[test]
fn what_is_no_query() {
    let good = question("a.example", 1);
    let mut class = good.clone();
    *class.last_mut().unwrap() = 3;
    let long_label = question(&"a".repeat(64), 1);
    let long_name = question(
        &[
            "a".repeat(63),
            "b".repeat(63),
            "c".repeat(63),
            "d".repeat(63),
        ]
        .join("."),
        1,
    );
    for (bytes, what) in [
        (query([0, 0, 0, 0], &[]), "no question"),
        (
            query([2, 0, 0, 0], &[good.clone(), good.clone()].concat()),
            "two questions",
        ),
        (query([1, 1, 0, 0], &good), "an answer"),
        (
            query([1, 0, 0, 1], &good),
            "no record where one is said to be",
        ),
        (
            query([1, 0, 0, 1], &[good.clone(), good.clone()].concat()),
            "a record that is not OPT",
        ),
        (
            query([1, 0, 0, 0], &[good.clone(), OPT.to_vec()].concat()),
            "a record that is not said to be",
        ),
        (
            query(
                [1, 0, 0, 1],
                &[good.clone(), OPT.to_vec(), vec![0]].concat(),
            ),
            "more after it",
        ),
        (query([1, 0, 0, 0], &good[..good.len() - 1]), "cut"),
        (query([1, 0, 0, 0], &[0xc0, 12, 0, 1, 0, 1]), "a pointer"),
        (
            query([1, 0, 0, 0], &[1, b'a', 0xc0, 12, 0, 1, 0, 1]),
            "a pointer after a label",
        ),
        (query([1, 0, 0, 0], &class), "another class"),
        (query([1, 0, 0, 0], &long_label), "a long label"),
        (query([1, 0, 0, 0], &long_name), "a long name"),
        (query([1, 0, 0, 0], &[0, 0, 1, 0, 1]), "the root"),
        (asked("127.0.0.1", 1), "an address"),
        (
            query([1, 0, 0, 0], &[3, b'a', b'.', b'b', 0, 0, 1, 0, 1]),
            "a dot in a label",
        ),
        (
            query([1, 0, 0, 0], &[2, b'a', 0, 0, 0, 1, 0, 1]),
            "a NUL in a label",
        ),
    ] {
        assert_eq!(parse(&bytes), Err(QueryFault::Malformed), "{what}");
        let told = format_error(&bytes).unwrap();
        assert_eq!((told.len(), told[3] & 15, &told[..2]), (12, 1, &bytes[..2]));
    }
    let mut status = asked("a.example", 1);
    status[2] = 0x10;
    assert_eq!(parse(&status), Err(QueryFault::Malformed));
    let mut response = asked("a.example", 1);
    response[2] |= 0x80;
    for bytes in [
        response,
        vec![0; 11],
        vec![0; MAX_QUERY_BYTES + 1],
        Vec::new(),
    ] {
        assert_eq!(parse(&bytes), Err(QueryFault::Silence));
        assert_eq!(format_error(&bytes), None);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(rest in prop::collection::vec(any::<u8>(), 0..80), raw in prop::collection::vec(any::<u8>(), 0..600)) {
        for bytes in [query([1, 0, 0, 0], &rest), raw] {
            if let Ok(read) = parse(&bytes) {
                let told = answer(&read, Answer::Addresses(Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST));
                prop_assert!(told.len() <= MAX_QUERY_BYTES && told.starts_with(&bytes[..2]));
            }
        }
    }

    #[test]
    fn names_are_read_as_they_are_asked(name in "[a-zA-Z]{1,12}(\\.[a-zA-Z]{1,12}){0,5}", kind in any::<u16>()) {
        let read = parse(&asked(&name, kind)).unwrap();
        prop_assert_eq!(read.name.as_str(), name.to_ascii_lowercase());
    }
}
