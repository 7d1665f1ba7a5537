//! The list of attempts against a network with a policy: of each row that a decision answers, the decision. The others
//! are what moves bytes: rows 2, 5, 32, 34, 35 and 37 to 42, and 21, which nobody sees.

use super::*;
use crate::address::pick;
use crate::name::NameError;
use crate::policy::{Field, Why};
use crate::wire::body::{BodyReader, Framing};
use crate::wire::http1::write_head;
use crate::wire::socks5;
use crate::wire::tls_hello::tests::{Client, fed};
use crate::wire::{connect, tls_hello};
use std::net::IpAddr;

const ONE: &str = r#"{ host = "api.example" }, { host = "*.example.com" }, { host = "git.example", ports = [22], tcp = true }"#;
const OPENED: &str = r#"{ host = "api.example", methods = ["POST"], paths = ["/v1/*"], inject = { header = "authorization", value_from = "env:K", prefix = "Bearer " } },
    { host = "other.example", methods = ["POST"] }, { host = "plain.example", ports = [80] }"#;

/// What is said of a connection by its target's text.
fn by_text(target: &str, port: u16) -> Option<Reason> {
    let target = match Target::parse(target) {
        Ok(target) => target,
        Err(error) => return Some(error.reason()),
    };
    let policy = rules(ONE);
    match connection(
        &policy,
        &Attempt {
            target: &target,
            port,
            used: Used::default(),
        },
    ) {
        Verdict::Go(_) => None,
        Verdict::Refuse(reason) => Some(reason),
    }
}

/// What is said of a listed name with these answers, on a host that has 9.9.9.9.
fn by_answers(answers: &[&str]) -> Option<Reason> {
    let answers: Vec<IpAddr> = answers.iter().map(|text| text.parse().unwrap()).collect();
    pick(&answers, &["9.9.9.9".parse().unwrap()])
        .err()
        .map(|refusal| refusal.reason())
}

/// What is said of the first bytes of a connection to api.example:443.
fn by_first_bytes(bytes: &[u8]) -> Option<Reason> {
    let route = go(&rules(ONE), "api.example", 443);
    let HelloProgress::Hello(read) = fed(bytes, 100) else {
        return fed(bytes, 100).reason();
    };
    hello(&route, &read).err()
}

fn by_client(client: &Client) -> Option<Reason> {
    by_first_bytes(&client.records(1000))
}

/// What is said of a request to api.example in TLS that was opened.
fn by_request(head: &str) -> Option<Reason> {
    let policy = rules(OPENED);
    sent(&policy, &go(&policy, "api.example", 443), head).err()
}

fn post(target: &str, lines: &str) -> Option<Reason> {
    by_request(&format!("POST {target} HTTP/1.1\r\n{lines}\r\n"))
}

fn socks_name(name: &[u8]) -> Option<Reason> {
    let bytes = [&[5, 1, 0, 3, name.len() as u8], name, &[1, 187]].concat();
    match socks5::request(&bytes) {
        socks5::Progress::Refused(reason) => Some(reason),
        _ => None,
    }
}

