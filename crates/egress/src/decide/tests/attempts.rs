//! The list of attempts against a network with a policy: of each row that a decision answers, the decision. The others
//! are of what moves bytes (2, 5, 29, 32, 34, 35 and 37 to 42), and 21, which nobody sees.

use super::*;
use crate::address::pick;
use crate::policy::{Field, Why};
use crate::wire::body::{BodyReader, Framing};
use crate::wire::connect;
use crate::wire::http1::write_head;
use crate::wire::socks5;
use crate::wire::tls_hello::tests::{Client, fed};
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
    let used = Used::default();
    match connection(
        &rules(ONE),
        &Attempt {
            target: &target,
            port,
            used,
        },
    ) {
        Verdict::Go(_) => None,
        Verdict::Refuse(reason) => Some(reason),
    }
}

/// What is said of a listed name with these answers, on a host that has 9.9.9.9.
fn by_answers(answers: &str) -> Option<Reason> {
    let answers: Vec<IpAddr> = answers
        .split(' ')
        .map(|text| text.parse().unwrap())
        .collect();
    let refusal = pick(&answers, &["9.9.9.9".parse().unwrap()]).err();
    refusal.map(|refusal| refusal.reason())
}

/// What is said of the first bytes of a connection to api.example:443.
fn by_first_bytes(bytes: &[u8]) -> Option<Reason> {
    let route = go(&rules(ONE), "api.example", 443);
    match fed(bytes, 100) {
        HelloProgress::Hello(read) => hello(&route, &read).err(),
        other => other.reason(),
    }
}

/// What is said of a request to api.example in TLS that was opened.
fn by_request(line: &str, host: &str, more: &str) -> Option<Reason> {
    let policy = rules(OPENED);
    let route = go(&policy, "api.example", 443);
    let head = format!("{line} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n");
    sent(&policy, &route, &head).err()
}

/// Rows 1, 8 to 13, 16 and 26: by what was asked for.
#[test]
fn attempts_by_name() {
    use Reason::{AddressLiteral, HostNotListed, NameMalformed, PortNotListed};
    let long = ["a"; 128].join(".");
    for (row, target, port, expected) in [
        (1, "evil.example", 443, Some(HostNotListed)),
        (1, "api.example", 22, Some(PortNotListed)),
        (8, "fe80::1%lo.example.com", 443, Some(NameMalformed)),
        (9, "2130706433", 443, Some(AddressLiteral)),
        (9, "0x7f.1", 443, Some(AddressLiteral)),
        (9, "0177.0.0.1", 443, Some(AddressLiteral)),
        (9, "127.0.0.1", 443, Some(AddressLiteral)),
        (9, "[::1]", 443, Some(AddressLiteral)),
        (10, "api.example\0.evil.example", 443, Some(NameMalformed)),
        (10, "api.example\r\nHost: x", 443, Some(NameMalformed)),
        (10, &long, 443, Some(NameMalformed)),
        (11, "API.Example", 443, None),
        (11, "api.example.", 443, None),
        (11, "EVIL.example.", 443, Some(HostNotListed)),
        (12, "\u{430}pi.example", 443, Some(HostNotListed)),
        (13, "evilexample.com", 443, Some(HostNotListed)),
        (13, "example.com", 443, Some(HostNotListed)),
        (26, "169.254.169.254", 80, Some(AddressLiteral)),
        (26, "metadata.google.internal", 80, Some(HostNotListed)),
    ] {
        assert_eq!(by_text(target, port), expected, "row {row}: {target:?}");
        let socks = [
            &[5, 1, 0, 3, target.len() as u8],
            target.as_bytes(),
            &[0, port as u8],
        ];
        let refused = socks5::Progress::Refused(expected.unwrap_or(NameMalformed));
        if expected == Some(NameMalformed) && target.len() < 256 {
            assert_eq!(
                socks5::request(&socks.concat()),
                refused,
                "row {row}: {target:?}"
            );
        }
    }
    let tunnel = connect::parse(b"CONNECT 0x7f.1:443 HTTP/1.1\r\n\r\n");
    assert_eq!(tunnel, Err(AddressLiteral), "row 9");
}

/// Rows 3, 4, 6, 7 and 16: by what the name's addresses are.
#[test]
fn attempts_by_address() {
    let not_public = Some(Reason::AddressNotPublic);
    for (row, answers, expected) in [
        (3, "127.0.0.1", not_public),
        (3, "10.1.2.3 192.168.0.1", not_public),
        (3, "100.64.0.1", not_public),
        (3, "169.254.169.254", not_public),
        (3, "0.0.0.0", not_public),
        (3, "224.0.0.1", not_public),
        (4, "10.0.0.1 8.8.8.8", None),
        (6, "172.16.0.9", not_public),
        (7, "::ffff:8.8.8.8", not_public),
        (7, "::8.8.8.8", not_public),
        (7, "64:ff9b::808:808", not_public),
        (7, "64:ff9b:1::1", not_public),
        (7, "2002:a00:1::", not_public),
        (7, "2001::1", not_public),
        (7, "fd00:ec2::254", not_public),
        (16, "9.9.9.9", Some(Reason::AddressOwn)),
    ] {
        assert_eq!(by_answers(answers), expected, "row {row}: {answers}");
    }
}

