#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use super::*;
use proptest::prelude::*;

/// A hello as its client would write it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Client {
    extensions: Vec<(u16, Vec<u8>)>,
}

fn with_u16_length(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

impl Client {
    pub(crate) fn of(name: &str) -> Client {
        let entry = [&[0], with_u16_length(name.as_bytes()).as_slice()].concat();
        Client::default().with(0, with_u16_length(&entry))
    }

    pub(crate) fn with(mut self, kind: u16, content: Vec<u8>) -> Client {
        self.extensions.push((kind, content));
        self
    }

    pub(crate) fn offering(self, protocols: &[&str]) -> Client {
        let entry = |name: &&str| [&[name.len() as u8], name.as_bytes()].concat();
        let list: Vec<u8> = protocols.iter().flat_map(entry).collect();
        self.with(16, with_u16_length(&list))
    }

    fn message(&self) -> Vec<u8> {
        let extension = |(kind, content): &(u16, Vec<u8>)| {
            [&kind.to_be_bytes()[..], &with_u16_length(content)].concat()
        };
        let extensions: Vec<u8> = self.extensions.iter().flat_map(extension).collect();
        let fixed = [&[3, 3], [7; 32].as_slice(), &[0], &[0, 2, 0x13, 1], &[1, 0]].concat();
        let body = [fixed, with_u16_length(&extensions)].concat();
        let length = (body.len() as u32).to_be_bytes();
        [&[1], &length[1..], &body].concat()
    }

    /// In records of this size.
    pub(crate) fn records(&self, size: usize) -> Vec<u8> {
        let record = |part: &[u8]| [&[22, 3, 1], with_u16_length(part).as_slice()].concat();
        self.message().chunks(size).flat_map(record).collect()
    }
}

pub(crate) fn fed(bytes: &[u8], size: usize) -> HelloProgress {
    let mut reader = HelloReader::default();
    for piece in bytes.chunks(size) {
        match reader.feed(piece) {
            HelloProgress::Incomplete => {}
            over => {
                assert!(bytes.starts_with(&reader.into_bytes()));
                return over;
            }
        }
    }
    HelloProgress::Incomplete
}

fn sni(name: &str) -> Sni {
    Sni::Name(HostName::parse(name).unwrap())
}

#[test]
fn what_a_hello_says() {
    let plain = fed(&Client::of("Api.Example").records(1000), 1000);
    let hello = Hello {
        sni: sni("api.example"),
        alpn: Alpn::default(),
        encrypted: false,
    };
    assert_eq!(plain, HelloProgress::Hello(hello.clone()));
    let both = Client::of("api.example").offering(&["h2", "http/1.1", "x"]);
    let alpn = Alpn {
        is_offered: true,
        has_http1: true,
        has_http2: true,
    };
    assert_eq!(
        fed(&both.records(20), 1),
        HelloProgress::Hello(Hello {
            alpn,
            ..hello.clone()
        })
    );
    for kind in [0xfe0d, 0xfe08, 0xffce, 0xfd00] {
        let hidden = Client::of("api.example").with(kind, vec![1, 2, 3]);
        assert_eq!(
            fed(&hidden.records(1000), 7),
            HelloProgress::Hello(Hello {
                encrypted: true,
                ..hello.clone()
            })
        );
    }
    let nameless = Client::default().with(10, vec![0, 0]);
    assert_eq!(
        fed(&nameless.records(1000), 1000),
        HelloProgress::Hello(Hello {
            sni: Sni::Missing,
            ..hello.clone()
        })
    );
    for (name, error) in [
        ("127.0.0.1", NameError::Address),
        ("a\0b", NameError::Character),
        ("", NameError::Empty),
    ] {
        let progress = fed(&Client::of(name).records(1000), 1000);
        assert_eq!(
            progress,
            HelloProgress::Hello(Hello {
                sni: Sni::Invalid(error),
                ..hello.clone()
            })
        );
    }
}

#[test]
fn what_is_no_tls_is_known_at_once() {
    for bytes in [
        b"SSH-2.0-x\r\n".as_slice(),
        b"GET / HTTP/1.1\r\n",
        b"\x15\x03\x01",
        b"\x16\x02",
        b"\x80\x2e\x01\x03\x01",
        b"\x16\x03\x01\0\0",
    ] {
        assert_eq!(fed(bytes, 1), HelloProgress::NotTls, "{bytes:?}");
        assert_eq!(fed(bytes, 100), HelloProgress::NotTls, "{bytes:?}");
    }
    assert_eq!(fed(b"S", 1).reason(), Some(Reason::NotTls));
}

#[test]
fn what_cannot_be_is_malformed() {
    let good = Client::of("a.example");
    let records = good.records(1000);
    let twice = good.clone().with(0, vec![]);
    let two_names = [&[0], with_u16_length(b"a.example").as_slice()]
        .concat()
        .repeat(2);
    let long_list = Client::default().with(0, with_u16_length(&two_names));
    let other_kind = Client::default().with(0, with_u16_length(&[1, 0, 1, b'a']));
    let cut = Client::default().with(0, vec![0, 9, 0]);
    let no_protocol = good.clone().with(16, vec![0, 0]);
    let empty_protocol = good.clone().offering(&[""]);
    let mut many = good.clone();
    for kind in 1000..1200 {
        many = many.with(kind, vec![]);
    }
    for client in [
        twice,
        long_list,
        other_kind,
        cut,
        no_protocol,
        empty_protocol,
        many,
    ] {
        assert_eq!(
            fed(&client.records(1000), 1000),
            HelloProgress::Malformed,
            "{client:?}"
        );
    }
    // Another message, one more message, another record within.
    let mut other = records.clone();
    other[5] = 2;
    let more = [records.as_slice(), &[]].concat();
    let mut message = good.message();
    message.push(11);
    let record = [&[22, 3, 1], with_u16_length(&message).as_slice()].concat();
    let within = [&good.records(20)[..25], &[23, 3, 3, 0, 1, 0]].concat();
    for bytes in [other, record, within] {
        assert_eq!(fed(&bytes, 1000), HelloProgress::Malformed);
    }
    assert!(matches!(fed(&more, 1000), HelloProgress::Hello(_)));
}

#[test]
fn a_hello_has_a_bound() {
    let large = |bytes| Client::of("a.example").with(21, vec![0; bytes]);
    assert!(matches!(
        fed(&large(15_000).records(16_000), 4096),
        HelloProgress::Hello(_)
    ));
    assert_eq!(
        fed(&large(17_000).records(16_000), 4096),
        HelloProgress::TooLong
    );
    assert_eq!(
        fed(&large(17_000).records(16_000), 1),
        HelloProgress::TooLong
    );
    // Records of one byte cost six each.
    assert_eq!(fed(&large(4000).records(1), 100), HelloProgress::TooLong);
    assert!(matches!(
        fed(&large(1000).records(1), 1),
        HelloProgress::Hello(_)
    ));
    // A message that says that it will be long is not waited for.
    assert_eq!(
        fed(b"\x16\x03\x01\x00\x04\x01\xff\xff\xff", 1),
        HelloProgress::TooLong
    );
    let mut reader = HelloReader::default();
    assert_eq!(
        reader.feed(&large(60_000).records(16_000)),
        HelloProgress::TooLong
    );
    assert_eq!(reader.into_bytes().len(), MAX_HELLO_BYTES);
}

#[test]
fn all_that_came_is_sent_on() {
    let bytes = [Client::of("a.example").records(50), vec![20, 3, 3, 0, 1, 1]].concat();
    let mut reader = HelloReader::default();
    assert!(matches!(reader.feed(&bytes), HelloProgress::Hello(_)));
    assert_eq!(reader.into_bytes(), bytes);
}

proptest! {
    #[test]
    fn pieces_and_records_change_nothing(name in "[a-z]{1,9}\\.[a-z]{1,9}", record in 1..300usize, piece in 1..300usize) {
        let client = Client::of(&name).offering(&["http/1.1"]);
        let HelloProgress::Hello(hello) = fed(&client.records(record), piece) else { panic!("no hello") };
        prop_assert_eq!(hello.sni, sni(&name));
    }

    #[test]
    fn any_bytes_are_survived(mut bytes in prop::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>(), piece in 1..50usize) {
        let mut hello = Client::of("a.example").offering(&["h2"]).records(40);
        let place = at.index(hello.len());
        hello.truncate(place);
        hello.append(&mut bytes);
        prop_assert_eq!(fed(&hello, piece), fed(&hello, 1));
    }
}
