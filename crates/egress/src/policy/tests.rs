#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod properties;

use super::*;
use crate::name::{NameError, PatternError};
use crate::path::GlobError;

fn written(allow: &str) -> PolicyConfig {
    toml::from_str(&format!("allow = [{allow}]")).unwrap()
}

fn faults(allow: &str) -> Vec<Fault> {
    Policy::compile(&written(allow)).unwrap_err()
}

#[test]
fn the_format_of_the_page() {
    let config: EgressConfig = toml::from_str(
        r#"
        [policies.python-packages]
        allow = [ { host = "pypi.example", ports = [443] }, { host = "*.files.example" } ]
        [policies.one-api]
        allow = [ { host = "api.example", methods = ["POST"], paths = ["/v1/*"], inject = { header = "Authorization", value_from = "env:API_KEY", prefix = "Bearer " } } ]
        max_bytes = 10485760
        max_connections = 32
        [policies.nothing]
        allow = []
        "#,
    )
    .unwrap();
    let policies = load_all(&config).unwrap();
    let one = &policies["one-api"];
    assert_eq!((one.max_bytes(), one.max_connections()), (10_485_760, 32));
    assert!(one.opens_tls() && one.ports() == [443]);
    let inject = one.injections().next().unwrap();
    assert_eq!(
        (inject.header.as_str(), inject.source.to_string().as_str()),
        ("authorization", "env:API_KEY")
    );
    assert_eq!(inject.value(b"s3cret\n").unwrap(), b"Bearer s3cret");
    for secret in [b"".as_slice(), b"\n", b"a\r\nb: c", b"a\0", b"\xff"] {
        assert_eq!(inject.value(secret), None);
    }
    let packages = &policies["python-packages"];
    assert!(!packages.opens_tls() && packages.rules().len() == 2);
    assert!(policies["nothing"].rules().is_empty() && policies["nothing"].ports().is_empty());
}

#[test]
fn a_field_that_is_none_is_refused() {
    for text in [
        "allow = [{ host = \"a.example\", port = 443 }]",
        "deny = []",
        "allow = [{}]",
        "allow = [{ host = \"a.example\", ports = [65536] }]",
    ] {
        assert!(toml::from_str::<PolicyConfig>(text).is_err(), "{text}");
    }
}

