#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod attempts;

use super::*;
use crate::policy::PolicyConfig;
use crate::wire::http1;
use crate::wire::tls_hello::{Alpn, HelloProgress};
use proptest::prelude::*;

pub(super) fn policy(text: &str) -> Policy {
    let written: PolicyConfig = toml::from_str(text).unwrap();
    Policy::compile(&written).unwrap()
}

pub(super) fn rules(allow: &str) -> Policy {
    policy(&format!("allow = [{allow}]"))
}

pub(super) fn asked(policy: &Policy, target: &str, port: u16) -> Verdict {
    let target = Target::parse(target).unwrap();
    connection(
        policy,
        &Attempt {
            target: &target,
            port,
            used: Used::default(),
        },
    )
}

pub(super) fn go(policy: &Policy, target: &str, port: u16) -> Route {
    match asked(policy, target, port) {
        Verdict::Go(route) => route,
        Verdict::Refuse(reason) => panic!("{target}:{port}: {reason}"),
    }
}

/// What is said of a request on this route.
pub(super) fn sent(policy: &Policy, route: &Route, head: &str) -> Result<Option<String>, Reason> {
    let head = http1::parse(head.as_bytes()).map_err(|fault| fault.reason())?;
    let granted = request(policy, route, &head)?;
    Ok(granted.inject.map(|inject| inject.header.clone()))
}

fn get(policy: &Policy, route: &Route, path: &str) -> Result<Option<String>, Reason> {
    sent(
        policy,
        route,
        &format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", route.name),
    )
}

#[test]
fn the_most_exact_host_counts() {
    let policy = rules(
        r#"{ host = "*.example.com" }, { host = "*.a.example.com", ports = [443, 8443], methods = ["GET"] }, { host = "b.a.example.com", tcp = true }, { host = "b.a.example.com", ports = [80] }"#,
    );
    for (name, port, way, rules) in [
        ("x.example.com", 443, Way::Tls, vec![0]),
        ("x.y.example.com", 443, Way::Tls, vec![0]),
        ("a.example.com", 443, Way::Tls, vec![0]),
        ("x.a.example.com", 443, Way::OpenTls, vec![1]),
        ("b.a.example.com", 443, Way::Bytes, vec![2]),
        ("b.a.example.com", 80, Way::Http, vec![3]),
        ("b.a.example.com", 8443, Way::OpenTls, vec![1]),
    ] {
        let route = go(&policy, name, port);
        assert_eq!((route.way, route.rules), (way, rules), "{name}:{port}");
    }
    assert_eq!(
        asked(&policy, "x.example.com", 80),
        Verdict::Refuse(Reason::PortNotListed)
    );
    assert_eq!(
        asked(&policy, "example.com", 443),
        Verdict::Refuse(Reason::HostNotListed)
    );
    assert_eq!(
        lookup(&policy, &HostName::parse("q.example.com").unwrap()),
        Ok(())
    );
    assert_eq!(
        lookup(&policy, &HostName::parse("example.com").unwrap()),
        Err(Reason::HostNotListed)
    );
}

#[test]
fn budgets() {
    let policy =
        policy("allow = [{ host = \"a.example\" }]\nmax_bytes = 100\nmax_connections = 50");
    let target = Target::parse("a.example").unwrap();
    let none = Used::default();
    for (used, reason) in [
        (Used { open: 32, ..none }, Some(Reason::TooManyStreams)),
        (
            Used {
                open: 31,
                connections: 49,
                bytes: 99,
            },
            None,
        ),
        (
            Used {
                connections: 50,
                ..none
            },
            Some(Reason::ConnectionBudget),
        ),
        (Used { bytes: 100, ..none }, Some(Reason::ByteBudget)),
    ] {
        let verdict = connection(
            &policy,
            &Attempt {
                target: &target,
                port: 443,
                used,
            },
        );
        assert_eq!(matches!(verdict, Verdict::Go(_)), reason.is_none());
        assert!(
            reason.is_none_or(|reason| verdict == Verdict::Refuse(reason)),
            "{used:?}"
        );
    }
}

#[test]
fn the_first_rule_that_has_a_request_injects() {
    let policy = rules(
        r#"{ host = "a.example", methods = ["GET"], paths = ["/open/*"] },
           { host = "a.example", paths = ["/v1/*"], inject = { header = "X-Key", value_from = "env:A" } },
           { host = "a.example", methods = ["PUT"], inject = { header = "x-other", value_from = "env:B" } }"#,
    );
    let route = go(&policy, "a.example", 443);
    assert_eq!(
        (route.way, route.rules.as_slice()),
        (Way::OpenTls, [0, 1, 2].as_slice())
    );
    let by = |method: &str, path: &str| {
        sent(
            &policy,
            &route,
            &format!("{method} {path} HTTP/1.1\r\nHost: a.example\r\n\r\n"),
        )
    };
    assert_eq!(by("GET", "/open/x"), Ok(None));
    assert_eq!(by("GET", "/v1/x?../.."), Ok(Some("x-key".into())));
    assert_eq!(by("POST", "/v1/x"), Ok(Some("x-key".into())));
    assert_eq!(by("PUT", "/open/%2e%2e"), Ok(Some("x-other".into())));
    assert_eq!(by("GET", "/v2"), Err(Reason::PathNotAllowed));
    assert_eq!(by("GET", "/v1/../v2"), Err(Reason::PathAmbiguous));
    assert_eq!(by("DELETE", "/v2"), Err(Reason::PathNotAllowed));
    // A server shows who asks what was injected.
    assert_eq!(by("TRACE", "/v1/x"), Err(Reason::MethodNotAllowed));
    assert_eq!(by("OPTIONS", "*"), Err(Reason::PathNotAllowed));
}