#[test]
fn attempts() {
    const HOST: &str = "Host: api.example\r\n";
    let long_name = ["a"; 128].join(".");
    let padded = Client::of("api.example").with(21, vec![0; 17_000]);
    let table: &[(u8, &str, Option<Reason>, Option<Reason>)] = &[
        (
            1,
            "a name that is not listed",
            by_text("evil.example", 443),
            Some(Reason::HostNotListed),
        ),
        (
            1,
            "a port that is not",
            by_text("api.example", 22),
            Some(Reason::PortNotListed),
        ),
        (
            3,
            "answers loopback",
            by_answers(&["127.0.0.1"]),
            Some(Reason::AddressNotPublic),
        ),
        (
            3,
            "answers private",
            by_answers(&["10.1.2.3", "192.168.0.1"]),
            Some(Reason::AddressNotPublic),
        ),
        (
            3,
            "answers carrier NAT",
            by_answers(&["100.64.0.1"]),
            Some(Reason::AddressNotPublic),
        ),
        (
            3,
            "answers link-local",
            by_answers(&["169.254.169.254"]),
            Some(Reason::AddressNotPublic),
        ),
        (
            3,
            "answers 0/8",
            by_answers(&["0.0.0.0"]),
            Some(Reason::AddressNotPublic),
        ),
        (
            3,
            "answers multicast",
            by_answers(&["224.0.0.1"]),
            Some(Reason::AddressNotPublic),
        ),
        (
            4,
            "mixed answers go on without the private one",
            by_answers(&["10.0.0.1", "8.8.8.8"]),
            None,
        ),
        (
            6,
            "an alias whose addresses are internal",
            by_answers(&["172.16.0.9"]),
            Some(Reason::AddressNotPublic),
        ),
        (
            7,
            "mapped",
            by_answers(&["::ffff:8.8.8.8"]),
            Some(Reason::AddressNotPublic),
        ),
        (
            7,
            "compatible",
            by_answers(&["::8.8.8.8"]),
            Some(Reason::AddressNotPublic),
        ),
        (
            7,
            "NAT64",
            by_answers(&["64:ff9b::808:808"]),
            Some(Reason::AddressNotPublic),
        ),
        (
            7,
            "local NAT64",
            by_answers(&["64:ff9b:1::1"]),
            Some(Reason::AddressNotPublic),
        ),
        (
            7,
            "6to4",
            by_answers(&["2002:a00:1::"]),
            Some(Reason::AddressNotPublic),
        ),
        (
            7,
            "Teredo",
            by_answers(&["2001::1"]),
            Some(Reason::AddressNotPublic),
        ),
        (
            7,
            "a cloud's metadata",
            by_answers(&["fd00:ec2::254"]),
            Some(Reason::AddressNotPublic),
        ),
        (
            8,
            "a zone and a name behind it",
            by_text("fe80::1%lo.example.com", 443),
            Some(Reason::NameMalformed),
        ),
        (
            9,
            "decimal",
            by_text("2130706433", 443),
            Some(Reason::AddressLiteral),
        ),
        (
            9,
            "hexadecimal",
            by_text("0x7f.1", 443),
            Some(Reason::AddressLiteral),
        ),
        (
            9,
            "octal",
            by_text("0177.0.0.1", 443),
            Some(Reason::AddressLiteral),
        ),
        (
            9,
            "dotted",
            by_text("127.0.0.1", 443),
            Some(Reason::AddressLiteral),
        ),
        (
            9,
            "in brackets",
            by_text("[::1]", 443),
            Some(Reason::AddressLiteral),
        ),
        (
            10,
            "NUL",
            socks_name(b"api.example\0.evil.example"),
            Some(Reason::NameMalformed),
        ),
        (
            10,
            "CR LF",
            socks_name(b"api.example\r\nHost: evil.example"),
            Some(Reason::NameMalformed),
        ),
        (
            10,
            "over 253 bytes",
            by_text(&long_name, 443),
            Some(Reason::NameMalformed),
        ),
        (11, "upper case", by_text("API.Example", 443), None),
        (11, "trailing dot", by_text("api.example.", 443), None),
        (
            11,
            "trailing dot of what is not listed",
            by_text("EVIL.example.", 443),
            Some(Reason::HostNotListed),
        ),
        (
            12,
            "homograph",
            by_text("\u{430}pi.example", 443),
            Some(Reason::HostNotListed),
        ),
        (
            13,
            "ends like a listed one",
            by_text("evilexample.com", 443),
            Some(Reason::HostNotListed),
        ),
        (
            13,
            "the name itself",
            by_text("example.com", 443),
            Some(Reason::HostNotListed),
        ),
        (
            16,
            "the host's own address",
            by_answers(&["9.9.9.9"]),
            Some(Reason::AddressOwn),
        ),
        (
            17,
            "another SNI",
            by_client(&Client::of("evil.example")),
            Some(Reason::SniMismatch),
        ),
        (
            17,
            "its own SNI",
            by_client(&Client::of("API.example")),
            None,
        ),
        (
            18,
            "no SNI",
            by_client(&Client::default().with(10, vec![0, 0])),
            Some(Reason::SniMissing),
        ),
        (
            18,
            "ssh on 443",
            by_first_bytes(b"SSH-2.0-OpenSSH\r\n"),
            Some(Reason::NotTls),
        ),
        (
            19,
            "ECH",
            by_client(&Client::of("api.example").with(0xfe0d, vec![0])),
            Some(Reason::HelloEncrypted),
        ),
        (
            20,
            "another Host",
            post("/v1/x", "Host: other.example\r\n"),
            Some(Reason::HostMismatch),
        ),
        (
            20,
            "another port",
            post("/v1/x", "Host: api.example:80\r\n"),
            Some(Reason::HostMismatch),
        ),
        (
            20,
            "an address as Host",
            post("/v1/x", "Host: 127.0.0.1\r\n"),
            Some(Reason::HostMismatch),
        ),
        (
            22,
            "absolute, elsewhere",
            post("https://evil.example/v1/x", HOST),
            Some(Reason::TargetMismatch),
        ),
        (
            22,
            "absolute, other scheme",
            post("http://api.example/v1/x", HOST),
            Some(Reason::TargetMismatch),
        ),
        (
            22,
            "absolute, here",
            post("https://api.example/v1/x", HOST),
            None,
        ),
        (
            23,
            "TE with CL",
            post(
                "/v1/x",
                "Host: api.example\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            ),
            Some(Reason::RequestAmbiguous),
        ),
        (
            23,
            "two Hosts",
            post("/v1/x", "Host: api.example\r\nHost: api.example\r\n"),
            Some(Reason::RequestAmbiguous),
        ),
        (
            24,
            "CONNECT inside",
            by_request("CONNECT evil.example:443 HTTP/1.1\r\nHost: api.example\r\n\r\n"),
            Some(Reason::ConnectInside),
        ),
        (
            24,
            "Upgrade",
            post(
                "/v1/x",
                "Host: api.example\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n",
            ),
            Some(Reason::UpgradeRefused),
        ),
        (
            24,
            "h2 preface",
            by_request("PRI * HTTP/2.0\r\n\r\n"),
            Some(Reason::Http2Refused),
        ),
        (
            26,
            "the metadata address after a redirect",
            by_text("169.254.169.254", 80),
            Some(Reason::AddressLiteral),
        ),
        (
            26,
            "the metadata's name",
            by_text("metadata.google.internal", 80),
            Some(Reason::HostNotListed),
        ),
        (
            27,
            "a method off the list",
            by_request("GET /v1/x HTTP/1.1\r\nHost: api.example\r\n\r\n"),
            Some(Reason::MethodNotAllowed),
        ),
        (
            27,
            "encoded dots",
            post("/v1/%2e%2e/admin", HOST),
            Some(Reason::PathAmbiguous),
        ),
        (
            27,
            "a path off the list",
            post("/v2/x", HOST),
            Some(Reason::PathNotAllowed),
        ),
        (
            28,
            "over 16 KiB",
            by_client(&padded),
            Some(Reason::HelloTooLong),
        ),
        (
            28,
            "never whole",
            by_first_bytes(&padded.records(1000)[..500]),
            Some(Reason::HelloTimeout),
        ),
    ];
    for (row, attempt, seen, expected) in table {
        assert_eq!(seen, expected, "row {row}: {attempt}");
    }
}

/// Rows 14, 15 and 31: what is decided when a policy is loaded.
#[test]
fn attempts_by_a_policy() {
    let first = |allow: &str| {
        let written: PolicyConfig = toml::from_str(&format!("allow = [{allow}]")).unwrap();
        Policy::compile(&written).unwrap_err().remove(0)
    };
    let wildcard = first(r#"{ host = "*.github.io" }"#);
    assert!(
        matches!(
            (wildcard.field, wildcard.why),
            (Field::Host, Why::Host { .. })
        ),
        "row 14"
    );
    assert_eq!(
        asked(&rules(""), "api.example", 443),
        Verdict::Refuse(Reason::HostNotListed),
        "row 15"
    );
    let inject = r#"host = "a.example", inject = { header = "x-key", value_from = "env:K" }"#;
    assert_eq!(
        first(&format!("{{ {inject}, tcp = true }}")).why,
        Why::WithTcp,
        "row 31"
    );
    assert_eq!(
        first(&format!("{{ {inject}, ports = [80] }}")).why,
        Why::InClear,
        "row 31"
    );
}

/// Row 25: what follows a body is a request of its own.
#[test]
fn attempts_on_a_kept_connection() {
    let policy = rules(OPENED);
    let route = go(&policy, "api.example", 443);
    let second = "POST /v2/x HTTP/1.1\r\nHost: api.example\r\n\r\n";
    for (line, body) in [
        ("Content-Length: 5", "hello"),
        ("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"),
        ("X: y", ""),
    ] {
        let head = format!("POST /v1/x HTTP/1.1\r\nHost: api.example\r\n{line}\r\n\r\n");
        let first = http1::parse(head.as_bytes()).unwrap();
        assert!(request(&policy, &route, &first).is_ok());
        let bytes = format!("{body}{second}");
        let taken = BodyReader::new(first.framing)
            .feed(bytes.as_bytes())
            .unwrap();
        assert!(taken.ended);
        assert_eq!(
            sent(&policy, &route, &bytes[taken.bytes..]),
            Err(Reason::PathNotAllowed),
            "row 25: {line}"
        );
    }
    let smuggled = BodyReader::new(Framing::Chunked).feed(b"0\r\nX: y\r\n\r\n");
    assert_eq!(smuggled, Err(Reason::RequestAmbiguous), "row 25");
}

/// Row 30: the placeholder goes out as it is wherever no rule puts the secret in.
#[test]
fn attempts_to_place_the_secret() {
    let policy = rules(OPENED);
    let head = |host: &str| {
        format!(
            "POST /v1/x HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer PLACEHOLDER\r\nX-Copy: PLACEHOLDER\r\n\r\n"
        )
    };
    for (host, port, injected) in [
        ("api.example", 443, true),
        ("other.example", 443, false),
        ("plain.example", 80, false),
    ] {
        let route = go(&policy, host, port);
        let text = head(host);
        let read = http1::parse(text.as_bytes()).unwrap();
        let granted = request(&policy, &route, &read).unwrap();
        let value = granted
            .inject
            .and_then(|inject| Some((inject.header.as_str(), inject.value(b"s3cret")?)));
        let value = value
            .as_ref()
            .map(|(name, value)| (*name, value.as_slice()));
        let out = String::from_utf8(write_head(&read, &route, value)).unwrap();
        assert_eq!(
            out.contains("authorization: Bearer s3cret\r\n"),
            injected,
            "row 30: {host}"
        );
        assert_eq!(
            out.contains("Authorization: Bearer PLACEHOLDER"),
            !injected,
            "row 30: {host}"
        );
        assert!(out.contains("X-Copy: PLACEHOLDER"), "row 30: {host}");
    }
}

/// Rows 33 and 36, what of them is decided; row 18's other half; and the doors' own refusals.
#[test]
fn attempts_beside_the_table() {
    let policy = rules(ONE);
    let target = Target::parse("api.example").unwrap();
    let used = Used {
        open: MAX_STREAMS,
        ..Used::default()
    };
    let attempt = Attempt {
        target: &target,
        port: 443,
        used,
    };
    assert_eq!(
        connection(&policy, &attempt),
        Verdict::Refuse(Reason::TooManyStreams),
        "row 33"
    );
    let used = Used {
        bytes: policy.max_bytes(),
        ..Used::default()
    };
    let attempt = Attempt {
        target: &target,
        port: 443,
        used,
    };
    assert_eq!(
        connection(&policy, &attempt),
        Verdict::Refuse(Reason::ByteBudget),
        "row 36"
    );
    assert_eq!(go(&policy, "git.example", 22).way, Way::Bytes, "row 18");
    assert_eq!(NameError::Address.reason(), Reason::AddressLiteral);
    let tunnel = connect::parse(b"CONNECT 0x7f.1:443 HTTP/1.1\r\n\r\n");
    assert_eq!(tunnel, Err(Reason::AddressLiteral), "row 9");
    assert_eq!(
        tls_hello::HelloProgress::NotTls.reason(),
        Some(Reason::NotTls),
        "row 18"
    );
}