/// Rows 17 to 19 and 28: by the first bytes.
#[test]
fn attempts_by_hello() {
    let records = |client: Client| client.records(1000);
    let named = || Client::of("api.example");
    let padded = records(named().with(21, vec![0; 17_000]));
    for (row, bytes, expected) in [
        (
            17,
            records(Client::of("evil.example")),
            Some(Reason::SniMismatch),
        ),
        (
            17,
            records(Client::of("127.0.0.1")),
            Some(Reason::SniMismatch),
        ),
        (17, records(Client::of("API.example")), None),
        (
            18,
            records(Client::default().with(10, vec![0, 0])),
            Some(Reason::SniMissing),
        ),
        (18, b"SSH-2.0-OpenSSH\r\n".to_vec(), Some(Reason::NotTls)),
        (
            19,
            records(named().with(0xfe0d, vec![0])),
            Some(Reason::HelloEncrypted),
        ),
        (28, padded[..500].to_vec(), Some(Reason::HelloTimeout)),
        (28, padded, Some(Reason::HelloTooLong)),
    ] {
        assert_eq!(by_first_bytes(&bytes), expected, "row {row}");
    }
    assert_eq!(go(&rules(ONE), "git.example", 22).way, Way::Bytes, "row 18");
}

/// Rows 20, 22 to 24 and 27: by the request.
#[test]
fn attempts_by_request() {
    const HERE: &str = "api.example";
    const BOTH: &str = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n";
    const TWICE: &str = "Host: api.example\r\n";
    const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: h2c\r\n";
    for (row, line, host, more, expected) in [
        (
            20,
            "POST /v1/x",
            "other.example",
            "",
            Some(Reason::HostMismatch),
        ),
        (
            20,
            "POST /v1/x",
            "api.example:80",
            "",
            Some(Reason::HostMismatch),
        ),
        (
            20,
            "POST /v1/x",
            "127.0.0.1",
            "",
            Some(Reason::HostMismatch),
        ),
        (20, "POST /v1/x", "API.example.:443", "", None),
        (
            22,
            "POST https://evil.example/v1/x",
            HERE,
            "",
            Some(Reason::TargetMismatch),
        ),
        (
            22,
            "POST http://api.example/v1/x",
            HERE,
            "",
            Some(Reason::TargetMismatch),
        ),
        (22, "POST https://api.example/v1/x", HERE, "", None),
        (23, "POST /v1/x", HERE, BOTH, Some(Reason::RequestAmbiguous)),
        (
            23,
            "POST /v1/x",
            HERE,
            TWICE,
            Some(Reason::RequestAmbiguous),
        ),
        (
            24,
            "CONNECT evil.example:443",
            HERE,
            "",
            Some(Reason::ConnectInside),
        ),
        (
            24,
            "POST /v1/x",
            HERE,
            UPGRADE,
            Some(Reason::UpgradeRefused),
        ),
        (27, "GET /v1/x", HERE, "", Some(Reason::MethodNotAllowed)),
        (
            27,
            "POST /v1/%2e%2e/admin",
            HERE,
            "",
            Some(Reason::PathAmbiguous),
        ),
        (27, "POST /v2/x", HERE, "", Some(Reason::PathNotAllowed)),
    ] {
        assert_eq!(by_request(line, host, more), expected, "row {row}: {line}");
        let status = expected.map(Reason::http_status);
        let told = [(20, 421), (22, 400), (23, 400), (27, 403)];
        let told = told.iter().find(|(of, _)| *of == row);
        assert!(told.is_none_or(|(_, told)| status.is_none_or(|status| status == *told)));
    }
    let preface = http1::parse(b"PRI * HTTP/2.0\r\n\r\n").unwrap_err();
    assert_eq!(preface.reason(), Reason::Http2Refused, "row 24");
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

/// Rows 33 and 36: by what was used.
#[test]
fn attempts_by_use() {
    let policy = rules(ONE);
    let target = Target::parse("api.example").unwrap();
    let (open, bytes) = (MAX_STREAMS, policy.max_bytes());
    let none = Used::default();
    for (row, used, expected) in [
        (33, Used { open, ..none }, Reason::TooManyStreams),
        (36, Used { bytes, ..none }, Reason::ByteBudget),
    ] {
        let attempt = Attempt {
            target: &target,
            port: 443,
            used,
        };
        assert_eq!(
            connection(&policy, &attempt),
            Verdict::Refuse(expected),
            "row {row}"
        );
    }
}