/// What is wrong with a rule alone.
#[test]
fn a_rule_that_cannot_be_meant_is_refused() {
    let inject = |rest: &str| {
        format!(
            r#"{{ host = "a.example", inject = {{ header = "x-key", value_from = "env:K" }}, {rest} }}"#
        )
    };
    let injected = |inject: &str| format!(r#"{{ host = "a.example", inject = {{ {inject} }} }}"#);
    let host = |host: &str, error: PatternError| Why::Host {
        host: host.into(),
        error,
    };
    let suffix = |suffix: &str| PatternError::PublicSuffix {
        suffix: crate::HostName::parse(suffix).unwrap(),
    };
    for (rule, field, why) in [
        (
            r#"{ host = "" }"#.into(),
            Field::Host,
            host("", NameError::Empty.into()),
        ),
        (
            r#"{ host = "127.0.0.1" }"#.into(),
            Field::Host,
            host("127.0.0.1", NameError::Address.into()),
        ),
        (
            r#"{ host = "0x7f.1" }"#.into(),
            Field::Host,
            host("0x7f.1", NameError::Address.into()),
        ),
        (
            r#"{ host = "[::1]" }"#.into(),
            Field::Host,
            host("[::1]", NameError::Address.into()),
        ),
        (
            r#"{ host = "https://a.example" }"#.into(),
            Field::Host,
            host("https://a.example", NameError::Character.into()),
        ),
        (
            r#"{ host = "*.com" }"#.into(),
            Field::Host,
            host("*.com", suffix("com")),
        ),
        (
            r#"{ host = "*.co.uk" }"#.into(),
            Field::Host,
            host("*.co.uk", suffix("co.uk")),
        ),
        (
            r#"{ host = "*.github.io" }"#.into(),
            Field::Host,
            host("*.github.io", suffix("github.io")),
        ),
        (
            r#"{ host = "*" }"#.into(),
            Field::Host,
            host("*", PatternError::Wildcard),
        ),
        (
            r#"{ host = "a.example", ports = [] }"#.into(),
            Field::Ports,
            Why::NoPort,
        ),
        (
            r#"{ host = "a.example", ports = [443, 0] }"#.into(),
            Field::Ports,
            Why::PortZero,
        ),
        (
            r#"{ host = "a.example", ports = [443, 80, 443] }"#.into(),
            Field::Ports,
            Why::Repeated { item: "443".into() },
        ),
        (
            r#"{ host = "a.example", methods = ["get"] }"#.into(),
            Field::Methods,
            Why::Method {
                method: "get".into(),
            },
        ),
        (
            r#"{ host = "a.example", methods = ["CONNECT"] }"#.into(),
            Field::Methods,
            Why::Method {
                method: "CONNECT".into(),
            },
        ),
        (
            r#"{ host = "a.example", methods = ["GET", "GET"] }"#.into(),
            Field::Methods,
            Why::Repeated { item: "GET".into() },
        ),
        (
            r#"{ host = "a.example", paths = ["v1"] }"#.into(),
            Field::Paths,
            Why::Path {
                path: "v1".into(),
                error: GlobError::Path(crate::path::PathError::Relative),
            },
        ),
        (
            r#"{ host = "a.example", paths = ["/v1/**"] }"#.into(),
            Field::Paths,
            Why::Path {
                path: "/v1/**".into(),
                error: GlobError::DoubleStar,
            },
        ),
        (
            r#"{ host = "a.example", tcp = true, methods = ["GET"] }"#.into(),
            Field::Methods,
            Why::WithTcp,
        ),
        (
            r#"{ host = "a.example", tcp = true, paths = ["/"] }"#.into(),
            Field::Paths,
            Why::WithTcp,
        ),
        (inject("tcp = true"), Field::Inject, Why::WithTcp),
        (inject("ports = [80]"), Field::Inject, Why::InClear),
        (inject("ports = [443, 80]"), Field::Inject, Why::InClear),
        (
            inject(r#"methods = ["TRACE"]"#),
            Field::Methods,
            Why::TraceShowsSecret,
        ),
        (
            injected(r#"header = "Host", value_from = "env:K""#),
            Field::InjectHeader,
            Why::HeaderForbidden {
                header: "host".into(),
            },
        ),
        (
            injected(r#"header = "Transfer-Encoding", value_from = "env:K""#),
            Field::InjectHeader,
            Why::HeaderForbidden {
                header: "transfer-encoding".into(),
            },
        ),
        (
            injected(r#"header = "x key", value_from = "env:K""#),
            Field::InjectHeader,
            Why::Header,
        ),
        (
            injected(r#"header = "", value_from = "env:K""#),
            Field::InjectHeader,
            Why::Header,
        ),
        (
            injected(r#"header = "x-key", value_from = "s3cret""#),
            Field::InjectValueFrom,
            Why::Source,
        ),
        (
            injected(r#"header = "x-key", value_from = "env:1K""#),
            Field::InjectValueFrom,
            Why::Source,
        ),
        (
            injected(r#"header = "x-key", value_from = "file:key""#),
            Field::InjectValueFrom,
            Why::Source,
        ),
        (
            injected(r#"header = "x-key", value_from = "env:K", prefix = "a\r\nb""#),
            Field::InjectPrefix,
            Why::Prefix,
        ),
    ] {
        assert_eq!(
            faults(&rule),
            [Fault {
                rule: Some(1),
                field,
                why
            }],
            "{rule}"
        );
    }
}

#[test]
fn a_forbidden_header_is_known_in_any_case() {
    for header in FORBIDDEN_HEADERS {
        let rule = format!(
            r#"{{ host = "a.example", inject = {{ header = "{}", value_from = "env:K" }} }}"#,
            header.to_uppercase()
        );
        assert!(
            matches!(faults(&rule)[0].why, Why::HeaderForbidden { .. }),
            "{header}"
        );
    }
}

#[test]
fn rules_that_leave_each_other_nothing_are_refused() {
    for (allow, shadowed) in [
        (r#"{ host = "a.example" }, { host = "A.example." }"#, true),
        (
            r#"{ host = "a.example" }, { host = "a.example", ports = [80, 443] }"#,
            true,
        ),
        (
            r#"{ host = "a.example", methods = ["GET"] }, { host = "a.example", methods = ["GET"], paths = ["/x"] }"#,
            true,
        ),
        (
            r#"{ host = "a.example", tcp = true }, { host = "a.example", tcp = true }"#,
            true,
        ),
        (
            r#"{ host = "a.example" }, { host = "a.example", methods = ["GET"] }"#,
            false,
        ),
        (
            r#"{ host = "a.example" }, { host = "a.example", tcp = true }"#,
            false,
        ),
    ] {
        let found = faults(allow);
        assert_eq!(
            (found.len(), found[0].rule, found[0].field),
            (1, Some(2), Field::Host),
            "{allow}"
        );
        match &found[0].why {
            Why::Shadowed {
                first: 1,
                port: 443,
                ..
            } => assert!(shadowed, "{allow}"),
            Why::Layers {
                first: 1,
                port: 443,
                ..
            } => assert!(!shadowed, "{allow}"),
            why => panic!("{allow}: {why}"),
        }
    }
    for allow in [
        r#"{ host = "a.example" }, { host = "*.a.example" }"#,
        r#"{ host = "a.example" }, { host = "a.example", ports = [80] }"#,
        r#"{ host = "a.example", tcp = true, ports = [22] }, { host = "a.example", methods = ["GET"] }"#,
        r#"{ host = "a.example", methods = ["GET"], paths = ["/x"] }, { host = "a.example", methods = ["GET"] }"#,
        r#"{ host = "a.example", methods = ["GET"] }, { host = "a.example", methods = ["GET", "POST"], paths = ["/x"] }"#,
    ] {
        assert!(Policy::compile(&written(allow)).is_ok(), "{allow}");
    }
}

#[test]
fn all_faults_are_told_with_their_places() {
    let config: EgressConfig = toml::from_str(
        r#"
        [policies.Bad]
        max_bytes = 0
        max_connections = 2000000
        allow = [ { host = "a.example" }, { host = "*.com", ports = [0], methods = ["get"] } ]
        [policies.good]
        allow = [ { host = "a.example" } ]
        "#,
    )
    .unwrap();
    let told: Vec<String> = load_all(&config)
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        told,
        [
            "egress.policies.Bad: name: a policy's name is 1 to 64 of a-z 0-9 - _, and begins with a letter or digit",
            "egress.policies.Bad: max_bytes: is 0, allowed is 1 to 1099511627776",
            "egress.policies.Bad: max_connections: is 2000000, allowed is 1 to 1000000",
            "egress.policies.Bad: allow, entry 2: host: \"*.com\" is for all names below com, under which anybody can have one; list the names that are meant",
            "egress.policies.Bad: allow, entry 2: ports: 0 is no port",
            "egress.policies.Bad: allow, entry 2: methods: \"get\" is no method that can be listed: they are in upper case, and CONNECT is none of a host's",
        ]
    );
}

#[test]
fn there_is_a_bound_on_everything() {
    let rule = |place: usize| format!(r#"{{ host = "h{place}.example" }}"#);
    let many = |count: usize| (0..count).map(rule).collect::<Vec<_>>().join(",");
    assert!(Policy::compile(&written(&many(MAX_RULES))).is_ok());
    assert_eq!(
        faults(&many(MAX_RULES + 1))[0].why,
        Why::TooManyRules {
            count: MAX_RULES + 1
        }
    );
    let ports = |count: usize| {
        format!(
            r#"{{ host = "a.example", ports = {:?} }}"#,
            (1..=count).collect::<Vec<_>>()
        )
    };
    assert!(Policy::compile(&written(&ports(MAX_ITEMS))).is_ok());
    assert_eq!(
        faults(&ports(MAX_ITEMS + 1)),
        [Fault {
            rule: Some(1),
            field: Field::Ports,
            why: Why::TooManyItems {
                count: MAX_ITEMS + 1
            }
        }]
    );
    let policies = (0..=MAX_POLICIES).map(|place| (format!("p{place}"), PolicyConfig::default()));
    let config = EgressConfig {
        policies: policies.collect(),
        ..EgressConfig::default()
    };
    assert_eq!(load_all(&config).unwrap_err().len(), 1);
}

#[test]
fn what_is_written_can_be_written_again_and_has_a_schema() {
    let config = written(
        r#"{ host = "a.example", methods = ["GET"], inject = { header = "x-key", value_from = "file:/etc/key" } }, { host = "b.example", ports = [22], tcp = true }"#,
    );
    let again: PolicyConfig = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
    assert_eq!(again, config);
    let schema = schemars::schema_for!(EgressConfig).to_value();
    assert_eq!(schema["additionalProperties"], false);
}
