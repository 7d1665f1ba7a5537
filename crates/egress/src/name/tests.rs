#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use super::*;
use proptest::prelude::*;

#[test]
fn one_spelling_each() {
    for (written, canonical) in [
        ("example.com", "example.com"),
        ("EXAMPLE.Com.", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.EXAMPLE", "xn--bcher-kva.example"),
        // Full-width letters and the ideographic full stop.
        ("ｅｘａｍｐｌｅ。com", "example.com"),
        ("my_bucket.r3---sn.example", "my_bucket.r3---sn.example"),
        ("_http._tcp.example", "_http._tcp.example"),
        ("localhost", "localhost"),
        ("1.2.3.4.example", "1.2.3.4.example"),
        ("0x7f.1a", "0x7f.1a"),
    ] {
        assert_eq!(
            HostName::parse(written).unwrap().as_str(),
            canonical,
            "{written}"
        );
    }
}

#[test]
fn a_homograph_is_another_name() {
    // The Cyrillic letter that looks like an a.
    let name = HostName::parse("ex\u{430}mple.com").unwrap();
    assert!(name.as_str().starts_with("xn--"));
    assert_ne!(name, HostName::parse("example.com").unwrap());
}

#[test]
fn no_spelling_of_an_address_is_a_name() {
    for written in [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "0x",
        "017700000001",
        "0X7F.0.0.1",
        "１２７.0.0.1",
        "127。0。0。1",
        "[::1]",
        "::1",
        "[::ffff:127.0.0.1]",
        "fe80::1",
        "1.2.3.4.5",
        "999.999.999.999",
        "example.123",
        "example.0x1f",
    ] {
        assert_eq!(
            HostName::parse(written),
            Err(NameError::Address),
            "{written}"
        );
    }
}

#[test]
fn what_is_no_name() {
    let label = "a".repeat(64);
    let long = ["a"; 128].join(".");
    for (written, error) in [
        ("", NameError::Empty),
        (".", NameError::Empty),
        ("..", NameError::Label),
        ("a..example", NameError::Label),
        (".example", NameError::Label),
        ("example..", NameError::Label),
        (label.as_str(), NameError::Label),
        (long.as_str(), NameError::TooLong),
        ("a\0.example", NameError::Character),
        ("a\r\n.example", NameError::Character),
        ("a b.example", NameError::Character),
        (" example", NameError::Character),
        ("fe80::1%eth0", NameError::Character),
        ("[fe80::1%25eth0]", NameError::Character),
        ("fe80::1%eth0.example.com", NameError::Character),
        ("user@example", NameError::Character),
        ("example:443", NameError::Character),
        ("example/x", NameError::Character),
        ("*.example", NameError::Character),
        ("a%2eexample", NameError::Character),
        ("xn--a.example", NameError::Idna),
        ("a\u{202e}.example", NameError::Idna),
    ] {
        assert_eq!(HostName::parse(written), Err(error), "{written:?}");
    }
    assert_eq!(HostName::from_bytes(b"a\xff.example"), Err(NameError::Idna));
    let longest = [
        "a".repeat(63),
        "b".repeat(63),
        "c".repeat(63),
        "d".repeat(61),
    ]
    .join(".");
    assert_eq!(longest.len(), MAX_NAME_BYTES);
    assert!(HostName::parse(&format!("{longest}.")).is_ok());
    assert!(HostName::from_bytes(&[b'a'; 1 << 20]).is_err());
}

#[test]
fn a_wildcard_is_for_what_is_below_and_nothing_else() {
    let name = |text| HostName::parse(text).unwrap();
    let pattern = HostPattern::parse("*.Example.com").unwrap();
    assert_eq!(pattern.to_string(), "*.example.com");
    for (text, expected) in [
        ("a.example.com", true),
        ("a.b.example.com", true),
        ("example.com", false),
        ("evilexample.com", false),
        ("example.com.evil.com", false),
        ("example.org", false),
    ] {
        assert_eq!(pattern.matches(&name(text)), expected, "{text}");
    }
    let exact = HostPattern::parse("example.com").unwrap();
    assert!(exact.matches(&name("EXAMPLE.com.")) && !exact.matches(&name("a.example.com")));
    assert!(exact.precision() > pattern.precision());
}

#[test]
fn no_wildcard_is_for_everybodys_names() {
    for written in [
        "*.com",
        "*.co.uk",
        "*.github.io",
        "*.COM.",
        "*.internal",
        "*.example",
        "*.s3.amazonaws.com",
        "*.ck",
    ] {
        let error = HostPattern::parse(written).unwrap_err();
        assert!(
            matches!(error, PatternError::PublicSuffix { .. }),
            "{written}: {error}"
        );
    }
    for written in [
        "*",
        "a*.example.com",
        "*a.example.com",
        "a.*.example.com",
        "*.*.example.com",
        "**.example.com",
    ] {
        assert_eq!(
            HostPattern::parse(written),
            Err(PatternError::Wildcard),
            "{written}"
        );
    }
    for written in [
        "*.example.com",
        "*.files.example",
        "*.octocat.github.io",
        "github.io",
        "com",
    ] {
        assert!(HostPattern::parse(written).is_ok(), "{written}");
    }
    assert_eq!(
        HostPattern::parse("*."),
        Err(PatternError::Name(NameError::Empty))
    );
    assert_eq!(
        HostPattern::parse("*.0.0.1"),
        Err(PatternError::Name(NameError::Address))
    );
}

proptest! {
    #[test]
    fn canonical_is_canonical(written in any::<Vec<u8>>()) {
        if let Ok(name) = HostName::from_bytes(&written) {
            prop_assert!(name.as_str().len() <= MAX_NAME_BYTES);
            prop_assert_eq!(HostName::parse(name.as_str()), Ok(name.clone()));
            prop_assert!(name.as_str().parse::<std::net::IpAddr>().is_err());
        }
    }

    #[test]
    fn names_of_letters_have_one_spelling(written in "[a-zA-Z][a-zA-Z0-9-]{0,20}(\\.[a-zA-Z][a-zA-Z]{0,20}){1,3}\\.?") {
        // A label may happen to begin as an international one does.
        prop_assume!(!written.to_ascii_lowercase().contains("xn--"));
        let name = HostName::parse(&written).unwrap();
        let upper = HostName::parse(&written.to_uppercase()).unwrap();
        prop_assert_eq!(&name, &upper);
        prop_assert_eq!(name.as_str(), written.trim_end_matches('.').to_ascii_lowercase());
    }

    #[test]
    fn a_wildcard_never_matches_without_a_dot(before in "[a-z0-9-]{0,10}") {
        let pattern = HostPattern::parse("*.example.com").unwrap();
        if let Ok(name) = HostName::parse(&format!("{before}example.com")) {
            prop_assert!(!pattern.matches(&name));
        }
    }
}
