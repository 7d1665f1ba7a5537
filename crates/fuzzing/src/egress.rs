//! What a guest says on its way out, up to the decision.

use egress::wire::authority::Target;
use egress::wire::body::BodyReader;
use egress::wire::connect::ProxyRequest;
use egress::wire::head::{HeadProgress, HeadReader};
use egress::wire::http1::{self, MAX_HEAD_BYTES, RequestHead};
use egress::wire::socks5::Progress;
use egress::wire::tls_hello::{HelloProgress, HelloReader, MAX_HELLO_BYTES, Sni};
use egress::{Attempt, HostName, Policy, PolicyConfig, Route, Used, Verdict, Way, decide, wire};
use std::sync::OnceLock;

/// The first bytes of a connection with TLS: however they are cut, the same is read, and all that came is kept.
pub fn tls_hello(bytes: &[u8]) {
    let whole = hello_in_pieces(bytes, bytes.len());
    assert_eq!(whole, hello_in_pieces(bytes, 3));
    if let HelloProgress::Hello(hello) = &whole {
        is_one_name(&hello.sni);
        let verdict = decide::hello(route(), hello);
        let is_named = matches!(&hello.sni, Sni::Name(name) if *name == route().name);
        assert_eq!(verdict.is_ok(), is_named && !hello.encrypted);
    } else {
        assert!(whole.reason().is_some());
    }
}

fn hello_in_pieces(bytes: &[u8], size: usize) -> HelloProgress {
    let mut reader = HelloReader::default();
    let mut fed = 0;
    let mut progress = HelloProgress::Incomplete;
    for piece in bytes.chunks(size.max(1)) {
        fed += piece.len();
        progress = reader.feed(piece);
        if progress != HelloProgress::Incomplete {
            break;
        }
    }
    let kept = reader.into_bytes();
    match progress {
        HelloProgress::Incomplete | HelloProgress::Hello(_) => {
            assert_eq!(kept, bytes.get(..fed).unwrap_or_default());
        }
        HelloProgress::NotTls | HelloProgress::Malformed | HelloProgress::TooLong => {
            assert!(kept.len() <= MAX_HELLO_BYTES && bytes.starts_with(&kept));
        }
    }
    progress
}

fn is_one_name(sni: &Sni) {
    if let Sni::Name(name) = sni {
        is_canonical(name);
    }
}

fn is_canonical(name: &HostName) {
    assert!((1..=egress::name::MAX_NAME_BYTES).contains(&name.as_str().len()));
    assert_eq!(HostName::parse(name.as_str()).as_ref(), Ok(name));
    assert!(name.as_str().parse::<std::net::IpAddr>().is_err());
}

fn is_one_target(target: &Target) {
    if let Target::Name(name) = target {
        is_canonical(name);
    }
}

/// A SOCKS5 client's greeting and request, one after the other: no prefix of a message is one.
pub fn socks5(bytes: &[u8]) {
    let mut rest = bytes;
    if let Progress::Whole { length, .. } = wire::socks5::greeting(bytes) {
        assert!(length <= bytes.len());
        rest = bytes.get(length..).unwrap_or_default();
    }
    if let Progress::Whole { message, length } = wire::socks5::request(rest) {
        let shorter = rest.get(..length - 1).unwrap_or_default();
        assert_eq!(wire::socks5::request(shorter), Progress::Incomplete);
        assert_ne!(message.port, 0);
        is_one_target(&message.target);
    }
}

/// What is said to an HTTP proxy.
pub fn connect(bytes: &[u8]) {
    let Some(head) = head(bytes, wire::connect::MAX_PROXY_HEAD_BYTES) else {
        return;
    };
    if let Ok(ProxyRequest::Tunnel { target, port } | ProxyRequest::Forward { target, port }) =
        wire::connect::parse(head)
    {
        assert_ne!(port, 0);
        is_one_target(&target);
    }
}

/// The head that these bytes begin with: however they are cut, it ends at the same place.
fn head(bytes: &[u8], most: usize) -> Option<&[u8]> {
    let end = |size: usize| {
        let mut reader = HeadReader::new(most);
        for piece in bytes.chunks(size.max(1)) {
            match reader.feed(piece) {
                HeadProgress::Incomplete => {}
                HeadProgress::Whole { length } => return Some(length),
                HeadProgress::NotHttp | HeadProgress::TooLong => return None,
            }
        }
        None
    };
    let whole = end(bytes.len());
    assert_eq!(whole, end(3));
    let length = whole?;
    assert!(length <= most);
    bytes.get(..length)
}

/// Requests on a kept connection: what goes out is read again as what came in, and a body ends at the same place however
/// it is cut.
pub fn http1(bytes: &[u8]) {
    let mut rest = bytes;
    while let Some(found) = head(rest, MAX_HEAD_BYTES) {
        let Ok(request) = http1::parse(found) else {
            return;
        };
        goes_out_as_it_is(&request);
        let body = rest.get(found.len()..).unwrap_or_default();
        let Some(length) = body_in_pieces(&request, body, body.len()) else {
            return;
        };
        assert_eq!(body_in_pieces(&request, body, 3), Some(length));
        rest = body.get(length..).unwrap_or_default();
    }
}

