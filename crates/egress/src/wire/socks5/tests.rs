#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use super::*;
use proptest::prelude::*;

fn connect(target: &[u8], port: u16) -> Vec<u8> {
    [&[5, 1, 0], target, &port.to_be_bytes()].concat()
}

fn named(name: &[u8]) -> Vec<u8> {
    [&[3, name.len() as u8], name].concat()
}

#[test]
fn greetings() {
    for (bytes, progress) in [
        (b"".as_slice(), Progress::Incomplete),
        (b"\x05", Progress::Incomplete),
        (b"\x05\x02\0", Progress::Incomplete),
        (
            b"\x05\x01\0",
            Progress::Whole {
                message: true,
                length: 3,
            },
        ),
        (
            b"\x05\x02\x02\0more",
            Progress::Whole {
                message: true,
                length: 4,
            },
        ),
        (
            b"\x05\x01\x02",
            Progress::Whole {
                message: false,
                length: 3,
            },
        ),
        (
            b"\x05\0",
            Progress::Whole {
                message: false,
                length: 2,
            },
        ),
        (b"\x04\x01", Progress::Refused(Reason::ProxyMalformed)),
        (b"C", Progress::Refused(Reason::ProxyMalformed)),
    ] {
        assert_eq!(greeting(bytes), progress, "{bytes:?}");
    }
    assert_eq!(method_reply(Acceptable::NoPassword), [5, 0]);
    assert_eq!(method_reply(Acceptable::Nothing), [5, 0xff]);
}

#[test]
fn requests() {
    for (target, text) in [
        (named(b"Api.Example"), "api.example"),
        (named(b"198.18.0.1"), "198.18.0.1"),
        (vec![1, 198, 18, 0, 1], "198.18.0.1"),
        (
            [&[4], Ipv6Addr::LOCALHOST.octets().as_slice()].concat(),
            "::1",
        ),
    ] {
        let mut bytes = connect(&target, 443);
        let length = bytes.len();
        for cut in 0..length {
            assert_eq!(request(&bytes[..cut]), Progress::Incomplete, "{text} {cut}");
        }
        bytes.extend_from_slice(b"\x16\x03\x01");
        let Progress::Whole {
            message,
            length: used,
        } = request(&bytes)
        else {
            panic!("{text}")
        };
        assert_eq!(
            (message.target.to_string().as_str(), message.port, used),
            (text, 443, length)
        );
    }
}

#[test]
fn what_is_refused_and_how() {
    for (bytes, reason) in [
        (vec![5, 2, 0, 1, 1, 2, 3, 4, 0, 80], Reason::ProxyCommand),
        (vec![5, 3, 0, 1, 0, 0, 0, 0, 0, 0], Reason::ProxyCommand),
        (vec![5, 1, 1, 1], Reason::ProxyMalformed),
        (vec![5, 1, 0, 2], Reason::ProxyMalformed),
        (vec![4, 1], Reason::ProxyMalformed),
        (connect(&named(b"a.example"), 0), Reason::ProxyMalformed),
        (connect(&named(b""), 443), Reason::NameMalformed),
        (connect(&named(b"a\0.example"), 443), Reason::NameMalformed),
        (
            connect(&named(b"fe80::1%eth0.example"), 443),
            Reason::NameMalformed,
        ),
        (connect(&named(b"2130706433"), 443), Reason::AddressLiteral),
        (connect(&named(b"0x7f.1"), 443), Reason::AddressLiteral),
    ] {
        assert_eq!(request(&bytes), Progress::Refused(reason), "{bytes:?}");
    }
    for (outcome, code) in [
        (Ok(()), 0),
        (Err(Reason::ProxyCommand), 7),
        (Err(Reason::HostNotListed), 2),
        (Err(Reason::NoAddress), 4),
        (Err(Reason::UpstreamUnreachable), 5),
        (Err(Reason::ProxyMalformed), 1),
    ] {
        assert_eq!(reply(outcome)[..4], [5, code, 0, 1]);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for begun in [bytes.clone(), [&[5, 1, 0], bytes.as_slice()].concat()] {
            if let Progress::Whole { length, .. } = request(&begun) {
                prop_assert!(length <= begun.len() && length <= 262);
                prop_assert_eq!(request(&begun[..length - 1]), Progress::Incomplete);
            }
            if let Progress::Whole { length, .. } = greeting(&begun) {
                prop_assert!(length <= begun.len());
            }
        }
    }
}