#[test]
fn alpn_matters_where_requests_are_read() {
    let policy = rules(r#"{ host = "a.example" }, { host = "b.example", methods = ["GET"] }"#);
    let hello_of = |name: &str, alpn| Hello {
        sni: Sni::Name(HostName::parse(name).unwrap()),
        alpn,
        encrypted: false,
    };
    let only_http2 = Alpn {
        is_offered: true,
        has_http2: true,
        has_http1: false,
    };
    let both = Alpn {
        has_http1: true,
        ..only_http2
    };
    let through = go(&policy, "a.example", 443);
    let open = go(&policy, "b.example", 443);
    assert_eq!(
        hello(&through, &hello_of("a.example", only_http2)),
        Ok(TlsVerdict::PassThrough)
    );
    assert_eq!(
        hello(&open, &hello_of("b.example", both)),
        Ok(TlsVerdict::Open)
    );
    assert_eq!(
        hello(&open, &hello_of("b.example", Alpn::default())),
        Ok(TlsVerdict::Open)
    );
    assert_eq!(
        hello(&open, &hello_of("b.example", only_http2)),
        Err(Reason::AlpnUnsupported)
    );
}

#[test]
fn plain_http_is_judged_and_gets_no_secret() {
    let policy = rules(
        r#"{ host = "a.example", ports = [80, 443] }, { host = "b.example", ports = [80], methods = ["GET"], paths = ["/x"] }"#,
    );
    let any = go(&policy, "a.example", 80);
    assert_eq!(any.way, Way::Http);
    assert_eq!(get(&policy, &any, "/any/../thing"), Ok(None));
    assert_eq!(get(&policy, &any, "http://a.example/x"), Ok(None));
    assert_eq!(
        get(&policy, &any, "https://a.example/x"),
        Err(Reason::TargetMismatch)
    );
    let some = go(&policy, "b.example", 80);
    assert_eq!(get(&policy, &some, "/y"), Err(Reason::PathNotAllowed));
    // No route of a policy that compiles is like this one; a secret does not depend on it.
    let secret =
        rules(r#"{ host = "a.example", inject = { header = "x-key", value_from = "env:K" } }"#);
    let forged = Route {
        way: Way::Http,
        port: 80,
        ..go(&secret, "a.example", 443)
    };
    assert_eq!(get(&secret, &forged, "/"), Ok(None));
}

/// Names near those of a policy.
fn near() -> impl Strategy<Value = String> {
    "(evil|a\\.|b\\.a\\.|www\\.)?(example\\.com|api\\.example|example\\.com\\.evil|example\\.org)\\.?"
}

proptest! {
    /// A second opinion, by the text of names.
    #[test]
    fn only_what_is_listed_is_allowed(name in near(), port in prop::sample::select(vec![22u16, 80, 443, 8443])) {
        let policy = rules(r#"{ host = "*.example.com", ports = [443, 80] }, { host = "api.example", methods = ["GET"] }, { host = "www.api.example", ports = [22], tcp = true }"#);
        let canonical = name.trim_end_matches('.');
        let expected = match port {
            443 | 80 if canonical.ends_with(".example.com") => true,
            443 => canonical == "api.example",
            22 => canonical == "www.api.example",
            _ => false,
        };
        let verdict = asked(&policy, &name, port);
        prop_assert_eq!(matches!(verdict, Verdict::Go(_)), expected, "{}", name);
        if let Verdict::Go(route) = verdict {
            prop_assert!(route.rules.iter().all(|rule| policy.rules()[*rule].host.matches(&route.name)));
        }
    }

    #[test]
    fn no_path_leaves_what_is_listed(path in "(/|v1|v2|\\.\\.|%2e|%2f|%5c|;|\\.|\\\\|\\?){0,8}") {
        let policy = rules(r#"{ host = "a.example", paths = ["/v1/*"], inject = { header = "x-key", value_from = "env:K" } }"#);
        let route = go(&policy, "a.example", 443);
        if get(&policy, &route, &format!("/{path}")).is_ok() {
            prop_assert!(path.starts_with("v1/"));
            let before_query = path.split('?').next().unwrap_or_default();
            prop_assert!(!before_query.contains("..") && !before_query.contains("%2f") && !before_query.contains("//"));
        }
    }

    #[test]
    fn only_the_hello_of_the_name_passes(name in near(), encrypted in any::<bool>()) {
        let policy = rules(r#"{ host = "api.example" }"#);
        let route = go(&policy, "api.example", 443);
        let sni = HostName::parse(&name).map_or_else(Sni::Invalid, Sni::Name);
        let verdict = hello(&route, &Hello { sni, alpn: Alpn::default(), encrypted });
        prop_assert_eq!(verdict.is_ok(), !encrypted && name.trim_end_matches('.') == "api.example");
    }
}