fn goes_out_as_it_is(request: &RequestHead) {
    let inject: (&str, &[u8]) = ("authorization", b"Bearer s3cret");
    let out = http1::write_head(request, route(), Some(inject));
    let again = match http1::parse(&out) {
        Ok(again) => again,
        Err(fault) => panic!("{fault}: {}", out.escape_ascii()),
    };
    assert_eq!(
        (&again.method, again.framing),
        (&request.method, request.framing)
    );
    assert_eq!(again.host.host, Target::Name(route().name.clone()));
    let text = String::from_utf8_lossy(&out).to_ascii_lowercase();
    assert_eq!(text.matches("\r\nauthorization:").count(), 1, "{text}");
}

/// Where a body ends, or that it does not.
fn body_in_pieces(request: &RequestHead, body: &[u8], size: usize) -> Option<usize> {
    let mut reader = BodyReader::new(request.framing);
    let mut length = 0;
    let mut ended = reader.feed(b"").ok()?.ended;
    for piece in body.chunks(size.max(1)) {
        if ended {
            break;
        }
        let taken = reader.feed(piece).ok()?;
        assert!(taken.bytes <= piece.len() && (taken.ended || taken.bytes == piece.len()));
        (length, ended) = (length + taken.bytes, taken.ended);
    }
    ended.then_some(length)
}

/// A stub resolver's query, and what is said to it.
pub fn dns(bytes: &[u8]) {
    let query = match wire::dns::parse(bytes) {
        Ok(query) => query,
        Err(_) => {
            assert!(wire::dns::format_error(bytes).is_none_or(|answer| answer.len() == 12));
            return;
        }
    };
    is_canonical(&query.name);
    let mut made_up = egress::MadeUp::default();
    let Ok((v4, v6)) = made_up.addresses_of(&query.name) else {
        panic!("the first name gets no address")
    };
    assert_eq!(made_up.name_of(v4.into()), Some(&query.name));
    let answer = wire::dns::answer(&query, wire::dns::Answer::Addresses(v4, v6));
    assert!(
        answer.len() <= wire::dns::MAX_QUERY_BYTES
            && answer.starts_with(bytes.get(..2).unwrap_or_default())
    );
    // A query in its own question: an answer of the same length without a record is read as none.
    assert_eq!(
        wire::dns::parse(&answer),
        Err(wire::dns::QueryFault::Silence)
    );
}

/// A policy, then a line `---`, then a target, a port and a request's head: what is allowed is what a rule says.
pub fn decide(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (policy, rest) = text.split_once("---\n").unwrap_or((&text, ""));
    let Ok(written) = toml::from_str::<PolicyConfig>(policy) else {
        return;
    };
    let policy = match Policy::compile(&written) {
        Ok(policy) => policy,
        Err(faults) => {
            assert!(
                !faults.is_empty()
                    && faults
                        .iter()
                        .all(|fault| !fault.to_string().contains(char::is_control))
            );
            return;
        }
    };
    let (line, head) = rest.split_once('\n').unwrap_or((rest, ""));
    let Some((target, port)) = line.split_once(' ') else {
        return;
    };
    let (Ok(target), Ok(port)) = (Target::parse(target), port.parse()) else {
        return;
    };
    let attempt = Attempt {
        target: &target,
        port,
        used: Used::default(),
    };
    if let Verdict::Go(route) = decide::connection(&policy, &attempt) {
        is_listed(&policy, &route);
        if let Ok(request) = http1::parse(head.as_bytes()) {
            is_within(&policy, &route, &request);
        }
    }
}

fn is_listed(policy: &Policy, route: &Route) {
    is_canonical(&route.name);
    assert!(!route.rules.is_empty() && decide::lookup(policy, &route.name).is_ok());
    for place in &route.rules {
        let rule = &policy.rules()[*place];
        assert!(rule.host.matches(&route.name) && rule.ports.contains(&route.port));
    }
}

fn is_within(policy: &Policy, route: &Route, request: &RequestHead) {
    let Ok(granted) = decide::request(policy, route, request) else {
        return;
    };
    assert!(route.rules.contains(&granted.rule));
    assert_eq!(request.host.host, Target::Name(route.name.clone()));
    if granted.inject.is_some() {
        assert_eq!(route.way, Way::OpenTls);
        assert_ne!(request.method, "TRACE");
    }
}

/// To a host without methods and paths.
fn route() -> &'static Route {
    static ROUTE: OnceLock<Route> = OnceLock::new();
    ROUTE.get_or_init(|| match HostName::parse("api.example") {
        Ok(name) => Route {
            name,
            port: 443,
            way: Way::Tls,
            rules: vec![0],
        },
        Err(error) => panic!("api.example {error}"),
    })
}
